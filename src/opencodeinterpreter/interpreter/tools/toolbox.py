"""The tools of one interpreter: what code in the jail asks for is checked, put to the person, carried out and told."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from opencodeinterpreter.errors import ConfigError, InputError
from opencodeinterpreter.interpreter.events import Decided, Event, ToolCalled, ToolRequest, ToolStatus
from opencodeinterpreter.interpreter.feedback import shorten
from opencodeinterpreter.interpreter.tools.checking import problem
from opencodeinterpreter.interpreter.tools.offered import Offer, Tool, offers_of, prompt
from opencodeinterpreter.interpreter.tools.results import failure_of, value_of
from opencodeinterpreter.interpreter.tools.servers import Servers, ToolFailedError
from opencodeinterpreter.interpreter.tools.settings import ToolServer
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.calls import refusal

CALLS_A_RUN = 1000
_SHOWN_CHARACTERS = 4000
"""Of the arguments, for the person who is asked and in the log."""
_CLOSED = "Tools can be called only while the code that was run is running."
_REPLAYED = "This is a replay of earlier code, and tools are not called again by a replay."
_TICK_SECONDS = 0.1


class _Run:
    """One execution, as far as its calls go."""

    def __init__(self, number: int, emit: Callable[[Event], None], stopped: threading.Event, replay: bool) -> None:
        self.number = number
        self.emit = emit
        self.stopped = stopped
        self.replay = replay
        self.over = threading.Event()
        self.calls = 0
        self.rejected: dict[tuple[str, str], str] = {}
        """Why the person rejected a tool; code that asks on and on does not get to ask them again."""

    @property
    def ended(self) -> bool:
        return self.over.is_set() or self.stopped.is_set()


class Toolbox:
    """Tools for one interpreter, which closes it. ``answer`` is for the sandbox, from any thread.

    Args:
        servers: the MCP servers, which begin to start at once.
        notes: what the person is to be told with the first turn, such as tools that cannot be used here.
        asks: whether there is a person to ask; without one, a tool that is not allowed beforehand is refused.
    """

    def __init__(self, servers: Sequence[ToolServer], notes: Sequence[str] = (), asks: bool = True) -> None:
        self._asks = asks
        self._settings = {server.name: server for server in servers}
        self._servers = Servers(servers)
        self._offers: tuple[Offer, ...] | None = None
        self._notes = list(notes)
        self._allowed: set[tuple[str, str]] = set()
        self._run: _Run | None = None
        self._busy = 0
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self._loading = threading.Lock()
        self._sandbox: AnySandbox | None = None

    @property
    def usable(self) -> bool:
        """Whether there are servers at all."""
        return bool(self._settings)

    def attach(self, sandbox: AnySandbox) -> None:
        """Let code in a sandbox call the tools; best before its kernel starts.

        Raises:
            ConfigError: nothing inside can reach this program; the servers are ended.
        """
        if not self.usable:
            return
        try:
            take = getattr(sandbox, "take_calls", None)
            if take is None:
                raise ConfigError("Tools cannot be called by code in this kind of sandbox.")
            take(self.answer)
        except ConfigError:
            self.close()
            raise

    def notes(self) -> list[str]:
        """Wait for the servers; return what the person is to be told, once."""
        self._loaded()
        notes, self._notes = self._notes, []
        return notes

    def prompt(self) -> str:
        """Wait for the servers; return what the model is told of their tools."""
        return prompt(self._loaded())

    def _loaded(self) -> tuple[Offer, ...]:
        with self._loading:
            if self._offers is None:
                tools, wrong = self._servers.listed()
                self._notes += wrong
                self._offers = offers_of(tools)
            return self._offers

    @contextlib.contextmanager
    def run(
        self, sandbox: AnySandbox, number: int, emit: Callable[[Event], None], stopped: threading.Event, replay: bool
    ) -> Iterator[None]:
        """Take calls while the block runs; at its end those under way are given up.

        Args:
            sandbox: takes the files that tools give.
            number: of the round.
            emit: takes the events, in any thread.
            stopped: gives up the calls, too.
            replay: answer each call with the reason why it is not made.
        """
        run = _Run(number, emit, stopped, replay)
        with self._changed:
            self._run, self._sandbox = run, sandbox
        try:
            yield
        finally:
            run.over.set()
            with self._changed:
                self._run = None
                self._changed.wait_for(lambda: self._busy == 0)

    def answer(self, request: dict[str, Any], gone: Callable[[], bool]) -> dict[str, Any]:
        """Answer what code asks; nothing in it is taken for granted."""
        if request.get("do") == "list":
            return {"ok": True, "value": [offer.told() for offer in self._loaded()]}
        if request.get("do") != "call":
            return refusal("There is no such request.")
        with self._changed:
            run = self._run
            if run is None:
                return refusal(_CLOSED)
            run.calls += 1
            if run.calls > CALLS_A_RUN:
                return refusal(f"One run may call tools {CALLS_A_RUN:,} times, and this one has.")
            self._busy += 1
        try:
            return self._call(run, request, lambda: run.ended or gone())
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """End the servers; safe to call twice."""
        self._servers.close()

    def _call(self, run: _Run, request: dict[str, Any], gone: Callable[[], bool]) -> dict[str, Any]:
        found = self._found(request.get("server"), request.get("tool"))
        if found is None:
            return refusal("There is no such tool.")
        offer, tool = found
        if run.replay:
            return refusal(_REPLAYED)
        arguments = request.get("arguments")
        wrong = problem(arguments, tool.schema)
        if wrong:
            return refusal(f"{offer.name}.{tool.name} cannot be called like this: {wrong}")
        assert isinstance(arguments, dict)
        shown = _storable(json.dumps(arguments, ensure_ascii=False))
        began = time.monotonic()

        def told(status: ToolStatus, reply: dict[str, Any]) -> dict[str, Any]:
            sizes = len(shown.encode()), len(json.dumps(reply["value"]).encode()) if reply["ok"] else 0
            seconds = round(time.monotonic() - began, 3)
            note = "" if reply["ok"] else _storable(str(reply["error"])[:500])
            run.emit(ToolCalled(run.number, offer.server, tool.wire, status, *sizes, seconds, note))
            return reply

        reason = self._rejected(run, offer, tool, shorten(shown, _SHOWN_CHARACTERS), gone)
        if reason is not None:
            return told("failed" if gone() else "rejected", refusal(reason))
        began = time.monotonic()
        assert self._sandbox is not None
        try:
            result = self._servers.call(offer.server, tool.wire, arguments, gone)
            if result.is_error:
                return told("failed", refusal(f"{offer.name}.{tool.name}: {failure_of(result)}"))
            value = value_of(result, tool, self._sandbox)
        except (ToolFailedError, InputError) as error:
            return told("failed", refusal(str(error)))
        except OSError as error:  # a full disk, most likely
            return told("failed", refusal(f"a file that the tool gave cannot be kept: {error.strerror}"))
        return told("ok", {"ok": True, "value": value})

    def _found(self, server: Any, name: Any) -> tuple[Offer, Tool] | None:
        for offer in self._loaded():
            if offer.name == server:
                return next(((offer, tool) for tool in offer.tools if tool.wire == name), None)
        return None

    def _rejected(self, run: _Run, offer: Offer, tool: Tool, arguments: str, gone: Callable[[], bool]) -> str | None:
        """Ask the person where that is due; return why the tool must not be called, None if it may."""
        key = (offer.server, tool.wire)
        if self._settings[offer.server].allows(tool.wire):
            return None
        if not self._asks:
            return f"{offer.name}.{tool.name} is not among the tools that may be used here without asking."
        # One question at a time; the next to ask finds it answered.
        while not self._asking.acquire(timeout=_TICK_SECONDS):
            if gone():
                return "The code ended before a person could be asked."
        try:
            if key in self._allowed:
                return None
            if key in run.rejected:
                return run.rejected[key]
            request = ToolRequest(run.number, offer.server, tool.wire, arguments, tool.about[:300])
            run.emit(request)
            assert self._sandbox is not None
            with self._sandbox.not_counting():
                while (decision := request.wait(_TICK_SECONDS)) is None:
                    if gone():
                        request.reject()
                        return "The code ended before a person had decided."
            verb, text = decision
            run.emit(Decided(run.number, verb, "" if verb == "approve" else text))
            if verb == "approve":
                self._allowed.add(key)
                return None
            about = f": {text.strip()}" if text.strip() else "."
            run.rejected[key] = f"The user does not let {offer.name}.{tool.name} be used{about}"
            return run.rejected[key]
        finally:
            self._asking.release()


def _storable(text: str) -> str:
    """Return text that has a form in UTF-8, which halves of characters, as JSON can hold, have not."""
    return text.encode("utf-8", "backslashreplace").decode()
