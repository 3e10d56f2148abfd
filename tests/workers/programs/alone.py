"""Two runs of a workflow file take turns on two threads, without a server; then the host does the same, alone, in its own copy of the
module. Prints what each saw: [[before, after, after the other's turn, after a second change], the same of the other, of the host]."""
import asyncio
import concurrent.futures
import json
import os
import threading

import flow_of_test
import iterators


class Run(iterators.Run):
    def on(self, pool, name):
        self.pool = pool
        self.signal(name)


def alone():
    out = [flow_of_test.look()]
    flow_of_test.change("one")
    out += [flow_of_test.look()] * 2
    flow_of_test.change("two")
    seen.append(out + [flow_of_test.look()])


seen = []


async def main():
    first, second = (concurrent.futures.ThreadPoolExecutor(1) for _ in range(2))
    runs = [Run(number, first) for number in range(2)]
    for run in runs:
        run.on(first, "begin")
    for run in runs:
        run.on(second, "go_on")
    seen.extend(run.see() for run in runs)
    thread = threading.Thread(target=alone)
    thread.start()
    thread.join()
    print(json.dumps(seen), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
