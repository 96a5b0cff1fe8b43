"""Starts the Python kernel inside the sandbox; run as a script, isolated (``-I``), by whichever Python is asked for.

    python -I kernel_main.py CONNECTION_FILE PIPES_FOLDER WORKSPACE [PACKAGES]

It is ``ipykernel`` with three changes. What code writes to stdout and stderr goes straight to pipes of its own run,
so that nothing is lost when the process dies, nothing piles up when the reader is slow, and what a thread or child of
an earlier run writes late cannot be taken for output of the present one. What a code interpreter has no use for is
left out, because it costs time at every start: history, completion, debugger, heartbeat. Tracebacks are Python's own.

Nothing here may come from this project or from outside the standard library and ipykernel: only this file and the one
that it imports are inside.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls, allow-any-generics, allow-subclassing-any
# ruff: noqa: PTH100, PTH103, PTH118, PTH120

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import traceback
import warnings
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
sys.path.insert(0, _HERE)
import run_output  # type: ignore[import-not-found]  # noqa: E402

sys.path.remove(_HERE)

# Cells are called "<cell 3>"; whoever reads a traceback finds the user's own frames by this.
CELL = "<cell "
_LARGEST_OUTPUT = 16 << 20
_LONGEST_ERROR = 1 << 18
_NO_INPUT = "input() cannot be answered here: nobody is at the keyboard while code runs; put the value into the code"


class Publisher:
    """The socket for outputs, in place of ipykernel's thread for it: sends at once, from whichever thread."""

    def __init__(self, socket) -> None:
        self._socket = socket
        self._lock = threading.RLock()

    def send_multipart(self, parts, *_, **__) -> None:
        size = sum(map(len, parts))
        if size > _LARGEST_OUTPUT:
            raise ValueError(f"this output of {size / 1e6:.0f} MB is too large to be shown; write it to a file")
        # An interrupt between two parts would make one message of this and the next.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with self._lock:
                self._socket.send_multipart(parts)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)

    def stop(self) -> None:
        """There is no thread to stop."""

    def close(self) -> None:
        self._socket.close()


class _NoThread:
    """Stands where ipykernel has the thread that reads requests."""

    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class _TableWidth:
    """Sets, when pandas is first imported, widths that suit text rather than a terminal."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "pandas":
            return None
        sys.meta_path.remove(cls)
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module) -> None:
            execute(module)
            module.set_option("display.width", 160, "display.max_columns", 30)

        loader.exec_module = exec_module
        return spec


class _Tools:
    """Finds ``tools``, the way out to the program outside, where there is one."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):  # noqa: ARG003
        if name != "tools":
            return None
        return spec_from_file_location(name, _HERE + "call_tools.py", submodule_search_locations=[])


def plain_traceback(kind, error, trace) -> str:
    """Return what Python itself would print, without the frames of the kernel below the cell's."""
    whole = traceback.TracebackException(kind, error, trace, compact=True)
    queue: list[traceback.TracebackException | None] = [whole]
    seen = set()
    while queue:
        part = queue.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        stack = [frame for frame in part.stack if not frame.filename.startswith(_HERE)]
        first = next((at for at, frame in enumerate(stack) if frame.filename.startswith(CELL)), None)
        if first is not None:
            part.stack[:] = stack[first:]
        elif isinstance(error, SyntaxError):
            part.stack[:] = []  # the cell was not even begun: these are the frames of who read it
        queue += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]
    return "".join(whole.format())


def _brief(text: str) -> str:
    if len(text) <= _LONGEST_ERROR:
        return text
    half = _LONGEST_ERROR // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"


class _Brief:
    """An exception as far as its text goes, which may be too long to be sent."""

    def __init__(self, error) -> None:
        self._error = error

    def __str__(self) -> str:
        try:
            return _brief(str(self._error))
        except Exception:
            return f"<{type(self._error).__name__} whose text cannot be had>"


def _failure(error: BaseException) -> dict[str, Any]:
    """Return the reply to a request over which the kernel itself failed."""
    trace = plain_traceback(type(error), error, error.__traceback__)
    return {
        "status": "error",
        "ename": type(error).__name__,
        "evalue": str(_Brief(error)),
        "traceback": [_brief(trace)],
        "execution_count": 0,
        "user_expressions": {},
        "payload": [],
    }


@contextlib.contextmanager
def cancel_on_sigint(_kernel, future):
    """Let an interrupt end a cell that awaits, which ipykernel's own way leaves asleep in its event loop."""
    loop = asyncio.get_running_loop()

    def interrupt(_signal, frame) -> None:
        while frame is not None:
            if frame.f_code.co_filename.startswith(CELL):
                raise KeyboardInterrupt
            frame = frame.f_back
        loop.call_soon_threadsafe(future.cancel)

    held = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, held)


# The classes are made in functions, because what they are made from may be imported only after ``main`` has begun.


def shell_class():
    """Return the class of the shell, in which cells run."""
    from ipykernel.zmqshell import ZMQInteractiveShell

    class Shell(ZMQInteractiveShell):
        def init_environment(self):
            """Children know that nobody sees colours."""
            os.environ.update(TERM="dumb", PAGER="cat", GIT_PAGER="cat", NO_COLOR="1")

        # Output of children comes by their file descriptors; a pseudo-terminal would change it.
        system = ZMQInteractiveShell.system_raw

        def ask_exit(self):
            raise SystemExit(0)  # ends the cell, not the session

        def showtraceback(self, exc_tuple=None, *args, **kwargs):
            try:
                kind, error, trace = self._get_exc_info(exc_tuple)
                text = plain_traceback(kind, error, trace)
            except Exception:  # one whose own parts fail; the other form has its safeguards
                super().showtraceback(exc_tuple, *args, **kwargs)
            else:
                self._showtraceback(kind, error, [text])

        def _showtraceback(self, etype, evalue, stb):
            super()._showtraceback(etype, _Brief(evalue), [_brief("\n".join(stb))])

        def showsyntaxerror(self, *_, **__):
            self.showtraceback()

    return Shell


def kernel_class_for(pipes: str):
    """Return the class of the kernel, which answers requests.

    Args:
        pipes: the folder of the pipes that take the output.
    """
    from ipykernel.compiler import XCachingCompiler
    from ipykernel.ipkernel import IPythonKernel

    class Compiler(XCachingCompiler):
        def get_code_name(self, raw_code, code, number):  # noqa: ARG002
            return f"{CELL}{number}>"

    streams = run_output.Stream("stdout"), run_output.Stream("stderr")

    class Kernel(IPythonKernel):
        compiler_class = Compiler
        # Requests are read in the main thread: one that only hands them over costs each run two changes of threads.
        _supports_kernel_subshells = False

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.shell_channel_thread = _NoThread()
            self._execute_sleep = 0  # half a millisecond, meant for output on other threads

        async def do_execute(self, *args, **kwargs):
            pid = os.getpid()
            run, token = run_output.begin(pipes, self.get_parent("shell")["header"]["msg_id"])
            try:
                run.attach()
                # What an earlier run has put in their place would swallow the output of all the others.
                sys.stdout, sys.stderr = streams
                reply = await super().do_execute(*args, **kwargs)
                if "evalue" in reply:
                    reply["evalue"] = _brief(reply["evalue"])
                return reply
            except (Exception, KeyboardInterrupt) as error:  # of the kernel itself, which the code may have damaged
                reply = _failure(error)
                if not isinstance(error, KeyboardInterrupt) and not self._works():
                    run.write("stderr", "The kernel itself fails:\n" + reply["traceback"][0])
                    run.flush("stderr")
                    os._exit(70)  # a new one is better than one in which nothing runs any more
                return reply
            finally:
                run_output.end(run, token)
                if os.getpid() != pid:
                    os._exit(0)  # a child that the cell forked and did not end must not become a second kernel

        def _works(self) -> bool:
            shell: Any = self.shell
            try:
                return bool(shell.run_cell("pass", silent=True).success)
            except Exception:
                return False

        _cancel_on_sigint = cancel_on_sigint

        def raw_input(self, *_, **__):
            raise EOFError(_NO_INPUT)

        def getpass(self, *_, **__):
            raise EOFError(_NO_INPUT.replace("input()", "getpass()"))

    Kernel.shell_class = shell_class()
    return Kernel


def app_class_for(pipes: str):
    """Return the class of the application, which binds the sockets."""
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class App(IPKernelApp):
        kernel_class = kernel_class_for(pipes)
        outstream_class = None  # type: ignore[assignment]

        def _bind_socket(self, s, port):
            s.sndhwm = s.rcvhwm = 0  # a full queue would drop messages, the last one of a run among them
            return super()._bind_socket(s, port)

        def init_control(self, context):
            super().init_control(context)
            self.shell_channel_thread = None

        def init_iopub(self, context):
            socket = context.socket(zmq.PUB)
            socket.linger = 1000
            self.iopub_port = self._bind_socket(socket, self.iopub_port)
            self.iopub_thread = self.iopub_socket = Publisher(socket)

        def init_heartbeat(self):
            """Whether the process lives is seen from outside."""

        def write_connection_file(self, **kwargs):
            """It is given."""

    return App


def main() -> None:
    # Whoever began this may have blocked it, as the workers of clusters do, and what is blocked is handed on.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    connection, pipes, workspace, *packages = sys.argv[1:]
    home = os.environ["HOME"]
    os.environ.setdefault("IPYTHONDIR", os.path.join(home, "ipython"))
    os.environ.setdefault("MPLCONFIGDIR", os.path.join(home, "matplotlib"))
    os.makedirs(os.environ["MPLCONFIGDIR"], exist_ok=True)
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # its import takes longer than all the rest
    app = app_class_for(pipes).instance()
    app.config.HistoryManager.enabled = False
    app.config.Completer.use_jedi = False
    app.initialize(["-f", connection])
    app.log.setLevel(50)  # what it has to say would be taken for output of the code
    warnings.filterwarnings("ignore", "To exit: use")
    del sys.modules["debugpy"]

    run_output.begin(pipes, "start")
    run_output.keep_runs_apart()
    sys.meta_path.insert(0, _TableWidth)
    if "call_tools.py" in os.listdir(_HERE):  # noqa: PTH208
        sys.meta_path.insert(0, _Tools)
    # At the end, so that a file of the user can be imported and none can stand in for a library.
    sys.path[:] = [*sys.path, *packages, workspace]
    sys.argv[:] = [""]
    os.chdir(workspace)
    app.start()


if __name__ == "__main__":
    main()
