"""Runs code in a sandbox and yields its output while it runs."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator

from opencodeinterpreter.interpreter.events import Event, OutputDelta
from opencodeinterpreter.interpreter.tools.toolbox import Toolbox
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.base import ExecutionResult
from opencodeinterpreter.sandbox.base import OutputDelta as SandboxOutput

_STOP_CHECK_SECONDS = 0.2


def execute(
    sandbox: AnySandbox,
    code: str,
    stopped: threading.Event,
    tools: Toolbox | None = None,
    number: int = 0,
    replay: bool = False,
) -> Generator[Event, None, ExecutionResult]:
    """Yield what ``code`` puts out, as it does, and its calls of tools; return its result.

    Setting ``stopped`` stops the code, and so does a consumer that stops listening.

    Args:
        tools: carries out the calls.
        number: of the round, for the events of calls.
        replay: the code ran before, and its calls of tools are not made again.

    Raises:
        SandboxError: if the sandbox itself failed.
    """
    happened: queue.Queue[SandboxOutput | Event | ExecutionResult | BaseException] = queue.Queue()

    def run() -> None:
        try:
            calls = tools.run(sandbox, number, happened.put, stopped, replay) if tools else contextlib.nullcontext()
            with calls:
                result = sandbox.run(code, on_output=happened.put)
            happened.put(result)
        except BaseException as error:  # handed over to the thread that waits, whatever it is
            happened.put(error)

    thread = threading.Thread(target=run, name="execution", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = happened.get(timeout=_STOP_CHECK_SECONDS)
            except queue.Empty:
                # Asked again each time: an interrupt that comes before the code has begun finds nothing to end.
                if stopped.is_set():
                    sandbox.interrupt()
                continue
            if isinstance(item, ExecutionResult):
                return item
            if isinstance(item, BaseException):
                raise item
            yield item if isinstance(item, Event) else OutputDelta(item)
    except GeneratorExit:
        while thread.is_alive():
            sandbox.interrupt()
            thread.join(_STOP_CHECK_SECONDS)
        raise
    finally:
        thread.join()
