"""Figures for Prometheus: what runs, how long it takes, how it ends. Nothing of what anybody wrote."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from opencodeinterpreter.interpreter import Answer, Event, ExecutionFinished, Failure, RoundFinished, TurnStarted
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.room_runs import RoomRuns, State

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_STATES: tuple[State, ...] = ("parked", "idle", "running", "waiting")


class Metrics:
    """Counts what a hub and its routes do.

    Args:
        hub: is watched from now on.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._began: dict[str, float] = {}
        self._lock = threading.Lock()
        self.registry = CollectorRegistry()
        self._requests = Counter("ocint_requests", "Requests answered.", ["route", "method", "status"],
                                 registry=self.registry)  # fmt: skip
        self._request_seconds = Histogram("ocint_request_seconds", "Until a request was answered.", ["route"],
                                          buckets=_SECONDS, registry=self.registry)  # fmt: skip
        self._turns = Counter("ocint_turns", "Turns ended.", ["outcome"], registry=self.registry)
        self._turn_seconds = Histogram("ocint_turn_seconds", "Length of a turn.", buckets=_SECONDS,
                                       registry=self.registry)  # fmt: skip
        self._runs = Counter("ocint_executions", "Executions ended.", ["status", "reason"], registry=self.registry)
        self._run_seconds = Histogram("ocint_execution_seconds", "Length of an execution.", buckets=_SECONDS,
                                      registry=self.registry)  # fmt: skip
        self._tokens = Counter("ocint_tokens", "Tokens of the model.", ["kind"], registry=self.registry)
        self.registry.register(self)
        hub.watchers.append(self)

    def collect(self) -> Iterator[Metric]:
        """Yield what is looked up when it is asked for."""
        rooms = self._hub.rooms()
        states = [room.state for room in rooms]
        sessions = GaugeMetricFamily("ocint_sessions", "Sessions used since the start.", labels=["state"])
        for state in _STATES:
            sessions.add_metric([state], states.count(state))
        yield sessions
        listeners = sum(room.bell.listeners for room in rooms)
        yield GaugeMetricFamily("ocint_listeners", "Connections that follow a session.", value=listeners)
        waiting = self._hub.shelf.waiting()
        yield GaugeMetricFamily("ocint_model_queue", "Replies that wait for the model.", value=waiting)

    def saw(self, room: RoomRuns, event: Event) -> None:
        """Count an event of a session."""
        if isinstance(event, TurnStarted):
            with self._lock:
                self._began[room.id] = time.monotonic()
        elif isinstance(event, ExecutionFinished):
            self._runs.labels(event.result.status, event.result.reason or "").inc()
            self._run_seconds.observe(event.result.duration)
        elif isinstance(event, RoundFinished) and event.usage is not None:
            self._tokens.labels("prompt").inc(event.usage.prompt_tokens or 0)
            self._tokens.labels("cached").inc(event.usage.cached_prompt_tokens or 0)
            self._tokens.labels("completion").inc(event.usage.completion_tokens or 0)

    def ended(self, room: RoomRuns, last: Event | None) -> None:
        """Count the end of a run."""
        with self._lock:
            began = self._began.pop(room.id, None)
        if began is not None:
            self._turn_seconds.observe(time.monotonic() - began)
        if isinstance(last, Answer):
            self._turns.labels(last.outcome).inc()
        elif isinstance(last, Failure):
            self._turns.labels(f"failed: {last.kind}").inc()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            route: its route, not its path: that would be a figure for each session.
            method: one of those that are known, or one word for all others.
            status: of the answer.
            seconds: until it was sent.
        """
        self._requests.labels(route or "none", method, str(status)).inc()
        self._request_seconds.labels(route or "none").observe(seconds)

    def text(self) -> bytes:
        """Return everything in the form that Prometheus reads."""
        return generate_latest(self.registry)
