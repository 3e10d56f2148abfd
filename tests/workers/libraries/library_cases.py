"""Installed libraries in workflows, and the verdict that their user would call right: see ../cases.py for the format.

Imported at the top of the workflow file as anybody does it, without passing them through unless the case says so, then
used for what a workflow may well do (build, parse, render, validate) or for what it must not.
"""
import functools

import cases

CASES = []
case = cases.adding_to(CASES)
allow, block, via, answered = (functools.partial(case, v) for v in ("allow", "block", "via", "answered"))


def passed(*names):
    return "\n".join(["with workflow.unsafe.imports_passed_through():", *("    import " + n for n in names)])


# --- HTTP and services: no request leaves the workflow, but their types are of use in it -----------------------------------
allow("httpx_url", "import httpx", "return str(httpx.URL('http://a/b?c=1').params)")
allow("httpx_request", "import httpx", "return httpx.Request('GET', 'http://a/b', params={'x': 1}).url.path")
block("httpx_get", "import httpx", "try: httpx.get('http://127.0.0.1:9/')  # here\nexcept httpx.HTTPError: pass\nreturn ''")
via("httpx_get_passed_through", passed("httpx"), "try: httpx.get('http://127.0.0.1:9/')  # here\nexcept httpx.HTTPError: pass\nreturn ''")
allow("requests_prepare", "import requests", "return requests.Request('GET', 'http://a/b', params={'x': 1}).prepare().url")
allow("requests_errors", "import requests", "try: raise requests.ConnectionError('x')\nexcept requests.RequestException as e: return str(e)")
block("requests_get", "import requests", "try: requests.get('http://127.0.0.1:9/')  # here\nexcept requests.RequestException: pass\nreturn ''")
via("requests_get_passed_through", passed("requests"),
    "try: requests.get('http://127.0.0.1:9/')  # here\nexcept requests.RequestException: pass\nreturn ''")
allow("urllib3_parse", "import urllib3", "return str(urllib3.util.parse_url('http://a/b')) + str(urllib3.Retry(3).total)")
block("urllib3_request", "import urllib3",
      "try: urllib3.PoolManager(retries=False).request('GET', 'http://127.0.0.1:9/')  # here\nexcept urllib3.exceptions.HTTPError: pass\nreturn ''")
allow("aiohttp_types", "import aiohttp", "return str(aiohttp.ClientTimeout(total=3).total) + aiohttp.hdrs.ACCEPT")
block("aiohttp_get", "import aiohttp", "async with aiohttp.ClientSession() as s:\n    async with s.get('http://127.0.0.1:9/') as r: return str(r.status)  # here")
allow("boto3_types", "import boto3, boto3.dynamodb.conditions, botocore.exceptions",
      "boto3.dynamodb.conditions.Key('a').eq(1)\ntry: raise botocore.exceptions.ClientError({'Error': {}}, 'x')\n"
      "except botocore.exceptions.ClientError as e: return str(e.operation_name)")
block("boto3_client", "import boto3", "boto3.client('s3', region_name='eu-west-1', aws_access_key_id='x', aws_secret_access_key='y'); return ''")
allow("openai_types", "import openai", "return openai.types.chat.ChatCompletionMessage(role='assistant', content='x').content")
allow("openai_errors", "import openai", "try: raise openai.OpenAIError('x')\nexcept openai.OpenAIError as e: return str(e)")
allow("anthropic_types", "import anthropic", "return anthropic.types.TextBlock(text='x', type='text').text")
allow("langchain_prompt", "from langchain_core.prompts import PromptTemplate\nfrom langchain_core.messages import HumanMessage",
      "return PromptTemplate.from_template('a {x}').format(x=1) + HumanMessage('y').content")
allow("openai_agents_tool", "from agents import function_tool\n@function_tool\ndef add(a: int, b: int) -> int:\n    'Adds.'\n    return a + b", "return add.name")
allow("openai_agents_default_model_not_set", "from agents import Agent", "return Agent(name='a', instructions='b').name")
allow("uvicorn_types", "import uvicorn", "return uvicorn.Config.__name__ + uvicorn.Server.__name__")
block("uvicorn_run", "import uvicorn", "uvicorn.run(lambda *a: None, port=0, log_config=None); return ''")
allow("anyio_in_the_loop", "import anyio", "async with anyio.create_task_group() as g: g.start_soon(anyio.sleep, 0.001)\n"
      "e = anyio.Event(); e.set(); await e.wait(); return str(e.is_set())")
block("anyio_to_thread", "import anyio", "return str(await anyio.to_thread.run_sync(int))", says="anyio.to_thread.run_sync")
block("anyio_to_thread_passed_through", passed("anyio.to_thread"), "return str(await anyio.to_thread.run_sync(int))", says="anyio.to_thread.run_sync")

# --- models and serialization ------------------------------------------------------------------------------------------------
_PYDANTIC = ("import datetime, uuid, pydantic\nclass M(pydantic.BaseModel):\n    at: datetime.datetime\n    id: uuid.UUID\n"
             "    tags: list = pydantic.Field(default_factory=list)\n    @pydantic.field_validator('tags')\n    @classmethod\n"
             "    def check(cls, v): return v + [1]")
allow("pydantic_model", _PYDANTIC, "m = M(at='2020-01-01T00:00:00Z', id='12345678123456781234567812345678', tags=[0])\n"
      "assert type(m.at) is datetime.datetime and M.model_validate_json(m.model_dump_json()).id == m.id; return str(m.tags)")
allow("pydantic_workflow_factories", "import datetime, uuid, pydantic\nclass M(pydantic.BaseModel):\n"
      "    at: datetime.datetime = pydantic.Field(default_factory=workflow.now)\n    id: uuid.UUID = pydantic.Field(default_factory=workflow.uuid4)",
      "return M().model_dump_json()[:7]")
block("pydantic_default_now", "import datetime, pydantic\nclass M(pydantic.BaseModel):\n    at: datetime.datetime = pydantic.Field(default_factory=datetime.datetime.now)",
      "return str(M().at)", says="datetime.datetime.now")
block("pydantic_default_uuid", "import uuid, pydantic\nclass M(pydantic.BaseModel):\n    id: uuid.UUID = pydantic.Field(default_factory=uuid.uuid4)",
      "return str(M().id)", says="uuid.uuid4")
for _name, _value in [("named", "Named().id"), ("wrapped", "Wrapped().id"), ("primitive", "Primitive().at"), ("validated", "Named.model_validate({}).id"), ("attrs", "Attributes().at")]:
    answered(f"factory_of_a_passed_through_model_{_name}", passed("helper_models"), f"return str(helper_models.{_value})  # here")
allow("pydantic_error", _PYDANTIC, "try: M(at='x', id='y')\nexcept pydantic.ValidationError as e: return str(e.error_count())")
allow("attrs_class", "import attrs\n@attrs.define\nclass A:\n    x: int = 1\n    y: list = attrs.field(factory=list)", "return str(attrs.evolve(A(), x=2)) + str(attrs.asdict(A()))")
block("attrs_factory_now", "import attrs, time\n@attrs.define\nclass A:\n    at: float = attrs.field(factory=time.time)", "return str(A().at)", says="time.time")
allow("msgspec_struct", "import msgspec\nclass S(msgspec.Struct):\n    a: int", "return msgspec.json.encode(msgspec.json.decode(b'{\"a\": 1}', type=S)).decode()")
allow("orjson_dumps", "import orjson, datetime, uuid", "return orjson.dumps({'a': datetime.datetime(2020, 1, 1), 'b': uuid.UUID(int=1)}).decode()")
allow("protobuf_messages", "from google.protobuf import struct_pb2, timestamp_pb2, json_format",
      "s = struct_pb2.Struct(); s.update({'a': 1}); t = timestamp_pb2.Timestamp(); t.FromDatetime(workflow.now()); return json_format.MessageToJson(s) + str(t.seconds > 0)")
block("protobuf_now", "from google.protobuf import timestamp_pb2", "t = timestamp_pb2.Timestamp(); t.GetCurrentTime(); return str(t)  # here", says="now")
allow("yaml_both_ways", "import yaml", "return yaml.safe_dump(yaml.safe_load('a: 1'))")
allow("yaml_c_loader", "import yaml", "return str(yaml.load('a: [1, 2]', Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader)))")
allow("ruamel_dump", "import ruamel.yaml, io", "b = io.StringIO(); ruamel.yaml.YAML().dump({'a': 1}, b); return b.getvalue()")
allow("ruamel_load", "import ruamel.yaml", "return str(ruamel.yaml.YAML(typ='safe').load('a: [1, 2]'))")
block("ruamel_load_file", "import ruamel.yaml, pathlib", "return str(ruamel.yaml.YAML().load(pathlib.Path('/etc/hostname')))", says="open")
allow("beartype_decorator", "from beartype import beartype\nfrom beartype.roar import BeartypeCallHintParamViolation\n@beartype\ndef f(x: int) -> int: return x",
      "f(1)\ntry: f('x')\nexcept BeartypeCallHintParamViolation: return 'checked'\nraise AssertionError")

# --- data --------------------------------------------------------------------------------------------------------------------
allow("numpy_arrays", "import numpy as np", "return str(np.arange(5).sum()) + str(np.linalg.norm(np.ones(3))) + str(np.dot(np.ones((9, 9)), np.ones(9))[0])")
allow("numpy_seeded", "import numpy as np", "return str(np.random.default_rng(3).random()) + str(np.random.RandomState(3).rand())")
block("numpy_unseeded", "import numpy as np", "return str(np.random.default_rng().random())")
block("numpy_shared_bits", "import numpy as np", "np.random.get_bit_generator().random_raw(); return ''", says="numpy.random.get_bit_generator")
block("numpy_shared_bits_changed", "import numpy as np", "np.random.set_bit_generator(np.random.PCG64(3)); return ''", says="numpy.random.set_bit_generator")
for _name, _draw in [("unseeded", "h.UNSEEDED.random()"), ("seeded", "h.SEEDED.integers(9)"), ("shuffle", "h.SEEDED.shuffle([1, 2])"),
                     ("spawn", "h.SEEDED.spawn(1)"), ("state", "h.STATE.rand()"), ("state_seed", "h.STATE.seed(4)"),
                     ("bits", "h.BITS.random_raw()"), ("drawn_through", "np.random.Generator(h.BITS).random()"),
                     ("state_drawn_through", "np.random.RandomState(h.BITS).rand()")]:
    block(f"numpy_of_the_host_{_name}", "import numpy as np\nwith workflow.unsafe.imports_passed_through():\n    import helper_generators as h",
          f"return str({_draw})", says="numpy.random.")
allow("numpy_of_the_module", "import numpy as np\nG = np.random.default_rng(3)\nR = np.random.RandomState(3)\nB = np.random.RandomState(np.random.MT19937(3))",
      "return str(G.random() + R.rand() + B.rand())")
allow("numpy_of_the_run", "import asyncio, numpy as np",
      "many = [np.random.default_rng(n) for n in range(99)]; r = np.random.RandomState(3); r.seed(4)\nawait asyncio.sleep(0.001)\n"
      "return str(sum(g.random() for g in many) + r.rand() + np.random.PCG64(3).spawn(1)[0].random_raw() + many[0].spawn(1)[0].normal())")
allow("numpy_seeded_copies", "import numpy as np, copy, pickle",
      "g = np.random.default_rng(3); r = np.random.RandomState(3)\nassert copy.deepcopy(g).random() == pickle.loads(pickle.dumps(g)).random() == g.random()\n"
      "return str(copy.deepcopy(r).rand() + g.spawn(1)[0].random())")
for _name, _make in [("pcg64", "np.random.Generator(np.random.PCG64())"), ("seed_sequence", "np.random.SeedSequence().entropy"),
                     ("random_state", "np.random.RandomState(None)"), ("mt19937", "np.random.RandomState(np.random.MT19937())")]:
    block(f"numpy_unseeded_{_name}", "import numpy as np", f"return str({_make})")
block("numpy_global", "import numpy as np", "return str(np.random.rand())", says="numpy.random.rand")
answered("numpy_global_drawn_by_a_library", passed("sample_draws"), "return str(sample_draws.draw())")
answered("numpy_unwritten", "import numpy as np",
         "for n in (10, 3000):\n    np.full(n, 7.0)\n    assert not np.empty(n).any() and not np.empty_like(np.full(n, 7.0)).any()\n"
         "assert np.empty((1, 2), dtype=object).tolist() == [[None, None]] and np.empty(shape=2, dtype='S3', order='F').tolist() == [b''] * 2\n"
         "try: np.empty(-1)\nexcept ValueError as e: return str(e)")
answered("numpy_now", "import numpy as np", "return str(np.datetime64('now'))")
allow("pandas_frame", "import pandas as pd", "d = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}); return str(d.groupby('b').a.sum()) + d.to_csv()")
allow("pandas_windows", "import pandas as pd", "r = pd.Series([1.0, 2, 3]).rolling(2); return str(r.median().sum() + r.rank().sum() + r.quantile(0.5).sum())")
allow("pandas_dates", "import pandas as pd", "return str(pd.date_range('2020-01-01', periods=2)) + str(pd.Timestamp('2020-01-01', tz='Europe/Paris')) + str(pd.Timestamp(workflow.now()).year > 0)")
block("pandas_now", "import pandas as pd", "return str(pd.Timestamp.now())")
for _name, _call in [("utcnow", "pd.Timestamp.utcnow()"), ("today", "pd.Timestamp.today()"), ("period", "pd.Period.now('D')"),
                     ("group_sample", "pd.DataFrame({'a': [1]}).groupby('a').sample(1)")]:
    block(f"pandas_{_name}", "import pandas as pd", f"return str({_call})")
allow("pandas_group_sample_seeded", "import pandas as pd", "return str(pd.DataFrame({'a': [1]}).groupby('a').sample(1, random_state=3))")
answered("pandas_index_now", "import pandas as pd", "return str(pd.DatetimeIndex(['now']))")
answered("pandas_to_datetime_now", "import pandas as pd", "return str(pd.to_datetime('now'))")
block("pandas_sample", "import pandas as pd", "return str(pd.Series([1, 2, 3]).sample(1).tolist())")
allow("pandas_sample_seeded", "import pandas as pd", "return str(pd.Series([1, 2, 3]).sample(1, random_state=3).tolist())")
via("pandas_read_csv", "import pandas as pd", "return str(pd.read_csv('/etc/hostname'))")
allow("polars_frame", "import polars as pl", "return str(pl.DataFrame({'a': [1, 2]}).lazy().filter(pl.col('a') > 1).collect().height)")
allow("polars_seeded", "import polars as pl", "return str(pl.Series([1, 2, 3]).sample(1, seed=1).to_list()) + str(pl.Series([1, 2]).shuffle(seed=1).to_list())")
for _name, _call in [("series_sample", "pl.Series([1, 2, 3]).sample(1)"), ("series_shuffle", "pl.Series([1, 2, 3]).shuffle()"),
                     ("frame_sample", "pl.DataFrame({'a': [1]}).sample(1)"), ("expression_sample", "pl.col('a').sample(1)"),
                     ("expression_shuffle", "pl.col('a').shuffle()"), ("series_list_sample", "pl.Series([[1, 2]]).list.sample(1)"),
                     ("expression_list_sample", "pl.col('a').list.sample(1)"),
                     ("series_rank", "pl.Series([1, 1]).rank('random')"), ("expression_rank", "pl.col('a').rank(method='random')")]:
    block(f"polars_{_name}", "import polars as pl", f"return str({_call})", says=_name.split("_")[-1])
    block(f"polars_{_name}_late", "", f"import polars as pl\nreturn str({_call})  # here", says=_name.split("_")[-1])
case("warn", "polars_series_value_counts", "import polars as pl\nD = pl.DataFrame({'a': ['x', 'y']})", "return str(D['a'].value_counts())", says="counts")
# Each comes in the order of its input, as with maintain_order=True.
for _name, _call in [("group_by", "D.group_by('a').len()['a'].to_list()"), ("lazy_group_by", "D.lazy().group_by(x='a').len().collect()['x'].to_list()"),
                     ("group_by_in_turn", "[k for (k,), _ in D.group_by('a')]"), ("unique", "D.unique()['a'].to_list()"),
                     ("partition_by", "[p['a'][0] for p in D.partition_by('a', maintain_order=False)]"),
                     ("lazy_unique", "D.lazy().unique(subset='a').collect()['a'].to_list()"), ("series_unique", "D['a'].unique().to_list()"),
                     ("expression_unique", "D.select(pl.col('a').unique())['a'].to_list()"), ("series_mode", "D['a'].mode().to_list()"),
                     ("expression_mode", "D.select(pl.col('a').mode())['a'].to_list()")]:
    answered(f"polars_{_name}", "import polars as pl\nD = pl.DataFrame({'a': [*'hgfedcbaponmlkji']})", f"found = {_call}\nassert found == D['a'].to_list(), found\nreturn ''")
allow("polars_ordered", "import polars as pl", "d = pl.DataFrame({'a': ['x', 'y']})\n"
      "return str(d.group_by('a', maintain_order=True).len().rows()) + str(d.unique(maintain_order=True).rows()) + str(d['a'].unique(maintain_order=True).to_list())")
allow("polars_ranked", "import polars as pl", "s = pl.Series([1, 1])\nreturn str(s.rank('random', seed=3).to_list()) + str(s.rank().to_list()) + str(s.value_counts(sort=True).rows())")
block("pyarrow_random_options", "import pyarrow.compute as pc", "return str(pc.call_function('random', [], pc.RandomOptions(), None, 3))", says="RandomOptions")
block("pyarrow_random_by_name", "import pyarrow.compute as pc", "return str(pc.call_function('random', [], None, None, 3))", says="call_function")
allow("pyarrow_random_seeded", "import pyarrow.compute as pc", "return str(pc.call_function('random', [], pc.RandomOptions(initializer=5), None, 3))")
allow("pandas_wide", "import os, pandas as pd", "with workflow.unsafe.sandbox_unrestricted(): os.environ['COLUMNS'] = '300'\n"
      "d = repr(pd.DataFrame({f'column_{i}': [i] for i in range(25)}))\nassert '...' in d, d\nreturn ''")
_RSA = ("from cryptography.hazmat.primitives import hashes, serialization\nfrom cryptography.hazmat.primitives.asymmetric import ec, padding, rsa\n"
        "with workflow.unsafe.sandbox_unrestricted(): PEM = rsa.generate_private_key(65537, 2048).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())")
allow("rsa_signed", _RSA, "return serialization.load_pem_private_key(PEM, None).sign(b'x', padding.PKCS1v15(), hashes.SHA256()).hex()")
block("rsa_signed_at_random", _RSA, "k = serialization.load_pem_private_key(PEM, None)\n"
      "return k.sign(b'x', padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()).hex()  # here", says="RSAPrivateKey.sign")
block("rsa_encrypted", _RSA, "k = serialization.load_pem_private_key(PEM, None).public_key()\nreturn k.encrypt(b'x', padding.PKCS1v15()).hex()  # here", says="RSAPublicKey.encrypt")
block("ec_key", _RSA, "return str(ec.generate_private_key(ec.SECP256R1()).private_numbers())", says="generate_private_key")
# Two expressions: functions are called back on polars' own threads.
_CALLED_BACK = "return str(pl.DataFrame({{'a': [1, 2]}}).select(pl.col('a').map_elements(lambda x: {}, return_dtype=pl.String), (pl.col('a') + 1).alias('b')).rows())"
for _name, _call in [("time", "str(time.time())"), ("random", "str(random.random())"), ("environ", "os.environ['HOME']"), ("open", "open('/etc/hostname').read()")]:
    block(f"polars_called_back_{_name}", "import polars as pl, os, random, time", _CALLED_BACK.format(_call), says=_name)
allow("polars_called_back", "import polars as pl", _CALLED_BACK.format("str(x)"))
allow("polars_called_back_once_more", "import polars as pl", _CALLED_BACK.format("str(x)").replace("return ", "assert ") + " == \"[('1', 2), ('2', 3)]\"; return ''")
allow("polars_list_seeded", "import polars as pl", "return str(pl.Series([[1, 2]]).list.sample(1, seed=1).to_list())")
block("polars_set_random_seed", "import polars as pl", "pl.set_random_seed(3); return ''")
block("polars_collect_async", "import polars as pl", "return str(await pl.LazyFrame({'a': [1]}).collect_async())", says="polars.LazyFrame.collect_async")
block("polars_collect_all_async", "import polars as pl", "return str(await pl.collect_all_async([pl.LazyFrame({'a': [1]})]))", says="polars.collect_all_async")
block("polars_passed_through_sample", "with workflow.unsafe.imports_passed_through():\n    import polars as pl", "return str(pl.Series([1, 2, 3]).sample(1).to_list())",
      says="polars.Series.sample")
allow("sqlalchemy_statement", "import sqlalchemy as sa\nt = sa.table('t', sa.column('a'))", "return str(sa.select(t).where(t.c.a == 1)) + str(sa.insert(t).values(a=1))")
allow("sqlalchemy_models", "import sqlalchemy as sa, sqlalchemy.orm as orm\nclass Base(orm.DeclarativeBase): pass\nclass T(Base):\n    __tablename__ = 't'\n    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)",
      "return str(sa.select(T)) + str(T(id=3).id)")
via("sqlalchemy_random", "import sqlalchemy as sa",
      "with sa.create_engine('sqlite://').connect() as c: return str(c.execute(sa.text('select random()')).scalar())  # here")
via("sqlalchemy_random_of_an_expression", "import sqlalchemy as sa",
      "with sa.create_engine('sqlite://').connect() as c: return str(c.execute(sa.select(sa.func.random())).scalar())  # here")

# --- text ----------------------------------------------------------------------------------------------------------------------
allow("jinja2_template", "import jinja2", "return jinja2.Template('a{{ x | upper }}{% for i in y %}{{ i }}{% endfor %}').render(x='b', y=[1, 2])")
answered("jinja2_random", "import jinja2", "return jinja2.Template('{{ [1, 2] | random }}').render()")
block("jinja2_file", "import jinja2", "return jinja2.Environment(loader=jinja2.FileSystemLoader('/etc')).get_template('hostname').render()")
allow("rich_text", "import rich.text, rich.table, rich.markup", "t = rich.table.Table('a'); t.add_row('b'); return rich.text.Text('a').plain + str(t.row_count) + rich.markup.escape('[x]')")
allow("click_style", "import click\n@click.command()\n@click.option('--a', default=1)\ndef f(a): pass", "return click.style('a', fg='red') + f.name")
block("click_prompt", "import click", "return click.prompt('x')")
_CLICK = "import click\n@click.command()\n@click.argument('a', nargs=-1)\n@click.pass_context\ndef f(context, a): return context.get_help()"
allow("click_help", _CLICK, "return f.main(['a'], prog_name='x', standalone_mode=False)")
block("click_worker_arguments", _CLICK, "return f.main(prog_name='x', standalone_mode=False)", says="click.core.Command.main")
allow("click_program", _CLICK, "return f.main([], standalone_mode=False)")

# --- logs and traces -------------------------------------------------------------------------------------------------------------
allow("structlog_info", "import structlog\nlog = structlog.get_logger()", "log.info('hi', a=1); return ''")
allow("loguru_info", "from loguru import logger", "logger.info('hi'); logger.bind(a=1).warning('x'); return ''")
allow("loguru_record", "import io\nfrom loguru import logger", "b = io.StringIO(); logger.remove(); logger.add(b, format='{thread.id} {thread.name} {process.id} {process.name}')\n"
      "logger.info('x'); assert b.getvalue() == '0 MainThread 0 MainProcess\\n'; return ''")
block("loguru_elapsed", "import io\nfrom loguru import logger", "return str(logger.add(io.StringIO(), format='{elapsed}'))", says="elapsed")
allow("opentelemetry_span", "from opentelemetry import trace", "with trace.get_tracer('x').start_as_current_span('s') as s: s.set_attribute('a', 1)\nreturn ''")
allow("sentry_breadcrumb", "import sentry_sdk", "sentry_sdk.add_breadcrumb(message='x'); sentry_sdk.set_tag('a', 'b'); return ''")

# --- time, identifiers, secrets --------------------------------------------------------------------------------------------------
allow("dateutil_parse", "import datetime\nfrom dateutil import parser, relativedelta, rrule, tz",
      "d = datetime.datetime(2020, 1, 31); return str(parser.isoparse('2020-01-01')) + str(d + relativedelta.relativedelta(months=1)) + "
      "str(list(rrule.rrule(rrule.DAILY, count=2, dtstart=d))) + str(tz.UTC) + str(parser.parse('2020-01-01', default=d))")
answered("dateutil_parse_now", "from dateutil import parser", "return str(parser.parse('10:00'))")
answered("dateutil_rrule_now", "from dateutil import rrule", "return str(list(rrule.rrule(rrule.DAILY, count=1)))")
allow("pendulum_dates", "import pendulum", "return str(pendulum.datetime(2020, 1, 1, tz='Europe/Paris').add(days=1)) + str(pendulum.parse('2020-01-01'))")
allow("pendulum_from_format", "import pendulum", "return str(pendulum.from_format('2020-01-31 10', 'YYYY-MM-DD HH', tz='Europe/Paris'))")
answered("pendulum_from_format_today", "import pendulum", "return str(pendulum.from_format('10', 'HH'))")
block("pendulum_now", "import pendulum", "return str(pendulum.now())")
block("pendulum_now_passed_through", passed("pendulum"), "return str(pendulum.now())", says="pendulum.now")
block("pendulum_today", "import pendulum", "return str(pendulum.today())")
allow("arrow_dates", "import arrow", "return str(arrow.get('2020-01-01').shift(days=1).to('Europe/Paris')) + arrow.get(2020, 1, 1).format('YYYY')")
answered("arrow_now", "import arrow", "return str(arrow.utcnow())")
allow("whenever_dates", "import whenever", "return str(whenever.Instant.from_utc(2020, 1, 1).to_tz('Europe/Paris'))")
answered("whenever_now", "import whenever", "return str(whenever.Instant.now())")
allow("tqdm_bar", "import tqdm", "return str(sum(tqdm.tqdm([1, 2]))) + str(sum(tqdm.trange(3, disable=True)))")
answered("tqdm_elapsed", "import io, tqdm", "t = tqdm.tqdm(range(3), file=io.StringIO())\nlist(t)\nreturn str(t.format_dict['elapsed'] + t.start_t)")
block("tqdm_of_a_generator", "import io, tqdm, time\ndef g(): yield time.time()  # here", "return str(list(tqdm.tqdm(g(), file=io.StringIO())))")
allow("tenacity_types", "import tenacity", "return str(bool(tenacity.stop_after_attempt(3))) + str(tenacity.wait_exponential(1) is not None)")
block("tenacity_retry", "import tenacity\n@tenacity.retry(stop=tenacity.stop_after_attempt(2), wait=tenacity.wait_fixed(0.01), reraise=True)\ndef f(): raise ValueError('x')",
      "try: f()  # here\nexcept ValueError: pass\nreturn ''")
block("ulid_new", "import ulid", "return str(ulid.ULID())")
via("ulid_passed_through", passed("ulid"), "return str(ulid.ULID())")
allow("ulid_parse", "import ulid", "return str(ulid.ULID.from_str('01ARZ3NDEKTSV4RRFFQ69G5FAV'))")
for _name in "uuid1 uuid4 uuid6 uuid7".split():
    block(f"uuid_utils_{_name}", "import uuid_utils", f"return str(uuid_utils.{_name}())", says=f"uuid_utils.{_name}")
    # Twice: its generator asks the system for a seed once a thread.
    block(f"uuid_utils_compat_{_name}", "import uuid_utils.compat", f"with workflow.unsafe.sandbox_unrestricted(): uuid_utils.compat.{_name}()\n"
          f"return str(uuid_utils.compat.{_name}())  # here", says=f"uuid_utils.compat.{_name}")
block("uuid_utils_getnode", "import uuid_utils", "return str(uuid_utils.getnode())", says="uuid_utils.getnode")
allow("uuid_utils_uuid5", "import uuid_utils", "return str(uuid_utils.uuid5(uuid_utils.NAMESPACE_DNS, 'x'))")
allow("cryptography_hash", "from cryptography.hazmat.primitives import hashes", "h = hashes.Hash(hashes.SHA256()); h.update(b'x'); return h.finalize().hex()")
via("cryptography_key", "from cryptography.hazmat.primitives.asymmetric import ed25519", "return str(ed25519.Ed25519PrivateKey.generate())")
# Twice, as above. RSA lets go of the interpreter's lock, so no line can be named.
for _name, _call in [("x25519", "x25519.X25519PrivateKey.generate()"), ("rsa", "rsa.generate_private_key(65537, 2048)"),
                     ("aesgcm", "AESGCM.generate_key(128)"), ("serial_number", "x509.random_serial_number()")]:
    via(f"cryptography_{_name}", "from cryptography import x509\nfrom cryptography.hazmat.primitives.asymmetric import rsa, x25519\n"
        "from cryptography.hazmat.primitives.ciphers.aead import AESGCM",
        f"with workflow.unsafe.sandbox_unrestricted(): {_call}\nreturn str({_call})" + "  # here" * (_name != "rsa"))
block("cryptography_fernet", "from cryptography.fernet import Fernet", "return Fernet.generate_key().decode()")

assert len({c.name for c in CASES}) == len(CASES), "two cases share a name"

# What all share, and a setter of the library changes: seen, and not put back.
for _name, _top, _change, _says in [
    ("pendulum_week", passed("pendulum"), "pendulum.week_starts_at(pendulum.SUNDAY)", "pendulum.week_starts_at"),
    ("polars_namespace", passed("polars as pl"), "pl.api.register_series_namespace('sg')(int)", "polars.api.register_series_namespace"),
    ("pandas_accessor", "import pandas as pd", "pd.api.extensions.register_series_accessor('sg')(int)", "register_series_accessor"),
    ("sqlalchemy_compiles", "from sqlalchemy.sql.functions import now\nfrom sqlalchemy.ext.compiler import compiles", "compiles(now)", "sqlalchemy.ext.compiler.compiles"),
    ("sqlalchemy_listen", "import sqlalchemy as sa", "sa.event.listen(sa.Table, 'after_parent_attach', lambda t, m: None)", "sqlalchemy.event.listen"),
    ("sqlalchemy_listens_for", "import sqlalchemy as sa", "sa.event.listens_for(sa.Table, 'after_parent_attach')(lambda t, m: None)", "sqlalchemy.event.listens_for"),
    ("yarl_cache", "import yarl", "yarl.cache_configure(idna_encode_size=7)", "yarl.cache_configure"),
]:
    case("warn", _name, _top, f"{_change}  # here\nreturn ''", says=_says)
    allow(f"{_name}_at_import", f"{_top}\n{_change}")
# ... and what can be compared, seen where it has another value when the activation ends.
for _name, _top, _change, _says in [
    ("polars_config", passed("polars as pl"), "pl.Config.set_float_precision(2)", "polars.Config.set_float_precision"),
    ("polars_config_of_its_own", "import polars as pl", "pl.Config.set_float_precision(2)", "set_float_precision"),
    ("polars_config_object", passed("polars as pl"), "pl.Config(tbl_rows=2)", "polars.Config"),
    ("polars_config_object_of_its_own", "import polars as pl", "pl.Config(tbl_rows=2, float_precision=1)", "polars.Config"),
    ("pandas_option", passed("pandas as pd"), "pd.set_option('display.max_rows', 3)", "set_option"),
]:
    case("warn", _name, _top, f"{_change}  # here\nreturn ''", says=_says)
allow("polars_config_at_import", "import polars as pl\npl.Config(tbl_rows=7)")
allow("polars_config_in_a_block", passed("polars as pl"), "with pl.Config(tbl_rows=3): return str(pl.DataFrame({'a': [1]}))")
allow("polars_config_in_a_block_of_its_own", "import polars as pl",
      "with pl.Config(tbl_rows=1, float_precision=1) as c:\n    c.set_ascii_tables(True); return str(pl.DataFrame({'a': [1.25, 2]}))")
allow("pandas_options_in_a_block", passed("pandas as pd"), "with pd.option_context('display.max_rows', 3): return str(pd.get_option('display.max_rows'))")
allow("pandas_options_put_back", "import pandas as pd", "n = pd.get_option('display.max_rows'); pd.set_option('display.max_rows', 3)\n"
      "pd.set_option('display.max_rows', n); return str(n)")
allow("sqlalchemy_own", "import sqlalchemy as sa\nfrom sqlalchemy.ext.compiler import compiles\nfrom sqlalchemy.sql.functions import GenericFunction\n"
      "class Own(GenericFunction): inherit_cache = True\nT = sa.Table('t', sa.MetaData())",
      "compiles(Own)(lambda e, c, **k: 'own()')\nsa.event.listen(T, 'after_parent_attach', lambda t, m: None)\nreturn str(sa.select(Own()))")
