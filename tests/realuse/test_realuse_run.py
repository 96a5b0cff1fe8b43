"""The runner, with the real interpreter and sandbox and a model that says what it was told to say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.realuse.arms import Settings, keep_files, run_task
from benchmarks.realuse.records import append, read, run_key
from benchmarks.realuse.regrade import main as regrade
from benchmarks.realuse.run import main, measure, parse
from benchmarks.realuse.tasks import select
from opencodeinterpreter import ScriptedModel

WORKDAYS = "import numpy as np\nprint(np.busday_count('2019-03-01', '2031-11-06'))"


def block(code: str) -> str:
    return f"Let me see.\n```python\n{code}\n```"


def measured(tmp_path: Path, ids: list[str], replies: list[str], seeds: int = 1) -> list[dict[str, Any]]:
    out = tmp_path / "runs.jsonl"
    measure(ScriptedModel(replies), select(ids), range(seeds), Settings(), out, stream=io.StringIO())
    return list(read(out))


def test_a_repair_passes_with_feedback_and_fails_without(tmp_path: Path) -> None:
    replies = [block("print(nothing)"), block(WORKDAYS), "There are 3309 working days."]
    (row,) = measured(tmp_path, ["chinese-workdays"], replies)
    assert (row["single"]["passed"], row["feedback"]["passed"]) == (False, True)
    assert row["single"]["kind"] == "error at the end"
    assert row["single"]["error"].startswith("NameError")
    assert (row["single"]["executions"], row["single"]["rounds"]) == (1, 1)
    assert (row["feedback"]["executions"], row["feedback"]["rounds"]) == (2, 3)
    assert row["feedback"]["ended"] == "answered"
    assert row["feedback"]["cost"]["completion_tokens"] > row["single"]["cost"]["completion_tokens"] > 0
    assert [message["role"] for message in row["dialog"]] == ["system", *["user", "assistant"] * 3]


def test_a_right_first_output_passes_without_a_last_word(tmp_path: Path) -> None:
    (row,) = measured(tmp_path, ["chinese-workdays"], [block(WORKDAYS), "一共有3309个工作日。"])
    assert row["single"]["passed"]
    assert row["single"]["shown"] == "3309"
    assert row["feedback"]["passed"]


def test_a_number_in_the_code_is_no_answer(tmp_path: Path) -> None:
    replies = [block("days = 3309  # 3309\npass"), "Done."]
    (row,) = measured(tmp_path, ["chinese-workdays"], replies)
    assert not row["single"]["passed"]
    assert not row["feedback"]["passed"]
    assert row["feedback"]["kind"] == "wrong answer"


def test_an_answer_without_code_is_the_same_in_both_arms(tmp_path: Path) -> None:
    (row,) = measured(tmp_path, ["chinese-workdays"], ["There are 3300 or so."] * 2)
    assert row["feedback"]["kind"] == row["single"]["kind"] == "no code"
    assert row["feedback"]["rounds"] == row["single"]["rounds"] == 2


def test_a_model_that_fails_is_recorded_as_that(tmp_path: Path) -> None:
    (row,) = measured(tmp_path, ["chinese-workdays"], [block("print(1)")])
    assert row["feedback"]["kind"] == "model failure"
    assert "replies" in row["feedback"]["ended"]


def test_files_are_judged_as_they_were_after_the_first_execution(tmp_path: Path) -> None:
    wrong = "import pandas as pd\npd.read_excel('budget.xlsx').to_csv('budget.csv', sep=';', index=False)"
    right = (
        "frame = pd.read_excel('budget.xlsx', header=2)\n"
        "frame[frame['Item'] != 'Total'].to_csv('budget.csv', sep=';', index=False)"
    )
    (row,) = measured(tmp_path, ["budget"], [block(wrong), block(right), "It is in budget.csv."])
    assert (row["single"]["passed"], row["feedback"]["passed"]) == (False, True)
    assert "columns" in row["single"]["reason"]
    assert "budget.csv" in row["feedback"]["files"]
    kept = tmp_path / "runs.files" / row["key"]
    assert (kept / "single" / "budget.csv").read_text() != (kept / "feedback" / "budget.csv").read_text()


def test_several_turns_are_run_once_by_each_arm(tmp_path: Path) -> None:
    first = "def is_isbn10(text):\n    return len(text) == 10"
    mended = (
        "def is_isbn10(text):\n"
        "    values = [10 if c == 'X' else int(c) for c in text.replace('-', '')]\n"
        "    return sum((10 - i) * v for i, v in enumerate(values)) % 11 == 0"
    )
    count = "print(sum(is_isbn10(line.strip()) for line in open('isbns.txt')))"
    replies = [block(first), block(mended), "It works.", block(count), "171 are valid."]
    (row,) = measured(tmp_path, ["isbns"], [*replies, block(first), block(count)])
    assert (row["single"]["passed"], row["feedback"]["passed"]) == (False, True)
    assert (row["single"]["executions"], row["feedback"]["executions"]) == (2, 3)
    assert len(row["dialog_single"]) < len(row["dialog"])


def test_a_run_ends_at_its_time_limit(tmp_path: Path) -> None:
    (task,) = select(["chinese-workdays"])
    model = ScriptedModel([block("import time\ntime.sleep(60)")])
    run = run_task(task, model, 0, Settings(run_seconds=3), tmp_path / "kept")
    assert run.feedback.ended == "time limit"
    assert run.feedback.cost.seconds < 30


def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    replies = [block(WORKDAYS), "3309"]
    measured(tmp_path, ["chinese-workdays"], replies)
    (row,) = measured(tmp_path, ["chinese-workdays"], [])
    assert row["seed"] == 0
    rows = measured(tmp_path, ["chinese-workdays"], replies, seeds=2)
    assert [row["seed"] for row in rows] == [0, 1]


def test_a_key_changes_with_all_that_decides_the_result() -> None:
    one, other = select(["loan", "fit"])
    keys = {
        run_key(one, "m", 0, Settings()),
        run_key(other, "m", 0, Settings()),
        run_key(one, "n", 0, Settings()),
        run_key(one, "m", 1, Settings()),
        run_key(one, "m", 0, Settings(temperature=0.3)),
        run_key(one, "m", 0, Settings(max_rounds=4)),
    }
    assert len(keys) == 6
    assert run_key(one, "m", 0, Settings()) in keys


def test_a_line_cut_by_a_crash_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, {"format": 1, "key": "a"})
    with path.open("a") as file:
        file.write('{"format": 1, "key": "b", "te')
    append(path, {"format": 1, "key": "c\u2028d"})
    assert [row["key"] for row in read(path)] == ["a", "c\u2028d"]


def test_links_in_the_workspace_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "work" / "sub").mkdir(parents=True)
    (tmp_path / "work" / "sub" / "a.txt").write_text("a")
    (tmp_path / "work" / "link.txt").symlink_to("/etc/passwd")
    keep_files(tmp_path / "work", tmp_path / "kept")
    assert sorted(path.name for path in (tmp_path / "kept").rglob("*")) == ["a.txt", "sub"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps([block(WORKDAYS), "3309"]))
    out = tmp_path / "out" / "runs.jsonl"
    command = ["--model", f"scripted:{script}", "--out", str(out), "--tasks", "chinese-workdays", "--seeds", "1"]
    assert main([*command, "--discard-files"]) == 0
    shown = capsys.readouterr().err
    assert "[1/1] chinese-workdays seed 0: ++ 2 rounds" in shown
    assert "hard: without feedback 100%, with 100%" in shown
    assert not out.with_suffix(".files").exists()
    assert main(command) == 0
    assert "1 of 1 runs are there already" in capsys.readouterr().err


def test_the_command_takes_the_everyday_tasks_unless_told() -> None:
    assert parse(["--model", "m", "--out", "o"]).suite == "everyday"
    assert parse(["--model", "m", "--out", "o", "--suite", "hard"]).suite == "hard"
    with pytest.raises(SystemExit):
        parse(["--model", "m", "--out", "o", "--suite", "none"])


def test_the_command_refuses_what_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "runs.jsonl")
    assert main(["--model", "scripted:x", "--out", out, "--tasks", "loan,nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
    assert main(["--model", "no-such-model", "--out", out]) == 1
    assert "no-such-model" in capsys.readouterr().err


def test_recorded_runs_are_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = measured(tmp_path, ["chinese-workdays"], [block(WORKDAYS), "3309"])
    row["single"]["passed"] = False
    row["feedback"]["text"] = row["feedback"]["shown"] = "3308"
    stored = tmp_path / "spoiled.jsonl"
    append(stored, row)
    (tmp_path / "runs.files").rename(tmp_path / "spoiled.files")
    command = [str(stored), "--out", str(tmp_path / "new.jsonl")]
    assert regrade(command) == 0
    assert "single: now passed" in capsys.readouterr().out
    (new,) = read(tmp_path / "new.jsonl")
    assert (new["single"]["passed"], new["feedback"]["passed"], new["feedback"]["kind"]) == (
        True,
        False,
        "wrong answer",
    )
    assert regrade(command) == 2
    (tmp_path / "spoiled.files").rename(tmp_path / "elsewhere")
    assert regrade([str(stored), "--out", str(tmp_path / "other.jsonl")]) == 1
