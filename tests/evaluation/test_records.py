"""Records of a run: their stored form, and the folder they are kept in."""

from __future__ import annotations

import dataclasses
import gzip
import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.records import Attempt, ProblemRecord, RunConfig
from opencodeinterpreter.evaluation.run_folder import Run, RunFolder, held, must_be_replaceable, read_run, write_run
from opencodeinterpreter.evaluation.verdicts import Failure, Grade, SuiteResult, Verdict
from opencodeinterpreter.models.response_cache import Tokens

CONFIG = RunConfig(
    benchmark="humaneval+",
    dataset_version="v0.1.10",
    dataset_sha256="fe58",
    protocol="execution",
    leakage="L5",
    honest=False,
    model="qwen2.5-coder-0.5b",
    model_sha256="1d96",
    rounds=2,
    prompts="1",
    settings={"flattened": False, "wording": ["cause", "first"]},
    package_version="0.1.0",
    problem_count=164,
)

anything = st.text(st.characters(), max_size=12)  # half surrogates, separators and null characters among them
values = st.recursive(st.none() | st.booleans() | st.integers() | anything, lambda inner: st.lists(inner, max_size=3))
notes = st.dictionaries(anything, values, max_size=3)
counts = st.none() | st.integers(0, 10**6)
finite = st.floats(0, 1e6)
failures = st.builds(Failure, st.integers(-1, 2000), anything, anything, anything, anything)
suites = st.builds(SuiteResult, st.sampled_from(Verdict), st.none() | failures, finite)
messages = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), anything)
attempts = st.builds(
    Attempt,
    round=st.integers(0, 5),
    kind=anything,
    messages=st.lists(messages, max_size=3).map(tuple),
    reply=anything,
    code=anything,
    rule=anything,
    has_entry_point=st.booleans(),
    grade=st.none() | st.builds(Grade, suites, suites),
    tokens=st.builds(Tokens, counts, counts, counts),
    seconds=finite,
    cached=st.booleans(),
    notes=notes,
)


@st.composite
def problem_records(draw: st.DrawFn) -> ProblemRecord:
    made = tuple(draw(st.lists(attempts, min_size=1, max_size=3)))
    index = st.integers(0, len(made) - 1)
    standing = tuple(draw(st.lists(index, max_size=3)))
    return ProblemRecord(draw(anything), made, draw(index), draw(st.integers(0, 20)), standing, draw(notes))


configs = st.builds(
    RunConfig,
    *[anything] * 5,
    honest=st.booleans(),
    model=anything,
    temperature=finite,
    seed=st.none() | st.integers(),
    rounds=st.integers(1, 9),
    settings=notes,
    machine=notes,
    command=anything,
)


def attempt(code: str = "pass", round_number: int = 0, kind: str = "answer") -> Attempt:
    return Attempt(round_number, kind, (Message("user", "Write f."),), f"```python\n{code}\n```", code, "fence", True)


def record(problem: str = "HumanEval/0", sample: int = 0, code: str = "pass") -> ProblemRecord:
    return ProblemRecord(problem, (attempt(code),), final=0, sample=sample)


@settings(max_examples=25)
@given(problem_records())
def test_a_record_survives_its_stored_form(made: ProblemRecord) -> None:
    assert ProblemRecord.from_json(json.loads(json.dumps(made.to_json()))) == made


@settings(max_examples=25)
@given(configs)
def test_a_configuration_survives_its_stored_form(config: RunConfig) -> None:
    read = RunConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert read == config
    assert read.key == config.key
    assert read.differences(config) == []


@settings(max_examples=6)
@given(made=st.lists(problem_records(), max_size=3, unique_by=lambda r: (r.problem, r.sample)), packed=st.booleans())
def test_records_survive_the_folder(
    tmp_path_factory: pytest.TempPathFactory, made: list[ProblemRecord], packed: bool
) -> None:
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, CONFIG, made, compressed=packed)
    run = read_run(folder)
    assert (run.config, list(run.records), run.faults) == (CONFIG, made, ())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rounds": 3}, "rounds (2, not 3)"),
        ({"dataset_version": "v0.1.9"}, 'dataset_version ("v0.1.10", not "v0.1.9")'),
        ({"temperature": 0.8, "seed": 1}, "seed (null, not 1)"),
        ({"settings": {"flattened": True}}, "settings ("),
        ({"package_version": "0.2.0"}, "package_version"),
    ],
)
def test_what_decides_the_result_is_in_the_key(change: dict[str, Any], named: str) -> None:
    other = dataclasses.replace(CONFIG, **change)
    assert other.key != CONFIG.key
    assert named in ", ".join(CONFIG.differences(other))


def test_what_does_not_decide_the_result_is_not_in_the_key() -> None:
    other = dataclasses.replace(
        CONFIG, machine={"cores": 64}, command="ocint eval run", started="2026-01-01T00:00:00+00:00", problem_count=3
    )
    assert other.key == CONFIG.key
    assert CONFIG.differences(other) == []


def test_a_key_does_not_change_between_programs() -> None:
    """Runs on disk must be found again by the next release."""
    assert CONFIG.key == RunConfig.from_json(json.loads(json.dumps(CONFIG.to_json()))).key
    assert CONFIG.to_json()["key"] == CONFIG.key


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", CONFIG) as folder:
        folder.append(record("HumanEval/0"))
        folder.append(record("HumanEval/1", sample=1))
    with RunFolder(tmp_path / "run", CONFIG) as folder:
        assert folder.done == {("HumanEval/0", 0), ("HumanEval/1", 1)}
        folder.append(record("HumanEval/2"))
        assert len(folder.done) == 3
    assert [r.problem for r in read_run(tmp_path / "run").records] == ["HumanEval/0", "HumanEval/1", "HumanEval/2"]


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_torn_last_line_is_dropped_and_said(tmp_path: Path, cut: int) -> None:
    write_run(tmp_path, CONFIG, [record("HumanEval/0"), record("HumanEval/1"), record("HumanEval/2")])
    file = tmp_path / "records.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[: -1 - cut])
    assert read_run(tmp_path).faults == (f"{tmp_path.name}: the last line is torn, and was dropped",)
    with RunFolder(tmp_path, CONFIG) as folder:
        assert folder.faults
        assert folder.done == {("HumanEval/0", 0), ("HumanEval/1", 0)}
        folder.append(record("HumanEval/2"))
    assert file.read_bytes() == whole
    assert read_run(tmp_path).faults == ()


def test_a_last_line_that_only_lacks_its_end_is_kept(tmp_path: Path) -> None:
    write_run(tmp_path, CONFIG, [record("HumanEval/0")])
    file = tmp_path / "records.jsonl"
    file.write_bytes(file.read_bytes()[:-1])
    with RunFolder(tmp_path, CONFIG) as folder:
        folder.append(record("HumanEval/1"))
    run = read_run(tmp_path)
    assert ([r.problem for r in run.records], run.faults) == (["HumanEval/0", "HumanEval/1"], ())


@settings(max_examples=30)
@given(position=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_never_crashes_the_reader(
    tmp_path_factory: pytest.TempPathFactory, position: int, byte: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, CONFIG, [record("HumanEval/0"), record("HumanEval/1")])
    data = bytearray((folder / "records.jsonl").read_bytes())
    data[position % len(data)] = byte
    (folder / "records.jsonl").write_bytes(data)
    run = read_run(folder)
    assert len(run.records) + len(run.faults) >= 1


def test_a_line_that_is_no_record_is_dropped_and_said(tmp_path: Path) -> None:
    write_run(tmp_path, CONFIG, [record("HumanEval/0"), record("HumanEval/1")])
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    wrong = json.loads(lines[0])
    wrong["attempts"][0]["round"] = "zero"
    (tmp_path / "records.jsonl").write_text("\n".join([json.dumps(wrong), "", "[]", lines[1]]) + "\n")
    run = read_run(tmp_path)
    assert [r.problem for r in run.records] == ["HumanEval/1"]
    assert [fault.split("(")[1].split(")")[0] for fault in run.faults] == [
        "round must be int, not str",
        "a record lacks problem",
    ]


def test_of_two_records_of_one_problem_the_later_counts(tmp_path: Path) -> None:
    write_run(tmp_path, CONFIG, [record(code="first"), record(code="second")])
    run = read_run(tmp_path)
    assert [r.answer.code for r in run.records] == ["second"]
    assert "recorded twice" in run.faults[0]


def test_another_configuration_is_refused_in_one_sentence(tmp_path: Path) -> None:
    write_run(tmp_path, CONFIG, [record()])
    before = (tmp_path / "records.jsonl").read_bytes()
    with pytest.raises(EvaluationError) as refused:
        RunFolder(tmp_path, dataclasses.replace(CONFIG, model="qwen2.5-coder-1.5b", rounds=1))
    sentence = str(refused.value)
    assert "rounds (2, not 1)" in sentence
    assert 'model ("qwen2.5-coder-0.5b", not "qwen2.5-coder-1.5b")' in sentence
    assert "\n" not in sentence
    assert (tmp_path / "records.jsonl").read_bytes() == before


def test_records_without_a_configuration_are_refused(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_text("{}\n")
    with pytest.raises(EvaluationError, match=r"records without a config\.json"):
        RunFolder(tmp_path, CONFIG)
    with pytest.raises(EvaluationError, match="holds no run"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must be an object"),
        ('{"format": 99}', "format 99"),
        ('{"format": 1, "benchmark": "mbpp+"}', "lacks dataset_version"),
        ('{"format": 1, "rounds": "two"}', "rounds must be int, not str"),
        ('{"format": 1, "rounds": true}', "rounds must be int, not bool"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_run(tmp_path)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path, CONFIG), pytest.raises(EvaluationError, match="another program is writing"):
        RunFolder(tmp_path, CONFIG)
    RunFolder(tmp_path, CONFIG).close()


def test_a_run_that_is_being_written_is_not_replaced(tmp_path: Path) -> None:
    with RunFolder(tmp_path, CONFIG), pytest.raises(EvaluationError, match="another program is writing"):
        held(tmp_path).__enter__()
    with held(tmp_path), pytest.raises(EvaluationError, match="another program is writing"):
        RunFolder(tmp_path, CONFIG)


def test_only_the_same_replies_may_be_replaced(tmp_path: Path) -> None:
    def run(*records: ProblemRecord) -> Run:
        return Run(CONFIG, records)

    must_be_replaceable(tmp_path, run(record()))
    write_run(tmp_path, CONFIG, [record()])
    read_anew = replace(record(), attempts=(replace(attempt(), code="other", rule="text"),))
    must_be_replaceable(tmp_path, run(read_anew, record("HumanEval/1")))
    for other in (run(), run(record("HumanEval/1")), run(record(code="another reply"))):
        with pytest.raises(EvaluationError, match="another run, which would be lost"):
            must_be_replaceable(tmp_path, other)


def test_a_compressed_run_is_read_and_not_written_to(tmp_path: Path) -> None:
    write_run(tmp_path, CONFIG, [record()])
    write_run(tmp_path, CONFIG, [record()], compressed=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "records.jsonl.gz"]
    first = (tmp_path / "records.jsonl.gz").read_bytes()
    write_run(tmp_path, CONFIG, [record()], compressed=True)
    assert (tmp_path / "records.jsonl.gz").read_bytes() == first  # committed results change only with their content
    assert read_run(tmp_path / "records.jsonl.gz").records == (record(),)
    with pytest.raises(EvaluationError, match="compressed"):
        RunFolder(tmp_path, CONFIG)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_damaged_compressed_run_gives_what_is_left(tmp_path: Path, keep: float) -> None:
    write_run(tmp_path, CONFIG, [record(f"HumanEval/{n}", code=str(n) * n) for n in range(50)], compressed=True)
    file = tmp_path / "records.jsonl.gz"
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * keep)])
    run = read_run(tmp_path)
    assert len(run.records) < 50
    assert keep == 0 or any("damaged" in fault for fault in run.faults)


def test_a_file_that_is_no_gzip_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, CONFIG, [record()], compressed=True)
    (tmp_path / "records.jsonl.gz").write_bytes(b"<html>not found</html>")
    assert "damaged" in read_run(tmp_path).faults[0]


def test_gzip_of_others_is_read(tmp_path: Path) -> None:
    write_run(tmp_path, CONFIG, [record()])
    (tmp_path / "records.jsonl.gz").write_bytes(gzip.compress((tmp_path / "records.jsonl").read_bytes()))
    (tmp_path / "records.jsonl").unlink()
    assert read_run(tmp_path).records == (record(),)


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    with RunFolder(tmp_path, CONFIG) as folder:

        def work(first: int) -> None:
            for number in range(first, first + 10):
                folder.append(record(f"HumanEval/{number}", code="x" * 5000))

        threads = [threading.Thread(target=work, args=(10 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    run = read_run(tmp_path)
    assert (len(run.records), run.faults) == (80, ())


_WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from opencodeinterpreter.evaluation.records import ProblemRecord
from opencodeinterpreter.evaluation.run_folder import RunFolder, read_run
run = read_run(Path(sys.argv[1]))
with RunFolder(Path(sys.argv[2]), run.config) as folder:
    for number in range(10**9):
        folder.append(ProblemRecord(f"HumanEval/{number}", run.records[0].attempts, final=0))
"""


def test_a_killed_writer_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    write_run(tmp_path / "like", CONFIG, [record(code="x" * 20_000)])
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path / "like"), str(tmp_path / "run")])
    file = tmp_path / "run" / "records.jsonl"
    while not file.exists() or file.stat().st_size < 200_000:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    with RunFolder(tmp_path / "run", CONFIG) as folder:
        numbers = sorted(int(problem.split("/")[1]) for problem, _ in folder.done)
    assert len(numbers) >= 4
    assert numbers == list(range(len(numbers)))


def test_what_stands_after_each_round() -> None:
    answer, refused, accepted = attempt("a"), attempt("b", 1, "repair"), attempt("c", 2, "repair")
    kept = ProblemRecord("p", (answer, refused, accepted), final=2, standing=(0, 0, 2))
    assert [kept.after_round(number).code for number in range(4)] == ["a", "a", "c", "c"]
    plain = ProblemRecord("p", (answer, refused, accepted), final=2)
    assert [plain.after_round(number).code for number in range(3)] == ["a", "b", "c"]
    returned = ProblemRecord("p", (answer, refused), final=0)
    assert returned.after_round(1).code == "a"


@pytest.mark.parametrize("indices", [{"final": 1}, {"final": -1}, {"final": 0, "standing": (3,)}])
def test_a_record_that_points_nowhere_is_refused(indices: dict[str, Any]) -> None:
    with pytest.raises(EvaluationError, match="points at an attempt"):
        ProblemRecord("p", (attempt(),), **indices)
