"""What tests ask a server with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

TOKEN = "a-token-for-the-tests"

ENDS = ("answer", "failure")


class Client(httpx.Client):
    """Speaks the plain API."""

    def __init__(self, url: str, key: str = TOKEN) -> None:
        super().__init__(base_url=url, headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=60)

    def new(self, **body: Any) -> str:
        answer = self.post("/api/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def state(self, session: str) -> dict[str, Any]:
        return self.get(f"/api/v1/sessions/{session}").json()

    def do(self, session: str, act: str, **body: Any) -> httpx.Response:
        return self.post(f"/api/v1/sessions/{session}/{act}", json=body)

    def log(self, session: str, after: int = 0) -> list[dict[str, Any]]:
        answer = self.get(f"/api/v1/sessions/{session}/events", params={"after": after, "live": False})
        return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]

    def follow(self, session: str, after: int = 0, **headers: str) -> Iterator[dict[str, Any]]:
        """Yield events as they come; leaving closes the connection."""
        path = f"/api/v1/sessions/{session}/events"
        with self.stream("GET", path, params={"after": after}, headers=headers) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    def until(self, session: str, *kinds: str, after: int = 0) -> list[dict[str, Any]]:
        """Return the numbered events up to the first of these kinds."""
        found = []
        for row in self.follow(session, after):
            if row["type"] != "state":
                found.append(row)
            if row["type"] in kinds:
                return found
        raise AssertionError(f"the events ended before any of {kinds}: {[row['type'] for row in found]}")

    def run(self, session: str, text: str, **body: Any) -> list[dict[str, Any]]:
        """Do a turn and return its events."""
        started = self.do(session, "messages", text=text, **body)
        assert started.status_code == 202, started.text
        found = self.until(session, *ENDS, after=started.json()["seq"])
        self.idle(session, found[-1]["seq"])
        return found

    def idle(self, session: str, after: int = 0) -> None:
        """Wait until nothing runs."""
        for row in self.follow(session, after):
            if row["type"] == "state" and row["state"] in ("idle", "parked"):
                return


def stdout(events: list[dict[str, Any]]) -> str:
    """Return what the code of these events printed."""
    return "".join(row["result"]["stdout"] for row in events if row["type"] == "execution_finished")


def message_of(events: list[dict[str, Any]]) -> str:
    """Return what the model was told when the turn began."""
    return next(row["message"] for row in events if row["type"] == "turn_started")
