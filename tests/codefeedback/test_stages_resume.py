"""Every stage that asks no model, from file to file: killed on its way, and taken up again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killed_stage_samples import run

from opencodeinterpreter.codefeedback.decontamination import load_references
from opencodeinterpreter.errors import EvaluationError


def outputs(folder: Path) -> dict[str, bytes]:
    """The rows, the dropped ones and the report, if there is one; the manifest has times in it."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("out.*")) if "manifest" not in path.name}


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("read", 17),
        ("take", 20),
        ("queries", 11),
        ("dedup", 40),
        pytest.param("pack", 30, id="pack-read"),
        pytest.param("pack", 61, id="pack-embedded"),
        pytest.param("pack", 62, id="pack-compared"),
        ("check", 3),
        ("decontaminate", 2),
        ("from-sessions", 4),
    ],
)
def test_a_killed_stage_gives_the_bytes_of_an_unbroken_run(stage: str, number: int, tmp_path: Path) -> None:
    if stage == "decontaminate":
        try:
            load_references()
        except EvaluationError as error:
            pytest.skip(f"the benchmarks cannot be had: {error}")
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    ended = run(unbroken, stage)
    assert ended.manifest["rows_out"] > 0
    assert ended.manifest["rows_dropped"] > 0

    program = Path(__file__).with_name("killed_stage_samples.py")
    killed = subprocess.run([sys.executable, str(program), str(broken), stage, str(number)], timeout=300)
    assert killed.returncode == -signal.SIGKILL
    assert not (broken / "out.jsonl").exists()
    run(broken, stage)
    assert outputs(broken) == outputs(unbroken)
    assert len(outputs(broken)) == (4 if stage == "decontaminate" else 2)
    assert not list(broken.glob("out.jsonl.*")), "nothing of the killed run is left"
