"""A stage from files to files: killed and taken up again, with bad records, with a manifest."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from stage_samples import Pairing, Splitting, files_of, run_sample, write_rows

from opencodeinterpreter.codefeedback.pipeline.bad_records import MaxBad
from opencodeinterpreter.codefeedback.pipeline.entries import Entry
from opencodeinterpreter.codefeedback.pipeline.journal import Journal
from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Outcome
from opencodeinterpreter.errors import ConfigError, InputError, ModelConnectionError

COUNT = 200
OUTPUTS = ["out.dropped.jsonl", "out.jsonl"]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """What an unbroken run gives, by the kind of the stage."""
    made = {}
    for kind in ("splitting", "pairing"):
        folder = tmp_path_factory.mktemp(kind)
        run_sample(folder / "made", write_rows(folder / "in.jsonl", COUNT), kind)
        made[kind] = files_of(folder / "made")
        assert list(made[kind]) == OUTPUTS
    return made


@pytest.mark.parametrize(
    ("kind", "point", "number", "workers"),
    [
        ("splitting", "row", 1, 1),
        ("splitting", "row", 77, 1),
        ("splitting", "row", 150, 6),
        ("splitting", "append", 60, 1),
        ("splitting", "flush", 1, 1),
        ("splitting", "flush", 123, 4),
        ("splitting", "flush", COUNT, 1),
        ("splitting", "replace", 1, 1),
        ("splitting", "replace", 2, 3),
        ("splitting", "replace", 3, 1),
        ("splitting", "remove", 1, 1),
        ("pairing", "replace", 1, 1),
        ("pairing", "replace", 2, 1),
        ("pairing", "replace", 3, 1),
        ("pairing", "replace", 4, 1),
    ],
)
def test_a_stage_that_was_killed_goes_on_and_gives_the_very_bytes_of_an_unbroken_run(
    unbroken: dict[str, dict[str, bytes]], kind: str, point: str, number: int, workers: int, tmp_path: Path
) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", COUNT)
    program = Path(__file__).with_name("stage_samples.py")
    killed = subprocess.run(
        [sys.executable, str(program), str(tmp_path), kind, str(workers), point, str(number)], timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    ended = run_sample(tmp_path / "made", inputs, kind, workers=3)
    assert files_of(tmp_path / "made") == unbroken[kind]
    assert ended.manifest["rows_in"] == COUNT
    if point == "flush":
        assert ended.resumed >= number


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    inputs, out = write_rows(tmp_path / "in.jsonl", 40), tmp_path / "made" / "out.jsonl"
    failing = Splitting()
    plain = failing.process
    calls: list[int] = []

    def process(row: dict[str, Any]) -> Any:
        calls.append(row["n"])
        if row["n"] == 25 and len(calls) < 27:
            raise ModelConnectionError("the endpoint does not answer.")
        return plain(row)

    failing.process = process  # type: ignore[method-assign]
    with pytest.raises(ModelConnectionError, match=r"does not answer; what was done is kept in .*out.jsonl.journal"):
        run_stage(Job(failing, [inputs], out))
    assert failing.events == ["opened", "closed"]
    ended = run_stage(Job(failing, [inputs], out))
    assert calls == [*range(26), *range(25, 40)]
    assert ended.resumed == 25


def test_rows_that_are_done_while_another_fails_are_kept(tmp_path: Path) -> None:
    inputs, out = write_rows(tmp_path / "in.jsonl", 8), tmp_path / "out.jsonl"
    stage, gate = Splitting(), threading.Event()
    plain = stage.process

    def process(row: dict[str, Any]) -> Any:
        if row["n"] == 0:
            gate.wait(10)
            raise ModelConnectionError("the endpoint does not answer")
        if row["n"] == 7:
            gate.set()
        return plain(row)

    stage.process = process  # type: ignore[method-assign]
    with pytest.raises(ModelConnectionError):
        run_stage(Job(stage, [inputs], out, workers=8))
    assert stage.stopped
    assert run_stage(Job(Splitting(), [inputs], out)).resumed == 7


def test_rows_are_in_the_order_of_the_input_however_many_are_done_at_once(tmp_path: Path) -> None:
    inputs = [write_rows(tmp_path / "a.jsonl", 30), write_rows(tmp_path / "b.jsonl", 30, 30)]
    many, one = Splitting(seconds=0.002), Splitting()
    run_stage(Job(many, inputs, tmp_path / "many" / "out.jsonl", workers=5))
    run_stage(Job(one, inputs, tmp_path / "one" / "out.jsonl"))
    assert files_of(tmp_path / "many") == files_of(tmp_path / "one")
    assert 1 < many.most_at_once <= 5


def test_a_slow_row_holds_back_what_is_too_far_ahead_of_it(tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", 400)
    stage, begun, gate = Splitting(), [], threading.Event()
    plain = stage.process

    def process(row: dict[str, Any]) -> Any:
        begun.append(row["n"])
        if row["n"] == 0:
            gate.wait(0.5)
            begun.append(-1)
        return plain(row)

    stage.process = process  # type: ignore[method-assign]
    run_stage(Job(stage, [inputs], tmp_path / "out.jsonl", workers=4))
    assert begun.index(-1) < 40


def test_the_manifest_tells_everything(tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", 21)
    manifest = run_stage(Job(Splitting(), [inputs], tmp_path / "out.jsonl", command="ocint data splitting")).manifest
    stored = json.loads((tmp_path / "out.manifest.json").read_text())
    assert {name: stored[name] for name in manifest} == manifest
    assert (stored["stage"], stored["seed"], stored["command"]) == ("splitting", 1, "ocint data splitting")
    assert [(each["name"], each["rows"]) for each in stored["inputs"]] == [("in.jsonl", 21)]
    assert [(each["name"], each["rows"]) for each in stored["outputs"]] == [("out.jsonl", 24), ("out.dropped.jsonl", 3)]
    assert stored["drops"] == {"seven divides it": 3}
    assert stored["notes"] == {"rows": 21, "by rest": {"0": 7, "1": 7, "2": 7}}
    dropped = [json.loads(line) for line in (tmp_path / "out.dropped.jsonl").read_text().splitlines()]
    assert dropped[1] == {
        "id": "r7",
        "reason": "seven divides it",
        "detail": "7 = 7 * 1",
        "row": {"id": "r7", "n": 7},
    }


def test_a_stage_may_sum_its_notes_up(tmp_path: Path) -> None:
    class Summing(Splitting):
        def summary(self, notes: Mapping[str, Any]) -> dict[str, Any]:
            return {"a third": notes["rows"] // 3}

    inputs = write_rows(tmp_path / "in.jsonl", 21)
    manifest = run_stage(Job(Summing(), [inputs], tmp_path / "out.jsonl")).manifest
    assert manifest["notes"] == {"rows": 21, "by rest": {"0": 7, "1": 7, "2": 7}, "a third": 7}


@pytest.mark.parametrize("kind", ["splitting", "pairing"])
def test_a_bad_record_is_set_aside_with_its_place(kind: str, tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", 3, 1)
    inputs.write_text(inputs.read_text() + '{"id": \n{"id": "x", "n": "1"}\n{"id": "r9", "n": 9}\n')
    manifest = run_sample(tmp_path, inputs, kind).manifest
    dropped = [json.loads(line) for line in (tmp_path / "out.dropped.jsonl").read_text().splitlines()]
    assert [row["detail"] for row in dropped if row["reason"] == "bad record"] == [
        "in.jsonl:4: broken JSON: Expecting value: line 2 column 1 (char 8)",
        "in.jsonl:5: a row of this test must have a number n",
    ]
    assert (manifest["bad_records"], manifest["rows_in"]) == (2, 6)


@pytest.mark.parametrize("kind", ["splitting", "pairing"])
@pytest.mark.parametrize(
    ("good", "bad", "limit", "ends"),
    [
        (100, 90, "", True),
        (3000, 110, "", True),
        (50, 110, "", False),
        (50, 1, "0", False),
        (1, 5, "10", True),
        (300, 20, "5%", False),
        (300, 6, "5%", True),
        (10, 2, "5%", False),
        (0, 1, "", False),
        (0, 0, "", True),
    ],
)
def test_too_many_bad_records_end_a_stage(
    kind: str, good: int, bad: int, limit: str, ends: bool, tmp_path: Path
) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", good)
    inputs.write_text(inputs.read_text() + "{}\n" * bad)
    limits = MaxBad.parse(limit) if limit else MaxBad()
    if ends:
        assert run_sample(tmp_path, inputs, kind, max_bad=limits).manifest["bad_records"] == bad
        return
    with pytest.raises(InputError, match=r"records can(not)? be used.*"):
        run_sample(tmp_path, inputs, kind, max_bad=limits)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("text", ["many", "-1", "101%", "x%", ""])
def test_a_limit_that_is_none_is_explained(text: str) -> None:
    with pytest.raises(ConfigError, match="--max-bad must"):
        MaxBad.parse(text)


@pytest.mark.parametrize("kind", ["splitting", "pairing"])
def test_a_finished_stage_is_not_run_again(kind: str, tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", 10)
    first = run_sample(tmp_path, inputs, kind)
    again = run_sample(tmp_path, inputs, kind)
    assert (first.already, again.already) == (False, True)
    assert again.manifest["ended"] == first.manifest["ended"]


@pytest.mark.parametrize("stage", [Splitting({"seed": 2, "factor": 10}), Pairing({"seed": 2})])
def test_an_output_of_other_settings_is_not_overwritten_unless_asked(stage: Any, tmp_path: Path) -> None:
    inputs, out = write_rows(tmp_path / "in.jsonl", 10), tmp_path / "out.jsonl"
    run_sample(tmp_path, inputs, stage.name)
    with pytest.raises(InputError, match=r"differs in settings.seed \(2, not 1\).*--restart"):
        run_stage(Job(stage, [inputs], out))
    assert not run_stage(Job(stage, [inputs], out, restart=True)).already
    out.write_text("changed\n")
    with pytest.raises(InputError, match="it was changed"):
        run_stage(Job(stage, [inputs], out))
    (tmp_path / "out.manifest.json").unlink()
    with pytest.raises(InputError, match="no manifest says how it was made"):
        run_stage(Job(stage, [inputs], out))


def test_a_stage_that_is_under_way_is_not_mixed_with_another(tmp_path: Path) -> None:
    inputs, out = write_rows(tmp_path / "in.jsonl", 10), tmp_path / "out.jsonl"
    journal = Journal(tmp_path / "out.jsonl.journal", {"stage": "another"})
    journal.append(Entry(0, Outcome()))
    with journal, pytest.raises(InputError, match="another program is writing"):
        run_stage(Job(Splitting(), [inputs], out))
    with pytest.raises(InputError, match=r'stage \("splitting", not "another"\).*--restart'):
        run_stage(Job(Splitting(), [inputs], out))
    run_stage(Job(Splitting(), [inputs], out, restart=True))
    assert not (tmp_path / "out.jsonl.journal").exists()


def test_a_stage_that_has_done_nothing_yet_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    inputs, out = write_rows(tmp_path / "in.jsonl", 10), tmp_path / "out.jsonl"
    Journal(tmp_path / "out.jsonl.journal", {"stage": "another"}).close()
    assert run_stage(Job(Splitting(), [inputs], out)).manifest["rows_in"] == 10


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "out.jsonl", 10)
    with pytest.raises(InputError, match="is an input and would be overwritten"):
        run_stage(Job(Splitting(), [inputs], tmp_path / "out.jsonl"))


def test_an_output_of_another_ending_is_refused(tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", 10)
    with pytest.raises(InputError, match=r"must end in .jsonl or .jsonl.gz, not as out.parquet; export gives Parquet"):
        run_stage(Job(Splitting(), [inputs], tmp_path / "out.parquet"))


def test_an_output_can_be_compressed_and_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    inputs = write_rows(tmp_path / "in.jsonl", 30)
    for name in ("a", "b"):
        run_stage(Job(Splitting(), [inputs], tmp_path / name / "out.jsonl.gz"))
    run_stage(Job(Splitting(), [inputs], tmp_path / "c" / "out.jsonl"))
    first, second = ((tmp_path / name / "out.jsonl.gz").read_bytes() for name in ("a", "b"))
    assert first == second
    assert gzip.decompress(first) == (tmp_path / "c" / "out.jsonl").read_bytes()
    assert (tmp_path / "a" / "out.manifest.json").exists()
