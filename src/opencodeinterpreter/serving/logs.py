"""Structured logs: one JSON object a line, never with what a person, a model or code wrote."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object.

    Of an exception it writes where it was raised and its kind, not its message: that may hold what somebody wrote.
    """

    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            row["error"] = record.exc_info[0].__name__
            row["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
        return json.dumps(row, ensure_ascii=False, default=str)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Write what this package and the server log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("opencodeinterpreter", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.setLevel(level if name == "opencodeinterpreter" else logging.WARNING)
        logger.handlers = [handler]
        logger.propagate = False
