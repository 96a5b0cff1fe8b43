"""What was measured, a line a part, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any


class Records:
    """The parts in a file.

    Args:
        path: made with the first part; a part that is in it is not measured again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self.found[row["part"]] = row

    def add(self, part: str, machine: dict[str, str], busy: bool, result: object) -> None:
        """Keep what came of a part.

        Args:
            machine: as it was before.
            busy: whether it had other work then.
        """
        row = {
            "part": part,
            "date": time.strftime("%Y-%m-%d"),
            "commit": _commit(),
            "machine": machine,
            "busy": busy,
            "result": result,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.found[part] = row


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
