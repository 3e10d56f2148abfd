"""What the host of Azure's functions does: it posts the whole history, carries out what the answer asks for, and posts it again."""
import datetime
import json
import time
from concurrent.futures import ThreadPoolExecutor

import azure.durable_functions as df

CALL, TIMER = 0, 5  # types of actions
ORCHESTRATOR_STARTED, EXECUTION_STARTED, SCHEDULED, COMPLETED, TIMER_CREATED, TIMER_FIRED, ORCHESTRATOR_COMPLETED = 12, 0, 4, 5, 10, 11, 13


def moment():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event(kind, **fields):
    return dict({"EventType": kind, "EventId": -1, "IsPlayed": False, "Timestamp": moment()}, **fields)


class Instance:
    def __init__(self, name, identity):
        self.history = [event(ORCHESTRATOR_STARTED), event(EXECUTION_STARTED, Name=name, Input=None, Version="")]
        self.identity, self.asked = identity, 0

    def body(self):
        return json.dumps({"instanceId": self.identity, "isReplaying": False, "parentInstanceId": None, "input": None,
                           "upperSchemaVersion": 0, "history": self.history})

    def carry_out(self, actions, activities):
        """Answers of what is asked for in this work item: events of the next one."""
        answers = []
        for number, action in enumerate(actions[self.asked:], self.asked):
            if action["actionType"] == CALL:
                result = activities[action["functionName"]](None, json.loads(action["input"]))
                self.history.append(event(SCHEDULED, EventId=number, Name=action["functionName"]))
                answers.append(event(COMPLETED, TaskScheduledId=number, Result=json.dumps(result)))
            else:
                self.history.append(event(TIMER_CREATED, EventId=number, FireAt=action["fireAt"]))
                answers.append(event(TIMER_FIRED, TimerId=number, FireAt=action["fireAt"]))
        self.asked = len(actions)
        time.sleep(0.01)  # what a timer waits for
        self.history += [event(ORCHESTRATOR_COMPLETED), event(ORCHESTRATOR_STARTED), *answers]


def run(handle, name, identity, activities, pool):
    instance = Instance(name, identity)
    while True:
        try:
            answer = json.loads(pool.submit(handle, instance.body()).result())
        except Exception as e:
            told = str(e).partition("\n\n$OutOfProcData$")[0]
            return {"status": "FAILED", "output": None, "error": f"{type(e.__cause__ or e).__name__}: {told}"}
        if answer["isDone"]:
            return {"status": "COMPLETED", "output": answer.get("output"), "error": None}
        instance.carry_out([a for some in answer["actions"] for a in some], activities)


def play(orchestrators, activities, wanted, tell=lambda results: None):
    handles = {name: df.Orchestrator.create(f) for name, f in orchestrators.items()}
    with ThreadPoolExecutor(4) as pool, ThreadPoolExecutor(8) as instances:
        results = {identity: instances.submit(run, handles[name], name, identity, activities, pool) for name, identity in wanted}
        results = {identity: result.result() for identity, result in results.items()}
        tell(results)
        return results
