"""Rows done by Ray: the same output as without it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ray_stage_samples import with_threads
from stage_samples import Splitting, files_of, run_sample, write_rows

from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.errors import MissingExtraError

RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not RAY, reason='Ray is not installed: pip install "opencodeinterpreter[ray]"')

# A program of its own: Ray starts processes and threads that outlive a test.
PROGRAM = """
import sys
from pathlib import Path
from ray_stage_samples import with_threads
from stage_samples import Splitting
from opencodeinterpreter.codefeedback.pipeline.ray_stage import RayCrew
from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
inputs, out = map(Path, sys.argv[1:])
ended = run_stage(Job(Splitting(), [inputs], out, workers=2, crew=RayCrew()))
print(ended.resumed)
"""


def with_ray(inputs: Path, out: Path) -> subprocess.CompletedProcess[str]:
    # The workers are started by Ray, and find the stage of this test as its program does.
    return started("-c", PROGRAM, str(inputs), str(out))


def started(*given: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run([sys.executable, *given], capture_output=True, text=True, timeout=280, env=environment)


@needs_ray
@pytest.mark.ray
def test_ray_gives_the_same_bytes_and_goes_on_with_what_was_done_without_it(tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", 60)
    inputs.write_text(inputs.read_text() + '{"id": "x"}\n{"id":\n' + '{"id": "r99", "n": 99}\n')
    run_sample(tmp_path / "plain", inputs)
    ended = with_ray(inputs, tmp_path / "ray" / "out.jsonl")
    assert ended.returncode == 0, ended.stderr
    assert files_of(tmp_path / "ray") == files_of(tmp_path / "plain")

    broken = Splitting()
    plain = broken.process

    def process(row: dict[str, object]) -> object:
        if row["n"] == 30:
            raise KeyboardInterrupt
        return plain(row)

    broken.process = process  # type: ignore[assignment,method-assign]
    out = tmp_path / "both" / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run_stage(Job(broken, [inputs], out))
    ended = with_ray(inputs, out)
    assert ended.stdout.strip() == "30", ended.stderr
    assert files_of(tmp_path / "both") == files_of(tmp_path / "plain")


@needs_ray
@pytest.mark.ray
@pytest.mark.parametrize("stage", ["filter", "verify"])
def test_stages_that_ask_models_and_run_code_give_the_same_bytes(stage: str, tmp_path: Path) -> None:
    ended = with_threads(tmp_path / "plain", stage)
    assert 0 < ended.manifest["rows_out"] < ended.manifest["rows_in"] == 24
    program = Path(__file__).with_name("ray_stage_samples.py")
    by_ray = started(str(program), str(tmp_path / "ray"), stage)
    assert by_ray.returncode == 0, by_ray.stderr
    for name in ("out.jsonl", "out.dropped.jsonl"):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    notes = json.loads((tmp_path / "ray" / "out.manifest.json").read_text())["notes"]
    assert notes == ended.manifest["notes"]


@pytest.mark.skipif(RAY, reason="Ray is installed")
def test_without_ray_the_extra_is_named() -> None:
    from opencodeinterpreter.codefeedback.pipeline.ray_stage import RayCrew

    with pytest.raises(MissingExtraError, match=r"opencodeinterpreter\[ray\]"):
        RayCrew()
