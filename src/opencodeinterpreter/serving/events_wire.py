"""A session's events as they go to a listener: numbered, images by link, nothing of the host's paths."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Any

from opencodeinterpreter.serving.feed import Tail
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.links import Links
from opencodeinterpreter.serving.room import Room

KEEP_ALIVE_SECONDS = 15.0


def public(row: dict[str, Any], number: int, room: Room, links: Links) -> dict[str, Any]:
    """Return an event of the log as others may see it, with ``seq``, its number, and links to images and files."""
    shown = _linked(row, room.id, links)
    assert isinstance(shown, dict)
    shown["seq"] = number
    return shown


def _linked(value: Any, identity: str, links: Links) -> Any:
    if isinstance(value, list):
        return [_linked(item, identity, links) for item in value]
    if not isinstance(value, dict):
        return value
    path = value.get("path")
    if isinstance(path, str) and set(value) == {"path"}:  # an output that lies beside the log
        return {"path": path, "url": links.to(identity, path)}
    shown = {key: _linked(item, identity, links) for key, item in value.items()}
    if isinstance(path, str) and "change" in value:
        shown["url"] = links.to(identity, f"files/{path}")
    if isinstance(value.get("log"), str):
        log = PurePath(value["log"])
        shown["log"] = f"logs/{log.parent.name}/{log.name}"
    return shown


def state_of(room: Room, hub: Hub) -> dict[str, Any]:
    """Return what a listener is to know of a session beside its log; it changes without an event."""
    arriving = room.arriving
    return {
        "type": "state",
        "state": room.state,
        "queue": room.position,
        "arriving": arriving.shown() if arriving is not None else None,
        "pending": room.pending,
        "state_lost": room.state_lost,
        "fault": room.fault,
        "closing": hub.closing,
    }


async def follow(room: Room, hub: Hub, links: Links, after: int, live: bool) -> AsyncIterator[str]:
    """Yield a session's events past number ``after`` as server-sent events; with ``live`` those to come too.

    Events have their number as ``id``. Where the state changes, a ``state`` event without a number says so.
    """
    tail = Tail(room.log, after)
    wake = room.bell.subscribe()
    told: dict[str, Any] | None = None
    try:
        while True:
            wake.clear()
            try:
                rows = await asyncio.to_thread(tail.read)
            except FileNotFoundError:
                yield _sent({"type": "deleted"}, "deleted")
                return
            for number, row in rows:
                yield _sent(public(row, number, room, links), None, number)
            if rows:
                continue
            if not live:
                return
            state = state_of(room, hub)
            if state != told:
                told = state
                yield _sent(state, "state")
            if hub.closing and room.state not in ("running", "waiting"):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), KEEP_ALIVE_SECONDS)
            if not wake.is_set():
                yield ": still here\n\n"
    finally:
        room.bell.unsubscribe(wake)


def _sent(data: dict[str, Any], event: str | None, number: int | None = None) -> str:
    lines = [f"id: {number}"] if number is not None else []
    if event is not None:
        lines.append(f"event: {event}")
    lines.append("data: " + json.dumps(data, ensure_ascii=False))
    return "\n".join(lines) + "\n\n"
