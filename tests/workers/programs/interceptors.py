"""Interceptors belong to the worker: what they do is the engine's business."""
import os
import time
import uuid

from temporalio.worker import Interceptor, WorkflowInboundInterceptor

TIMES = []


class TimingInbound(WorkflowInboundInterceptor):
    async def execute_workflow(self, input):
        TIMES.append((time.time(), time.perf_counter(), uuid.uuid4(), os.environ.get("HOME")))
        try:
            return await super().execute_workflow(input)
        finally:
            TIMES.append((time.time(), time.perf_counter(), uuid.uuid4(), os.environ.get("HOME")))

    async def handle_query(self, input):
        time.time()
        return await super().handle_query(input)

    async def handle_signal(self, input):
        time.time()
        await super().handle_signal(input)


class Timing(Interceptor):
    def workflow_interceptor_class(self, input):
        return TimingInbound
