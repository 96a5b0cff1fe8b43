"""What was measured, a line a part, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.speed import machine


class Records:
    """The parts in a file.

    Args:
        path: made with the first part; a part that is in it is not measured again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Now, not after each part: what the parts themselves do is no other work, and others may commit meanwhile.
        self._about = {
            "date": time.strftime("%Y-%m-%d"),
            "commit": _commit(),
            "machine": machine.describe(),
            "busy": machine.is_busy(),
        }
        self.found: dict[str, dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self.found[row["part"]] = row

    def add(self, part: str, result: object) -> None:
        """Keep what came of a part, with the machine as it was when this object was made."""
        row = {"part": part, **self._about, "result": result}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.found[part] = row


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
