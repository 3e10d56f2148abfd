"""Many activations, between which the host reads the environment. Prints the version that os.environ's class has then."""
import asyncio
import ctypes
import json
import os

import iterators

TAG = 384  # of tp_version_tag in a PyTypeObject of 3.13 to 3.15


def version(class_):
    class_.get  # a look-up gives a class a version, if there is one left for it
    return ctypes.c_uint.from_address(id(class_) + TAG).value


class Known:
    get = 1


async def main():
    first = version(Known)
    Known.get = 2
    assert first and ctypes.c_uint.from_address(id(Known) + TAG).value == 0 and version(Known) != first
    with iterators.concurrent.futures.ThreadPoolExecutor(1) as pool:
        run = iterators.Run(0, pool)
        for _ in range(1500):
            run.signal("nothing")
            os.environ.get("HOME")
    print(json.dumps(version(type(os.environ))), flush=True)
    os._exit(0)


asyncio.run(main())
