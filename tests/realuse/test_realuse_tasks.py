"""Every checker passes its reference solution, and fails whatever is not an answer."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
import realuse_everyday_mistakes as everyday
from realuse_mistakes import MISTAKES as HARD_MISTAKES
from realuse_mistakes import Mistake

from benchmarks.realuse.outcome import Need, Outcome
from benchmarks.realuse.task import DATA, Suite, Task
from benchmarks.realuse.tasks import TASKS, select

MISTAKES = {**HARD_MISTAKES, **everyday.MISTAKES}
FILES_ALONE = {
    *("books", "accounts", "budget", "events", "order-codes"),
    *("everyday-months", "everyday-planets", "everyday-menu", "everyday-notes", "everyday-chat", "everyday-teams"),
    *("everyday-style", "everyday-hotels", "everyday-scatter", "everyday-semicolons", "everyday-sorted"),
}
"""Tasks that ask for no value in words."""
AND_FILES = {"homework", "rain", "fit", "visits", "crashing-report", "passengers", "euros", "everyday-histogram"}


def each(tasks: Iterable[Task]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("task", list(tasks), ids=lambda task: task.id)


EVERY = each(TASKS)
WITH_VALUES = each(task for task in TASKS if task.id not in FILES_ALONE)
WITH_FILES = each(task for task in TASKS if task.id in FILES_ALONE | AND_FILES)
REFUSALS = (
    "I could not do this: the file could not be read. / Das ging leider nicht. / 无法完成。\n"
    "Stopped after 5 runs, as many as allowed. The last run failed: KeyError: 'amount'."
)


def words(needs: tuple[Need, ...]) -> str:
    return "; ".join(need.phrase() for need in needs if need.phrase())


def outcome(folder: Path, text: str = "", shown: str = "") -> Outcome:
    return Outcome(text=text, shown=shown, stdout=shown, files=folder, rounds=1)


def given(task: Task, folder: Path) -> None:
    for name in task.files:
        shutil.copy(DATA / name, folder / name)


@pytest.mark.parametrize("suite", ["everyday", "hard"])
def test_there_are_enough_of_every_kind(suite: Suite) -> None:
    tasks = select([], suite)
    assert len(tasks) >= 30
    assert len({task.category for task in tasks}) == 11
    assert {task.language for task in tasks} == {"en", "zh", "de"}
    assert sum(len(task.turns) > 1 for task in tasks) >= 3


def test_no_two_tasks_have_one_id() -> None:
    assert len({task.id for task in TASKS}) == len(TASKS)


def test_tasks_are_selected_by_id_and_by_suite() -> None:
    assert [task.id for task in select(["fit", "loan"])] == ["loan", "fit"]
    assert [task.id for task in select(["loan"], "everyday")] == ["loan"]
    assert select([]) == select([], "all") == TASKS
    assert {task.suite for task in select([], "hard")} == {"hard"}
    assert len(select([], "hard")) + len(select([], "everyday")) == len(TASKS)
    with pytest.raises(KeyError, match="nothing"):
        select(["loan", "nothing"])


def test_a_third_to_a_half_of_the_everyday_tasks_fail_at_first() -> None:
    assert 1 / 3 <= len(everyday.ATTEMPTS) / len(select([], "everyday")) <= 1 / 2
    assert len({task.category for task in select(list(everyday.ATTEMPTS))}) >= 8


def executed(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MPLBACKEND", "agg")
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(code, {"__name__": "__main__"})
    return shown.getvalue()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@each(select(list(everyday.ATTEMPTS)))
def test_an_obvious_attempt_stops_with_an_error_that_a_short_change_mends(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, error, changes = everyday.ATTEMPTS[task.id]
    given(task, tmp_path)
    with pytest.raises(error):
        executed(code, tmp_path, monkeypatch)
    for wrong, right in changes.items():
        assert wrong in code
        code = code.replace(wrong, right)
    verdict = task.check(outcome(tmp_path, shown=executed(code, tmp_path, monkeypatch)))
    assert verdict.passed, verdict.reason


@EVERY
def test_the_lists_of_this_module_are_right(task: Task, tmp_path: Path) -> None:
    needs = task.solve(tmp_path)
    assert bool(words(needs)) == (task.id not in FILES_ALONE)
    assert any(not need.phrase() for need in needs) == (task.id in FILES_ALONE | AND_FILES)


@EVERY
def test_the_reference_passes_in_words_and_in_output(task: Task, tmp_path: Path) -> None:
    needs = task.solve(tmp_path)
    assert needs
    assert task.check(outcome(tmp_path, text=words(needs))).passed
    said_wrong = outcome(tmp_path, text="There you are.", shown=words(needs).replace("; ", "\n"))
    assert task.check(said_wrong).passed


@EVERY
def test_an_empty_outcome_fails(task: Task, tmp_path: Path) -> None:
    given(task, tmp_path)
    verdict = task.check(outcome(tmp_path))
    assert not verdict.passed
    assert verdict.reason


@EVERY
def test_a_refusal_fails(task: Task, tmp_path: Path) -> None:
    given(task, tmp_path)
    assert not task.check(outcome(tmp_path, text=REFUSALS, shown=REFUSALS)).passed


@WITH_VALUES
def test_repeating_the_task_and_the_data_fails(task: Task, tmp_path: Path) -> None:
    """The answer does not stand in what the model was given; the files asked for are there."""
    task.solve(tmp_path)
    text = "\n".join(turn.message for turn in task.turns)
    heads = [(DATA / name).read_bytes().decode("utf-8", "replace").splitlines()[:12] for name in task.files]
    shown = "\n".join(line for head in heads for line in head)
    assert not task.check(outcome(tmp_path, text=text, shown=shown)).passed


@WITH_VALUES
def test_counting_to_a_hundred_fails(task: Task, tmp_path: Path) -> None:
    task.solve(tmp_path)
    assert not task.check(outcome(tmp_path, text=" ".join(map(str, range(101))))).passed


@WITH_FILES
def test_words_without_the_files_fail(task: Task, tmp_path: Path) -> None:
    (tmp_path / "solved").mkdir()
    (tmp_path / "given").mkdir()
    needs = task.solve(tmp_path / "solved")
    given(task, tmp_path / "given")
    assert not task.check(outcome(tmp_path / "given", text=words(needs))).passed


@pytest.mark.parametrize(
    ("task", "mistake"),
    [
        pytest.param(task, wrong, id=f"{task.id}-{wrong.__name__}-{n}")
        for task in TASKS
        for n, wrong in enumerate(MISTAKES[task.id])
    ],
)
def test_plausible_wrong_answers_fail(task: Task, mistake: Mistake, tmp_path: Path) -> None:
    task.solve(tmp_path)
    text = mistake(tmp_path)
    assert not task.check(outcome(tmp_path, text=text)).passed, text
    assert not task.check(outcome(tmp_path, shown=text)).passed, text


def test_every_task_has_a_wrong_answer() -> None:
    assert MISTAKES.keys() == {task.id for task in TASKS}
    assert all(MISTAKES.values())


@WITH_VALUES
def test_a_value_deep_in_a_dump_is_no_answer(task: Task, tmp_path: Path) -> None:
    needs = task.solve(tmp_path)
    assert not task.check(outcome(tmp_path, shown=words(needs) + "\nand so on" * 60)).passed
