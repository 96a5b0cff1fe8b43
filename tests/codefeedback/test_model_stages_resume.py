"""Stages that ask models, from file to file: killed while a reply is generated, and taken up again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from model_stage_samples import EXECUTION, run
from shared_executors import shared_executor

OUTPUTS = ("out.jsonl", "out.dropped.jsonl")


@pytest.mark.parametrize(
    ("stage", "request_number"), [("filter", 5), ("simulate", 11), ("correct", 3), ("followup", 4), ("similar", 1)]
)
def test_a_killed_stage_repeats_nothing_and_gives_the_bytes_of_an_unbroken_run(stage, request_number, tmp_path):
    executor = shared_executor(EXECUTION)
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    unbroken.mkdir()
    broken.mkdir()
    ended, asked = run(unbroken, stage, executor, workers=3)
    assert ended.manifest["rows_in"] == 3
    assert (unbroken / "out.jsonl").read_text().count("\n") >= 1

    program = Path(__file__).with_name("model_stage_samples.py")
    killed = subprocess.run([sys.executable, str(program), str(broken), stage, str(request_number)], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not (broken / "out.jsonl").exists()
    _, again = run(broken, stage, executor)
    assert again + request_number - 1 == asked, "what was generated before the kill is not generated again"
    for name in OUTPUTS:
        assert (broken / name).read_bytes() == (unbroken / name).read_bytes()


def test_the_manifest_has_what_the_stage_counts(tmp_path):
    ended, _ = run(tmp_path, "filter")
    notes = ended.manifest["notes"]
    assert notes["scores"] == {"first": {"5": 2, "2": 1}, "second": {"5": 2}}
    assert notes["asked twice"]["decision"] == {"kept then kept": 2, "dropped then dropped": 1}
    assert ended.manifest["models"] == {"judge": {"name": "judge", "identity": "judge"}}
