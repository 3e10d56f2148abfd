"""Objects of the standard library that have a state of their own."""
from kinds.table import kind

kind("random", 3, "{n} = random.Random({v})", """
={x}.random()
={x}.getrandbits(20)
={x}.gauss(0, 1)
{x}.seed({v})
=sorted([3, 1, 2], key=lambda _: {x}.random())
[setstate]{x}.setstate(random.Random({v}).getstate())
[setstate]{x}.setstate(random.Random({v}).getstate()) ~> {x}.random()
{x}.seed({v}) ~> {x}.random()
{x}.gauss(0, 1) ~> {x}.gauss(0, 1)
""")
kind("StringIO", 2, "{n} = io.StringIO('some text')", """
{x}.write({k})
={x}.read(2)
{x}.seek({v})
{x}.truncate(3)
={x}.getvalue()
{x}.close() ~> {x}.closed
{x}.close() ~> {x}.getvalue()
{x}.seek(3) ~> {x}.tell()
{x}.read(1) ~> {x}.read(1)
{x}.name = {v} ~> vars({x})
""")
kind("BytesIO", 2, "{n} = io.BytesIO(b'some')", """
{x}.write(b'xy')
={x}.read(2)
{x}.seek({v})
{x}.truncate(2)
{x}.close()
{x}.close() ~> {x}.closed
{x}.close() ~> {x}.getvalue()
{x}.seek(3) ~> {x}.tell()
{x}.read(1) ~> {x}.read(1)
{x}.name = {v} ~> vars({x})
""")
kind("Queue", 2, "{n} = queue.Queue()\n{n}.put_nowait({v})", """
{x}.put_nowait({o})
={x}.get_nowait()
={x}.qsize()
{x}.task_done()
""")
kind("PriorityQueue", 1, "{n} = queue.PriorityQueue(maxsize=4)\n{n}.put_nowait({v})", """
{x}.put_nowait({v})
={x}.get_nowait()
""")
kind("SimpleQueue", 2, "{n} = queue.SimpleQueue()\n{n}.put({v})", """
{x}.put({o})
={x}.get_nowait()
={x}.qsize()
{x}.put({v}) ~> {x}.get_nowait()
{x}.put({v}); {x}.get_nowait() ~> {x}.get_nowait()
""")
kind("error", 1, "{n} = ValueError({k}, [{v}])", """
raise {x}
raise KeyError({v}) from {x}
{x}.args = ({v},)
{x}.args[1].append({v})
{x}.__cause__ = KeyError({v}) ~> str({x}.__cause__)
{x}.__suppress_context__ = True ~> {x}.__suppress_context__
{x}.add_note({k}) ~> getattr({x}, '__notes__', None)
{x}.with_traceback(None) ~> {x}.__traceback__ is None
{x}.__setstate__(dict(b={v})) ~> vars({x})
{x}.total = {o}
""")
kind("decimal", 1, "{n} = decimal.Context(prec={v} + 1)", """
{x}.prec = {v} + 2
{x}.prec = {v} + 2 ~> {x}.prec
{x}.rounding = decimal.ROUND_UP ~> {x}.rounding
{x}.Emax = {v} + 9 ~> [{x}.Emax, {x}.Emin]
{x}.capitals = 0 ~> {x}.capitals
{x}.divide(decimal.Decimal(1), 3) ~> {x}.flags[decimal.Inexact]
{x}.flags[decimal.Rounded] = True ~> {x}.flags[decimal.Rounded]
=str({x}.divide(decimal.Decimal(1), 3))
={x}.flags[decimal.Inexact]
{x}.clear_flags()
{x}.traps[decimal.Inexact] = True
{x}.traps = [decimal.Overflow]
=[s.__name__ for s, held in {x}.traps.items() if held]
!{x} = {x}.copy()
""")
kind("lock", 1, """
{n} = threading.Lock()
""", """
={x}.acquire(False)
{x}.release()
={x}.locked()
={x}.acquire(False) ~> {x}.locked()
""")
kind("threads' things", 1, """
{n} = [threading.Event(), threading.Semaphore(2), threading.Condition(threading.Lock())]
""", """
{x}[0].set()
{x}[0].clear()
=[{x}[0].is_set(), {x}[1]._value, {x}[2]._lock.locked()]
={x}[1].acquire(blocking=False)
{x}[1].release()
={x}[2].acquire(blocking=False)
{x}[2].release()
{x}[0].total = {v}
""")
kind("ConfigParser", 1, """
{n} = configparser.ConfigParser({{'a': '{v}'}})
{n}.read_dict({{'b': {{'c': 'x'}}}})
""", """
{x}['b'][{k}] = str({v})
{x}.set('DEFAULT', 'a', str({v}))
{x}.add_section({k})
{x}.remove_section({k})
{x}.remove_option('b', 'c')
={x}.sections()
=dict({x}['b'])
={x}.getint('b', 'a')
={x}.defaults()
""")
kind("ExitStack", 1, """
{n} = contextlib.ExitStack()
{n}.callback(lambda held: held.append({v}), [])
{n}.total = 0
""", """
{x}.callback(lambda: note('left', {v}))
{x}.close()
={x}.pop_all() is {x}
=len({x}._exit_callbacks)
{x}.total += 1
!{x} = {x}.pop_all()
""")
kind("hash", 1, """
import hashlib
{n} = hashlib.sha256(b'some')
""", """
{x}.update(bytes({v})) ~> {x}.hexdigest()[:8]
={x}.copy().hexdigest()[:8]
!{x} = {x}.copy()
""", "opaque")
kind("compressor", 1, "import zlib\n{n} = [zlib.compressobj(), zlib.decompressobj()]", """
={x}[0].compress(b'abc' * {v}) ~> {x}[0].copy().flush()
={x}[1].decompress(zlib.compress(b'abc')) ~> {x}[1].eof
={x}[1].unused_data
""", "opaque")
kind("csv writer", 1, "import csv\n_{n} = io.StringIO()\n{n} = [csv.writer(_{n}), csv.DictWriter(_{n}, ['a'])]", """
={x}[0].writerow([{v}, {k}]) ~> _{n}.getvalue()
={x}[1].writerow(dict(a={v})) ~> _{n}.getvalue()
{x}[1].fieldnames.append({k}) ~> {x}[1].fieldnames
={x}[0].dialect.delimiter
""", "opaque")
kind("csv reader", 1, """
import csv
{n} = csv.reader(['a,b', 'c,d', 'e,f', 'g'])
""", """
=next({x}) ~> [{x}.line_num, next({x})]
={x}.line_num
""", "opaque")
kind("pickler", 1, "import pickle\n_{n} = io.BytesIO()\n_{n}_list = [{v}]\n{n} = pickle.Pickler(_{n})", """
{x}.dump(_{n}_list) ~> len(_{n}.getvalue())
{x}.clear_memo()
{x}.dispatch_table = {{}}
""", "opaque")
kind("message", 1, """
import email.message, http.cookies
{n} = [email.message.EmailMessage(), http.cookies.SimpleCookie()]
""", """
{x}[0]['X-{i}'] = {k} ~> {x}[0].items()
{x}[1][{k}] = str({v}) ~> {x}[1].output()
{x}[0].set_content({k}) ~> {x}[0].as_string()
{x}[1].clear()
""")
kind("element", 1, """
import xml.etree.ElementTree
{n} = xml.etree.ElementTree.fromstring('<a b="c"><d/><e>f</e></a>')
""", """
{x}.set({k}, 'v') ~> xml.etree.ElementTree.tostring({x})
{x}.append(xml.etree.ElementTree.Element('n{i}')) ~> len({x})
{x}[0].text = {k} ~> xml.etree.ElementTree.tostring({x})
{x}.attrib['z'] = 'y' ~> {x}.attrib
{x}.remove({x}[0])
=[e.tag for e in {x}]
""")
kind("database", 1, """
import sqlite3
{n} = sqlite3.connect(':memory:', check_same_thread=False)
{n}.execute('create table t(p)')
""", """
{x}.execute('insert into t values (?)', ({v},)) ~> {x}.execute('select p from t').fetchall()
{x}.row_factory = lambda c, row: row[0] ~> {x}.execute('select 1').fetchone()
={x}.total_changes
""", "opaque")
kind("tree of tasks", 1, "import graphlib\n{n} = graphlib.TopologicalSorter(dict(a='b', b='c'))", """
{x}.add({k}, 'z{i}') ~> len({x}._node2info)
{x}.prepare() ~> {x}._ready_nodes
={x}.get_ready()
{x}.done(*{x}.get_ready())
""")
kind("heap", 1, "import heapq, bisect\n{n} = [1, 3, {v} + 5]", """
heapq.heappush({x}, {v}) ~> {x}
=heapq.heappop({x}) ~> {x}
bisect.insort({x}, {v}) ~> {x}
heapq.heapify({x})
""")
kind("own logger", 1, "import logging\n{n} = logging.Logger('own')\n{n}.things = []", """
{x}.setLevel({v} * 10 + 10) ~> [{x}.level, {x}.isEnabledFor(25)]
{x}.addHandler(logging.NullHandler()) ~> len({x}.handlers)
{x}.addFilter(lambda p: False) ~> len({x}.filters)
{x}.things.append({v}) ~> {x}.things
{x}.disabled = True ~> {x}.disabled
={x}.isEnabledFor({v} * 10)
""")
kind("encoder", 1, "import json\n{n} = [json.JSONEncoder(sort_keys=True), json.JSONDecoder()]", """
{x}[0].default = lambda p: {v} ~> {x}[0].encode([1, object])
{x}[0].indent = 1 ~> {x}[0].encode([1])
{x}[1].parse_int = {v} ~> {x}[1].parse_int == {v}
{x}[1].object_hook = {v} ~> {x}[1].object_hook
={x}[1].decode('[1, {{"a": 2}}]')
""")
kind("text wrapper", 1, """
import difflib, string, textwrap
{n} = [textwrap.TextWrapper(20), string.Template('$a b'), difflib.SequenceMatcher(None, 'abcd', 'bcde'), string.Formatter()]
""", """
{x}[0].width = {v} + 3 ~> {x}[0].wrap('some words that are long')
{x}[1].template = {k} ~> {x}[1].template
{x}[2].set_seq2({k}) ~> {x}[2].ratio()
{x}[3].total = {v} ~> vars({x}[3])
={x}[2].get_matching_blocks() ~> sorted(vars({x}[2]))
""")
kind("fraction", 1, """
import datetime, fractions, uuid, pathlib
{n} = [fractions.Fraction(1, 3), datetime.timedelta(1), uuid.UUID(int={v}), pathlib.PurePath('a/b')]
""", """
={x}[0] + {v}
{x}[0]._numerator = {v} ~> {x}[0]
={x}[3].parts ~> str({x}[3])
={x}[3].name
={x}[2].hex
""")
kind("mock", 1, "import unittest.mock\n{n} = unittest.mock.Mock(return_value={v})", """
={x}({v}) ~> {x}.call_count
{x}.return_value = {v} ~> {x}()
{x}.a.b({v}) ~> len({x}.mock_calls)
{x}.side_effect = KeyError({k}) ~> {x}()
{x}.reset_mock()
""")
kind("errors with traces", 2, """
def _{n}_raise(p):
    held = [p]
    raise KeyError(p)
try:
    try:
        _{n}_raise({v})
    except KeyError as error:
        raise ValueError('b') from error
except ValueError as error:
    {n} = error
{n}.things = []
""", """
{x}.__traceback__ = None ~> {x}.__traceback__ is None
{x}.__cause__ = None ~> {x}.__cause__ is None
{x}.__context__.total = {v} ~> vars({x}.__context__)
{x}.args = ({k},) ~> str({x})
{x}.things.append({v}) ~> {x}.things
{x}.__cause__.__traceback__ = None ~> {x}.__cause__.__traceback__ is None
{x}.__cause__.__traceback__.tb_next.tb_frame.f_locals['held'].append({v}) ~> {x}.__cause__.__traceback__.tb_next.tb_frame.f_locals['held']
raise {x}
{x}.__cause__.__traceback__.tb_next = None ~> {x}.__cause__.__traceback__.tb_next is None
""")
kind("errors of several sorts", 1, """
class _{n}(OSError):
    total = 0
{n} = [StopIteration({v}), OSError(2, 'a', 'b'), UnicodeDecodeError('ascii', b'a', 0, 1, 'c'), SyntaxError('a', ('f', 1, 2, 't')),
       ImportError('a', name='b'), AttributeError('a'), NameError('a'), SystemExit({v}), _{n}(1, 'z'), KeyError([{v}])]
""", """
{x}[0].value = {v} ~> {x}[0].value
{x}[1].filename = {k} ~> [{x}[1].filename, str({x}[1])]
{x}[2].reason = {k} ~> {x}[2].reason
{x}[3].lineno = {v} ~> [{x}[3].lineno, {x}[3].text]
{x}[4].name = {k} ~> {x}[4].name
{x}[5].name = {k} ~> getattr({x}[5], 'name', 0)
{x}[6].name = {k} ~> getattr({x}[6], 'name', 0)
{x}[7].code = {v} ~> {x}[7].code
{x}[8].errno = {v} ~> [{x}[8].errno, {x}[8].args]
{x}[9].args[0].append({v}) ~> {x}[9].args
{x}[{i}].args = ({v},) ~> [e.args for e in {x}]
{x}[{i}].a = {o} ~> [vars(e) for e in {x}]
""")
kind("group of errors", 1, """
try:
    {n} = ExceptionGroup('g', [KeyError({v}), ValueError([1])])
except NameError:
    {n} = ValueError('g')
""", """
{x}.exceptions[1].args[0].append({v}) ~> {x}.exceptions[1].args
{x}.exceptions[0].total = {v} ~> vars({x}.exceptions[0])
{x}.a = {v} ~> vars({x})
{x}.add_note({k}) ~> getattr({x}, '__notes__', None)
""")
kind("other contexts of decimal", 1, """
{n} = [decimal.DefaultContext.copy(), decimal.localcontext(decimal.Context(prec=4)), decimal.Decimal('1.5')]
""", """
{x}[0].prec = {v} + 3 ~> {x}[0].prec
{x}[1].__enter__().prec = {v} + 2; {x}[1].__exit__()
{x}[1].new_context.prec = {v} + 1 ~> {x}[1].new_context.prec
={x}[2] + {v}
""")
kind("TextIOWrapper", 1, "_{n} = io.BytesIO(b'a\\nb\\nc\\n')\n{n} = io.TextIOWrapper(_{n}, encoding='utf-8')", """
={x}.readline() ~> {x}.readline()
{x}.write({k}) ~> _{n}.tell()
{x}.seek(0) ~> {x}.read(1)
{x}.total = {v} ~> vars({x})
{x}.close() ~> {x}.closed
""", "opaque")
kind("BytesIO below", 1, """
class _{n}(io.BytesIO):
    def close(self):
        self.total = getattr(self, 'total', 0) + 1
        super().close()
    def tell(self):
        return super().tell() + 100
{n} = _{n}(b'abc')
""", """
{x}.close() ~> [{x}.closed, vars({x})]
{x}.read(1) ~> {x}.tell()
{x}.write(b'z') ~> {x}.getvalue()
{x}.seek(0)
""")
kind("random below", 1, """
class _{n}(random.Random):
    def random(self):
        self.total = getattr(self, 'total', 0) + 1
        return super().random() / 2
{n} = _{n}({v})
""", """
={x}.random() ~> [{x}.random(), {x}.total]
={x}.choice('abcd') ~> {x}.random()
{x}.seed({v}) ~> {x}.random()
={x}.gauss(0, 1) ~> {x}.gauss_next is None
[setstate]{x}.setstate(random.Random({v}).getstate()) ~> {x}.random()
""")
