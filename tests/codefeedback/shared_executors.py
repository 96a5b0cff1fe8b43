"""Sandboxes that several tests use, since starting one takes longer than most of what is run in it."""

import atexit
from functools import cache

from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings, Executor


@cache
def shared_executor(settings: ExecutionSettings) -> Executor:
    executor = Executor(settings)
    atexit.register(executor.close)
    return executor
