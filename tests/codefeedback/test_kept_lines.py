"""What a stage keeps through a kill."""

from __future__ import annotations

import json
from pathlib import Path

from opencodeinterpreter.codefeedback.pipeline.kept_lines import KeptLines


def test_what_was_kept_is_read_and_a_torn_end_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    with KeptLines(path) as kept:
        assert list(kept.earlier()) == []
        kept.add([{"a": "é"}, [1, None]])
    with path.open("a") as half:
        half.write('{"id": "torn')
    with KeptLines(path) as kept:
        assert list(kept.earlier()) == [{"a": "é"}, [1, None]]
        kept.add(["new"])
    with KeptLines(path) as kept:
        assert list(kept.earlier()) == [{"a": "é"}, [1, None], "new"]
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"a": "é"}, [1, None], "new"]
