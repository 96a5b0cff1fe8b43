"""Replies that come out of the records of earlier runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from protocol_tools import DATASET, FAILING, WRONG, RememberingGrader, double

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.configuration import run_config
from opencodeinterpreter.evaluation.earlier_replies import keep_replies
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.identity import Identity
from opencodeinterpreter.evaluation.protocols import Settings, load_protocol
from opencodeinterpreter.evaluation.records import ProblemRecord
from opencodeinterpreter.evaluation.run_folder import RunFolder, read_run
from opencodeinterpreter.evaluation.runner import Work, run_protocol
from opencodeinterpreter.models import ScriptedModel
from opencodeinterpreter.models.asking import Asker
from opencodeinterpreter.models.response_cache import ResponseCache

MODEL = Identity("model.gguf", "1f" * 32, "llama.cpp:1f")


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with RememberingGrader(tmp_path_factory.mktemp("grading")) as grader:
        yield grader


def run(
    folder: Path, grader: Grader, model: ScriptedModel, cache: ResponseCache, settings: Settings
) -> list[ProblemRecord]:
    """Solve the first problem with execution feedback; return the records."""
    protocol = load_protocol("execution")
    asker = Asker(model, MODEL.key, cache, ())
    with RunFolder(folder, run_config(DATASET, protocol, settings, MODEL)) as opened:
        run_protocol(Work(protocol, settings, DATASET.problems[:1], asker, grader), opened)
    return list(read_run(folder).records)


@pytest.mark.parametrize("prompt", ["qwen", "evalplus", "evalplus-chat", "original"])
@pytest.mark.parametrize(
    "first",
    [
        "def double_plus(number, extra):\n    return number + extra\n```\nThat is it.",
        "def double_plus(number, extra):\n    return number + extra",
        'def double_plus(number, extra):\n    """\n```\n    """\n    return number + extra',
        WRONG,
        "no code at all",
        "x" * 5000,
    ],
)
def test_a_run_is_made_again_without_asking(tmp_path: Path, grader: Grader, prompt: str, first: str) -> None:
    settings = Settings(prompt=prompt, again=0)  # type: ignore[arg-type]
    made = run(
        tmp_path / "first", grader, ScriptedModel([first, double("number * 2 + extra")]), ResponseCache(None), settings
    )
    cache = ResponseCache(None)
    assert keep_replies(read_run(tmp_path / "first"), MODEL, cache) == 2
    assert keep_replies(read_run(tmp_path / "first"), MODEL, cache) == 0
    again = run(tmp_path / "second", grader, ScriptedModel([]), cache, settings)
    seen = [[(each.messages, each.reply, each.code, each.notes, each.tokens) for each in r.attempts] for r in made]
    assert [[(e.messages, e.reply, e.code, e.notes, e.tokens) for e in r.attempts] for r in again] == seen
    assert all(attempt.cached for attempt in again[0].attempts)


def test_what_was_drawn_goes_by_its_seed(tmp_path: Path, grader: Grader) -> None:
    settings = Settings(prompt="evalplus-chat", again=1)
    run(tmp_path / "first", grader, ScriptedModel([WRONG, WRONG, FAILING]), ResponseCache(None), settings)
    earlier, cache = read_run(tmp_path / "first"), ResponseCache(None)
    assert [attempt.notes.get("temperature") for attempt in earlier.records[0].attempts] == [None, None, 0.7]
    assert keep_replies(earlier, MODEL, cache) == 3
    again = run(tmp_path / "second", grader, ScriptedModel([]), cache, settings)
    assert [attempt.reply for attempt in again[0].attempts] == [WRONG, WRONG, FAILING]


def test_what_was_drawn_by_an_unknown_seed_is_left_out(tmp_path: Path, grader: Grader) -> None:
    settings = Settings(prompt="evalplus-chat", again=1)
    records = run(tmp_path, grader, ScriptedModel([WRONG, WRONG, FAILING]), ResponseCache(None), settings)
    attempts = [
        replace(each, notes={k: v for k, v in each.notes.items() if k != "seed"}) for each in records[0].attempts
    ]
    earlier = replace(read_run(tmp_path), records=(replace(records[0], attempts=tuple(attempts)),))
    assert keep_replies(earlier, MODEL, ResponseCache(None)) == 2


def test_a_run_of_another_model_is_refused(tmp_path: Path, grader: Grader) -> None:
    run(tmp_path, grader, ScriptedModel([double("number * 2 + extra")]), ResponseCache(None), Settings())
    for other in (Identity("other.gguf", "1f" * 32, "x"), Identity("model.gguf", "2e" * 32, "x")):
        with pytest.raises(EvaluationError, match=r"the replies in .* are of model\.gguf \(1f1f1f1f1f1f\), not of "):
            keep_replies(read_run(tmp_path), other, ResponseCache(None))
