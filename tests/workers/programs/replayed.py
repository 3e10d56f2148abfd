"""A worker for tests that need no server: it replays the demo's histories, as often as its first argument says."""
import asyncio
import sys
import time
from pathlib import Path

DEMO = Path("tests/demo") if Path("tests/demo").exists() else Path(__file__).resolve().parents[2] / "demo"
sys.path.insert(0, str(DEMO))

import orders  # noqa: E402
from temporalio.client import WorkflowHistory  # noqa: E402
from temporalio.worker import Replayer  # noqa: E402


async def main(times):
    replayer = Replayer(workflows=[orders.OrderWorkflow])
    for _ in range(times):
        for path in sorted((DEMO / "histories").glob("*.json")):
            await replayer.replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()), raise_on_replay_failure=False)


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
time.sleep(0.5)  # see the end of main_worker.py
