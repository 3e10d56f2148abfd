"""Snippets that ask for local time, for test_zone.py. Each returns what it was told."""
from types import SimpleNamespace

CASES = []


def case(name, top, body):
    CASES.append(SimpleNamespace(name=name, top=top, body=body))


case("z_localtime", "import time", "t = time.localtime(1720000000)\nreturn f'{t.tm_hour} {t.tm_zone} {t.tm_gmtoff} {t.tm_isdst}'")
case("z_ctime", "import time", "return time.ctime(0)")
case("z_mktime", "import time", "return str(time.mktime(time.strptime('2026-03-01', '%Y-%m-%d')))")
case("z_strftime_seconds", "from datetime import datetime", "return datetime(2026, 3, 1).strftime('%Y %s')")
case("z_strftime_name", "import time", "return time.strftime('%H %Z', (2026, 7, 1, 12, 0, 0, 2, 182, 1))")
case("z_fromtimestamp", "from datetime import datetime", "return datetime.fromtimestamp(1720000000).isoformat()")
case("z_date", "from datetime import date", "return date.fromtimestamp(1767220200).isoformat()")
case("z_timestamp", "from datetime import datetime", "return str(datetime(2026, 3, 1, 9).timestamp())")
case("z_fold", "from datetime import datetime", "return str([datetime(2024, 10, 27, 2, 30, fold=f).timestamp() for f in (0, 1)])")
case("z_astimezone", "from datetime import datetime, timezone",
     "return datetime(2026, 7, 1, tzinfo=timezone.utc).astimezone().isoformat() + datetime(2026, 7, 1).astimezone().tzname()")
case("z_constants", "import time", "return str((time.timezone, time.altzone, time.daylight, time.tzname))")
case("z_constants_imported", "from time import timezone, tzname", "return str((timezone, tzname))")
case("z_module_level", "from datetime import datetime\nBORN = datetime.fromtimestamp(1720000000)", "return BORN.isoformat()")
case("z_email", "from email.utils import formatdate", "return formatdate(0, localtime=True)")
case("z_xmlrpc", "import xmlrpc.client", "return str(xmlrpc.client.DateTime(86400.0))")
case("z_dateutil", "import datetime\nfrom dateutil import tz",
     "return str([datetime.datetime(2024, m, 1, tzinfo=tz.tzlocal()).utcoffset() for m in (1, 7)])")
case("z_now", "from datetime import datetime\nimport time",  # in mode answer
     "n = workflow.now()\nreturn f'{abs((datetime.now() - n.replace(tzinfo=None)).total_seconds()) / 3600:.2f} {time.strftime(\"%Z\")}'")
case("z_far", "import time", "return str([time.localtime(t)[:5] for t in (-9_000_000_000, 90_000_000_000)])")
case("z_too_far", "import time", "try:\n    return str(time.localtime(2**62))\nexcept (OverflowError, OSError) as e:\n    return type(e).__name__")
case("z_aware", "from datetime import datetime, timezone",
     "d = datetime.fromtimestamp(1720000000, tz=timezone.utc)\nreturn f'{d.isoformat()} {d.timestamp()} {datetime.fromtimestamp(0, timezone.utc)}'")
