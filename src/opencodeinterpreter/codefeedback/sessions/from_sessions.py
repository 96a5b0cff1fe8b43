"""The stage ``from-sessions``: a person's own sessions as dialogs, with what they approved, edited and rejected.

Only ever done when the person asks for it. Every text is scrubbed before anything is written, the reasons for drops
hold no text of a session, and the name of a session, which tells when it was, becomes a hash.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.codefeedback.files.jsonl import Record
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, MapStage, Outcome, Process, Row
from opencodeinterpreter.codefeedback.sessions.scrubbing import Scrubber
from opencodeinterpreter.codefeedback.verification.executions import Execution, feedback_text, of_cell
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.interpreter.feedback import comment_feedback
from opencodeinterpreter.interpreter.recording import result_from_json
from opencodeinterpreter.interpreter.session_log import read_events

VERSION: Final = 3
"""Of the form that sessions are given; a change of it is a new version."""


@dataclass(frozen=True)
class SessionSettings:
    """What becomes of sessions."""

    licence: str = "private"
    """what the card says of these dialogs; they are the person's own"""
    names: tuple[str, ...] = field(default_factory=lambda: (Path.home().name,))
    """user names to be taken out of paths, beside those of home folders"""
    known: tuple[tuple[str, str], ...] = ()
    """texts that must not stay, each with its kind, such as the keys in the configuration"""

    def to_json(self) -> dict[str, Any]:
        """Return what decides the result; the names themselves do not belong beside the data."""
        return {"licence": self.licence, "names": len(self.names), "known": len(self.known), "version": VERSION}


class FromSessions:
    """The stage itself: a ``MapStage`` of sessions, each one row as ``session_records`` gives it."""

    name = "from-sessions"

    def __init__(self, settings: SessionSettings | None = None) -> None:
        self._settings = settings or SessionSettings()

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings.to_json()

    @contextmanager
    def prepare(self) -> Iterator[Process]:
        """Nothing has to be opened."""
        yield self.convert

    def stop(self) -> None:
        """Nothing takes long."""

    def convert(self, row: Row) -> Outcome:
        """Return one session as a dialog."""
        scrubber = Scrubber(self._settings.names, dict(self._settings.known))
        telling = _Telling(scrubber)
        for event in row["events"]:
            telling.take(event)
            if event.get("type") == "forked" and row.get("original is there"):
                telling.learn_no_more_from_it()
        messages = telling.messages()
        notes = {"human feedback": dict(telling.counts), "scrubbed": dict(scrubber.counts)}
        if not messages:
            return Outcome(drops=(Drop("nothing to learn from", row={"id": row["id"]}),), notes=notes)
        meta = {
            "method": "session",
            "sources": ["session"],
            "licence": self._settings.licence,
            "language": "python",
            "models": {"assistant": telling.model} if telling.model else {},
            "scrubbed": dict(scrubber.counts),
        }
        known = {"source": "session", "licence": self._settings.licence}
        told = tuple(Message(each.role, each.content, {**each.meta, **known}) for each in messages)
        return Outcome(rows=(Dialog(told, row["id"], meta).to_json(),), notes=notes)


def stage(settings: SessionSettings | None = None) -> MapStage:
    """Return the stage ``from-sessions``."""
    return FromSessions(settings)


def session_records(path: Path) -> Iterator[Record]:
    """Yield one record for a session.

    Args:
        path: its ``events.jsonl``.
    """
    identity = "session-" + hashlib.sha256(path.parent.name.encode()).hexdigest()[:12]
    events = list(read_events(path.parent, outputs=False))
    originals = [str(event.get("session") or "") for event in events if event.get("type") == "forked"]
    there = any(name and (path.parent.with_name(Path(name).name) / path.name).is_file() for name in originals)
    yield Record(path.name, 1, {"id": identity, "events": events, "original is there": there})


class _Telling:
    """Tells a session's events again as messages."""

    def __init__(self, scrubber: Scrubber) -> None:
        self.model = ""
        self.counts: Counter[str] = Counter()
        self._scrubber = scrubber
        self._messages: list[Message] = []
        self._turns: list[tuple[int, list[str]]] = []
        """for each turn, how many messages there were before it, and what was still to be said"""
        self._ratings: dict[int, str] = {}
        """by turn"""
        self._unsaid: list[str] = []
        self._round: dict[str, Any] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Take the next event; those that say nothing to a model are passed over."""
        kind = event.get("type")
        if kind == "session":
            self.model = str(event.get("model") or "")
        elif kind == "turn_started":
            self._turns.append((len(self._messages), list(self._unsaid)))
            self._begin(str(event.get("task") or ""), event.get("files") or ())
        elif kind == "comment":
            self.counts["comment"] += 1
            self._unsaid.append(comment_feedback(str(event.get("text") or ""), str(event.get("code") or "")))
        elif kind in ("decided", "approval_request", "code_action_started", "execution_finished"):
            # Past the start of the code it is about a package or a tool, and not about the code.
            if kind != "decided" or "code_action_started" not in self._round:
                self._round[kind] = event
        elif kind == "round_finished":
            self._finish(event)
        elif kind == "answer" and event.get("outcome") == "rejected" and self._messages:
            self._distrust()
        elif kind == "undo" and self._turns:
            length, self._unsaid = self._turns.pop()
            del self._messages[length:]
            self._ratings.pop(len(self._turns), None)
            self.counts["taken back"] += 1
        elif kind == "rated":
            self._ratings[int(event["turn"])] = str(event.get("rating") or "")

    def learn_no_more_from_it(self) -> None:
        """Keep what was told so far as context only: in a fork it is another session's, which is told as well."""
        self._messages = [Message(each.role, each.content, {**each.meta, "train": False}) for each in self._messages]

    def messages(self) -> list[Message]:
        """Return what can be learned from: it ends with something of the assistant's that was not refused."""
        messages = self._rated()
        while messages and (messages[-1].role == "user" or not messages[-1].meta["train"]):
            messages.pop()
        return messages

    def _rated(self) -> list[Message]:
        """Return the messages, the last reply of each rated turn with its rating; from a bad one nothing is learned."""
        messages = list(self._messages)
        starts = [start for start, _ in self._turns] + [len(messages)]
        for turn, rating in self._ratings.items():
            places = range(starts[turn], starts[turn + 1]) if rating and turn + 1 < len(starts) else range(0)
            place = next((place for place in reversed(places) if messages[place].role == "assistant"), None)
            if place is None:
                continue
            last = messages[place]
            meta = {**last.meta, "rating": rating, "train": last.meta["train"] and rating != "bad"}
            messages[place] = Message(last.role, last.content, meta)
            self.counts[f"rated {rating}"] += 1
        return messages

    def _begin(self, task: str, files: Iterable[Any]) -> None:
        self._round = {}
        if not task.strip():
            return  # a person's own code
        names = ", ".join(map(str, files))
        said = [*self._unsaid, task.strip(), f"Files in the current folder: {names}" if names else ""]
        self._unsaid = []
        text = self._scrubber.text("\n\n".join(part for part in said if part))
        self._hear(text, "human" if any(each.role == "assistant" for each in self._messages) else "query")

    def _finish(self, event: Mapping[str, Any]) -> None:
        """Add what a round gave."""
        reply, feedback = str(event.get("reply") or ""), event.get("feedback")
        seen, self._round = self._round, {}
        decided = seen.get("decided") or {}
        verb = str(decided.get("verb") or "")
        started = seen.get("code_action_started") or {}
        if "execution_finished" in seen:
            execution = self._execution(seen["execution_finished"]["result"])
            code = str(started.get("code") or "")
            if not reply:
                self._unsaid.append(
                    f"I ran code of my own:\n```python\n{code.strip()}\n```\n{feedback_text(execution)}"
                )
                self.counts["own code"] += 1
            elif started.get("author") == "user":
                self._edited(reply, code, execution)
            else:
                self._executed(reply, execution, verb)
        elif verb == "reject" or str(feedback or "").startswith("The code was not run. The user rejected it"):
            self._rejected(reply, str(decided.get("text") or ""), str(feedback or ""))
        elif reply.strip() and feedback is None:
            self._say(reply, executed=False, passed=None, train=True)

    def _executed(self, reply: str, execution: Execution, verb: str) -> None:
        decision = {"decision": "approved"} if verb == "approve" else {}
        self.counts["approved"] += verb == "approve"
        record = execution.to_json()
        self._say(
            reply, executed=True, passed=None if execution.ok else False, train=execution.ok, exec=record, **decision
        )
        self._hear(feedback_text(execution), "execution", exec=record)

    def _edited(self, reply: str, code: str, execution: Execution) -> None:
        """Add code that the person changed before it ran: what the model wrote was not good enough."""
        self.counts["edited"] += 1
        self._say(reply, executed=False, passed=None, train=False, decision="edited")
        changed = self._scrubber.text(f"I changed the code before it ran:\n```python\n{code.strip()}\n```")
        self._hear(f"{changed}\n{feedback_text(execution)}", "human", exec=execution.to_json())

    def _rejected(self, reply: str, reason: str, feedback: str) -> None:
        self.counts["rejected"] += 1
        self._say(reply, executed=False, passed=None, train=False, decision="rejected")
        reason = reason.strip() or feedback.partition("rejected it:")[2].strip()
        if reason:
            self._hear(self._scrubber.text(f"Do not run this code: {reason}"), "human")

    def _distrust(self) -> None:
        last = self._messages[-1]
        if last.role == "assistant":
            self._messages[-1] = Message(last.role, last.content, {**last.meta, "train": False})

    def _execution(self, result: Mapping[str, Any]) -> Execution:
        whole = of_cell(result_from_json({**result, "artifacts": []}))
        return Execution.from_json(self._scrubber.value(whole.to_json()))

    def _say(self, reply: str, **meta: Any) -> None:
        before = self._messages[-1] if self._messages else None
        if before is None:
            return
        if before.role == "assistant":
            self._messages.pop()  # nobody answered it
        repair = before.meta.get("kind") == "execution" and (before.meta.get("exec") or {}).get("status") != "ok"
        kind = "repair" if repair else "answer"
        text = self._scrubber.text(reply.strip())
        self._messages.append(Message("assistant", text, {"kind": kind, "language": "python", **meta}))

    def _hear(self, text: str, kind: str, **meta: Any) -> None:
        if self._messages and self._messages[-1].role == "user":
            last = self._messages.pop()
            if last.meta["kind"] == "human":
                text = f"{last.content}\n\n{text}"
            elif last.meta["kind"] == "query":
                kind = "query"  # the first one was never answered
        self._messages.append(Message("user", text, {"kind": kind, **meta}))
