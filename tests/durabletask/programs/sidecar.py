"""What Dapr's sidecar does with workflows, as far as these tests need it: keeps histories, hands out work items."""
import queue
import threading
import time
from concurrent import futures

import dapr.ext.workflow._durabletask.internal.orchestrator_service_pb2_grpc as service
import dapr.ext.workflow._durabletask.internal.protos as pb
import grpc
from google.protobuf import empty_pb2, timestamp_pb2


def now():
    moment = timestamp_pb2.Timestamp()
    moment.GetCurrentTime()
    return moment


def event(number=-1, **kind):
    return pb.HistoryEvent(eventId=number, timestamp=now(), **kind)


class Instance:
    def __init__(self, name, started):
        self.name, self.past, self.handed_out, self.new = name, [], [], [started]
        self.busy, self.completed, self.ended = False, None, threading.Event()


class Sidecar(service.TaskHubSidecarServiceServicer):
    def __init__(self, port):
        self.work, self.instances, self.lock, self.stopping = queue.Queue(), {}, threading.RLock(), False
        self.server = grpc.server(futures.ThreadPoolExecutor(16))
        service.add_TaskHubSidecarServiceServicer_to_server(self, self.server)
        self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()

    def stop(self):
        self.stopping = True
        self.server.stop(0)

    def hand_out(self, identity):
        """The next work item, if the last one has been answered: the whole history, and what is new."""
        with self.lock:
            instance = self.instances[identity]
            if instance.busy or instance.completed or not instance.new:
                return
            instance.busy, instance.handed_out, instance.new = True, [event(workflowStarted=pb.WorkflowStartedEvent()), *instance.new], []
            self.work.put(pb.WorkItem(workflowRequest=pb.WorkflowRequest(
                instanceId=identity, pastEvents=instance.past, newEvents=instance.handed_out)))

    def add(self, identity, **kind):
        with self.lock:
            self.instances[identity].new.append(event(**kind))
        self.hand_out(identity)

    def carry_out(self, identity, instance, action):
        kind = action.WhichOneof("workflowActionType")
        if kind == "scheduleTask":
            task = action.scheduleTask
            instance.past.append(event(action.id, taskScheduled=pb.TaskScheduledEvent(name=task.name, input=task.input)))
            self.work.put(pb.WorkItem(activityRequest=pb.ActivityRequest(
                name=task.name, input=task.input, taskId=action.id, workflowInstance=pb.WorkflowInstance(instanceId=identity))))
        elif kind == "createTimer":
            at = action.createTimer.fireAt
            instance.past.append(event(action.id, timerCreated=pb.TimerCreatedEvent(fireAt=at)))
            fired = pb.TimerFiredEvent(fireAt=at, timerId=action.id)
            threading.Timer(max(0, at.seconds + at.nanos / 1e9 - time.time()), self.add, (identity,), {"timerFired": fired}).start()
        elif kind == "completeWorkflow":
            instance.completed = action.completeWorkflow
            instance.ended.set()

    # What the worker and the client call.

    def Hello(self, request, context):
        return empty_pb2.Empty()

    def StartInstance(self, request, context):
        started = event(executionStarted=pb.ExecutionStartedEvent(
            name=request.name, workflowInstance=pb.WorkflowInstance(instanceId=request.instanceId)))
        if request.HasField("input"):
            started.executionStarted.input.CopyFrom(request.input)
        with self.lock:
            self.instances[request.instanceId] = Instance(request.name, started)
        self.hand_out(request.instanceId)
        return pb.CreateInstanceResponse(instanceId=request.instanceId)

    def GetWorkItems(self, request, context):
        while not self.stopping and context.is_active():
            try:
                yield self.work.get(timeout=0.1)
            except queue.Empty:
                pass

    def CompleteOrchestratorTask(self, request, context):
        with self.lock:
            instance = self.instances[request.instanceId]
            instance.past += instance.handed_out
            for action in request.actions:
                self.carry_out(request.instanceId, instance, action)
            instance.busy = False
        self.hand_out(request.instanceId)
        return pb.CompleteTaskResponse()

    def CompleteActivityTask(self, request, context):
        if request.HasField("failureDetails"):
            failed = pb.TaskFailedEvent(taskScheduledId=request.taskId, failureDetails=request.failureDetails)
            self.add(request.instanceId, taskFailed=failed)
        else:
            self.add(request.instanceId, taskCompleted=pb.TaskCompletedEvent(taskScheduledId=request.taskId, result=request.result))
        return pb.CompleteTaskResponse()

    def WaitForInstanceCompletion(self, request, context):
        instance = self.instances[request.instanceId]
        instance.ended.wait(30)
        state = pb.WorkflowState(instanceId=request.instanceId, name=instance.name, createdTimestamp=now(),
                                 lastUpdatedTimestamp=now(), workflowStatus=pb.ORCHESTRATION_STATUS_RUNNING)
        if instance.completed:
            state.workflowStatus = instance.completed.workflowStatus
            state.output.CopyFrom(instance.completed.result)
            if instance.completed.HasField("failureDetails"):
                state.failureDetails.CopyFrom(instance.completed.failureDetails)
        return pb.GetInstanceResponse(exists=True, workflowState=state)
