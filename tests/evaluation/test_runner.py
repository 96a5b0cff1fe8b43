from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from protocol_tools import DATASET, PROBLEM, RIGHT, WRONG, RememberingGrader, fenced

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ContextLengthError, EvaluationError, ModelConnectionError
from opencodeinterpreter.evaluation.configuration import chosen, default_rounds, run_config
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.identity import Identity
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols import Outcome, Settings, Solving, load_protocol
from opencodeinterpreter.evaluation.protocols.leakage import Leak, marked_leaks
from opencodeinterpreter.evaluation.records import ProblemRecord, RunConfig
from opencodeinterpreter.evaluation.run_folder import RunFolder, read_run
from opencodeinterpreter.evaluation.runner import Ended, Work, run_protocol
from opencodeinterpreter.evaluation.verdicts import Verdict
from opencodeinterpreter.models import Generation, ScriptedModel
from opencodeinterpreter.models.asking import Asker, repeats_itself
from opencodeinterpreter.models.response_cache import ResponseCache

BACKWARDS = fenced("def backwards(items):\n    return items[::-1]")


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with RememberingGrader(tmp_path_factory.mktemp("grading")) as grader:
        yield grader


class Bench:
    """Runs ``single`` over the tiny benchmark, with what a test wants to be different."""

    def __init__(self, path: Path, grader: Grader) -> None:
        self.path, self.grader = path, grader
        self.protocol = load_protocol("single")
        self.settings = Settings(prompt="evalplus-chat", rounds=1)
        self.cache = ResponseCache(None)

    def __call__(
        self, model: ScriptedModel, progress: object = None, pauses: Sequence[float] = (), **work: object
    ) -> Ended:
        asker = Asker(model, "scripted", self.cache, pauses)
        samples = work.get("samples", 1)
        config = run_config(DATASET, self.protocol, self.settings, Identity("m", "", "m"), samples=samples)  # type: ignore[arg-type]
        wanted = {"problems": DATASET.problems, **work}
        with RunFolder(self.path, config) as folder:
            return run_protocol(
                Work(self.protocol, self.settings, asker=asker, grader=self.grader, **wanted), folder, progress
            )  # type: ignore[arg-type]

    @property
    def records(self) -> dict[tuple[str, int], ProblemRecord]:
        return {(record.problem, record.sample): record for record in read_run(self.path).records}


@pytest.fixture
def bench(tmp_path: Path, grader: Grader) -> Bench:
    return Bench(tmp_path / "run", grader)


class Telling:
    """A progress display that does something with every record."""

    def __init__(self, then: Callable[[ProblemRecord], None] = lambda record: None) -> None:
        self.total, self.before, self.added = 0, 0, 0
        self._then = then

    def begin(self, records: Sequence[ProblemRecord], total: int) -> None:
        self.before, self.total = len(records), total

    def add(self, record: ProblemRecord) -> None:
        self.added += 1
        self._then(record)

    def tick(self) -> None: ...


def test_both_verdicts_of_every_problem_are_recorded(bench: Bench) -> None:
    progress = Telling()
    assert bench(ScriptedModel([WRONG, BACKWARDS]), progress) == Ended(made=2, left=0)
    grades = {problem: record.answer.grade for (problem, _), record in bench.records.items()}
    assert grades["HumanEval/0"].base.verdict is Verdict.WRONG
    assert grades["Mbpp/2"].base.passed
    assert grades["Mbpp/2"].plus.passed
    assert (progress.before, progress.added, progress.total) == (0, 2, 2)


def test_a_run_goes_on_where_it_was(bench: Bench) -> None:
    bench(ScriptedModel([RIGHT]), problems=DATASET.problems[:1])
    progress = Telling()
    assert bench(ScriptedModel([BACKWARDS]), progress) == Ended(made=1, left=0)
    assert (progress.before, progress.added, progress.total) == (1, 1, 2)
    assert bench(ScriptedModel([])) == Ended(made=0, left=0)


def test_a_run_of_another_configuration_is_never_mixed_in(bench: Bench) -> None:
    bench(ScriptedModel([RIGHT]), problems=DATASET.problems[:1])
    bench.settings = replace(bench.settings, prompt="original")
    with pytest.raises(EvaluationError, match="another configuration"):
        bench(ScriptedModel([BACKWARDS]))


def test_independent_samples_are_records_of_their_own(bench: Bench) -> None:
    bench.settings = Settings(Generation(temperature=0.8), "evalplus-chat", rounds=1)
    bench(ScriptedModel([RIGHT, WRONG]), problems=[PROBLEM], samples=2)
    assert [(key, record.answer.reply) for key, record in sorted(bench.records.items())] == [
        (("HumanEval/0", 0), RIGHT),
        (("HumanEval/0", 1), WRONG),
    ]


class TestFaults:
    class Dying(ScriptedModel):
        """Answers some requests and then is gone, for some time or for ever."""

        def __init__(self, replies: Sequence[str], lives: int, faults: int = 10**6) -> None:
            super().__init__(replies)
            self.lives, self.faults, self.tries = lives, faults, 0

        def stream(self, messages, generation=None):  # type: ignore[no-untyped-def]
            self.tries += 1
            if self.lives == 0 and self.faults:
                self.faults -= 1
                raise ModelConnectionError("the endpoint localhost does not answer")
            self.lives = max(0, self.lives - 1)
            return super().stream(messages, generation)

    def test_a_model_that_comes_back_is_waited_for(self, bench: Bench) -> None:
        model = self.Dying([RIGHT, BACKWARDS], lives=1, faults=2)
        assert bench(model, pauses=(0.01, 0.01)) == Ended(made=2, left=0)

    def test_a_model_that_dies_stops_the_run_with_everything_kept(self, bench: Bench) -> None:
        model = self.Dying([RIGHT, BACKWARDS], lives=1)
        with pytest.raises(ModelConnectionError) as caught:
            bench(model, pauses=(0.01, 0.01))
        assert model.tries == 4
        assert str(caught.value).startswith("the endpoint localhost does not answer (3 tries); what was done is kept")
        assert "the same command goes on" in str(caught.value)
        assert list(bench.records) == [("HumanEval/0", 0)]
        assert bench(ScriptedModel([BACKWARDS])) == Ended(made=1, left=0)

    def test_ctrl_c_loses_nothing_that_was_answered(self, bench: Bench) -> None:
        def interrupt(record: ProblemRecord) -> None:
            raise KeyboardInterrupt

        slow = ScriptedModel([RIGHT, BACKWARDS], delta_characters=1, delay_seconds=0.02)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            bench(slow, Telling(interrupt))
        assert time.monotonic() - began < 60
        assert [record.answer.reply for record in bench.records.values()] == [RIGHT]
        # A reply that was cut off is none, and is not in the cache.
        assert len(bench.cache) == 1
        assert bench(ScriptedModel([BACKWARDS])) == Ended(made=1, left=0)
        assert bench.records["Mbpp/2", 0].answer.reply == BACKWARDS

    def test_a_reply_is_never_generated_twice(self, bench: Bench, tmp_path: Path) -> None:
        bench(ScriptedModel([RIGHT, BACKWARDS]))
        bench.path = tmp_path / "another"
        assert bench(ScriptedModel([])) == Ended(made=2, left=0)
        assert all(record.answer.cached for record in bench.records.values())

    def test_an_empty_reply_is_no_code(self, bench: Bench) -> None:
        bench(ScriptedModel([""]), problems=[PROBLEM])
        assert bench.records["HumanEval/0", 0].answer.grade.base.verdict is Verdict.NO_CODE

    def test_an_endless_reply_is_cut(self, bench: Bench) -> None:
        endless = "```python\ndef double_plus(a, b):\n    return 2 * a + b\n```\n" + "and again " * 100_000
        bench.settings = Settings(Generation(max_tokens=10**6), "evalplus-chat", rounds=1)
        bench(ScriptedModel([endless]), problems=[PROBLEM])
        answer = bench.records["HumanEval/0", 0].answer
        assert answer.notes == {"finish": "repetition"}
        assert len(answer.reply) < 3000
        assert answer.tokens.completion, "what it cost is counted although it was cut"
        assert answer.grade.plus.passed

    def test_a_reply_that_spends_its_tokens_is_marked(self, bench: Bench) -> None:
        bench.settings = Settings(Generation(max_tokens=5), "evalplus-chat", rounds=1)
        bench(ScriptedModel([RIGHT]), problems=[PROBLEM])
        assert bench.records["HumanEval/0", 0].answer.notes == {"finish": "length"}

    def test_a_dialog_that_is_too_long_is_a_failure_of_this_problem_alone(self, bench: Bench) -> None:
        class Short(ScriptedModel):
            def stream(self, messages, generation=None):  # type: ignore[no-untyped-def]
                if "double_plus" in messages[-1].content:
                    raise ContextLengthError("too long")
                return super().stream(messages, generation)

        assert bench(Short([BACKWARDS])) == Ended(made=2, left=0)
        assert bench.records["HumanEval/0", 0].answer.notes == {"finish": "context"}

    def test_what_a_longer_context_would_change_is_asked_again(self, bench: Bench) -> None:
        room = [0, 3, 1000]

        class Growing(ScriptedModel):
            def stream(self, messages, generation=None):  # type: ignore[no-untyped-def]
                tokens = room.pop(0)
                if not tokens:
                    raise ContextLengthError("too long")
                return super().stream(messages, replace(generation, max_tokens=min(generation.max_tokens, tokens)))

        model = Growing([RIGHT, RIGHT])
        asker = Asker(model, "scripted", bench.cache, ())
        asked = (Message("user", "Write it."),)
        ends = [asker.ask(asked, Generation()).finish for _ in range(4)]
        assert ends == ["context", "length", "stop", "stop"]
        assert room == []

    def test_no_problem_is_begun_after_the_time(self, bench: Bench) -> None:
        assert bench(ScriptedModel([]), seconds=0.0) == Ended(made=0, left=2)


def test_a_server_is_asked_many_at_a_time(bench: Bench) -> None:
    together = threading.Barrier(2, timeout=30)

    def answer(messages: Sequence[Message]) -> str:
        together.wait()
        return RIGHT if "double_plus" in messages[-1].content else BACKWARDS

    bench(ScriptedModel([answer, answer]), concurrency=2)
    assert all(record.answer.grade.plus.passed for record in bench.records.values())


class Leaking:
    """Calls itself honest, and tells the model a hidden test."""

    name, leakage, honest, synthesizes, settings = "single", "L0", True, False, frozenset({"prompt"})

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        message = Message("user", f"{problem.prompt}\nInput: [31, 4]\nExpected Output: 66")
        return Outcome((solving.attempt(problem, (message,), round_=0, kind="answer"),), 0)


def test_a_planted_leak_is_found_at_the_end_of_a_run(bench: Bench) -> None:
    bench.protocol = Leaking()  # type: ignore[assignment]
    ended = bench(ScriptedModel([RIGHT]), problems=[PROBLEM])
    assert [leak.kind for leak in ended.leaks] == ["hidden input"]


def test_a_planted_leak_is_marked_as_soon_as_its_record_is_written(bench: Bench) -> None:
    bench.protocol = Leaking()  # type: ignore[assignment]
    seen: list[list[Leak]] = []
    bench(ScriptedModel([RIGHT]), Telling(lambda record: seen.append(marked_leaks(record))), problems=[PROBLEM])
    assert [leak.kind for leak in seen[0]] == ["hidden input"]
    # The mark is in the file, for those who have the records and not the data.
    [record] = bench.records.values()
    assert marked_leaks(record) == seen[0]
    assert str(seen[0][0]).startswith("HumanEval/0 (sample 0), attempt 0: hidden input: ")


def test_a_record_without_a_leak_has_no_mark(bench: Bench) -> None:
    bench(ScriptedModel([RIGHT]), problems=[PROBLEM])
    [record] = bench.records.values()
    assert "leaks" not in record.notes
    assert marked_leaks(record) == []


def test_published_protocols_leak_by_design_and_are_not_checked(bench: Bench) -> None:
    bench.protocol, bench.settings = load_protocol("execution"), Settings(gate="base")
    assert bench(ScriptedModel([WRONG, RIGHT]), problems=[PROBLEM]) == Ended(made=1, left=0)


@pytest.mark.parametrize("piece", ["a", "ab ", "print(1)\n", "x = 0\n" * 3, "0, "])
def test_repetition_is_recognized(piece: str) -> None:
    assert repeats_itself("def f():\n" + piece * 1000)


@pytest.mark.parametrize("text", ["", "a" * 900, "".join(f"x{number} = {number}\n" for number in range(500))])
def test_what_goes_on_differently_is_no_repetition(text: str) -> None:
    assert not repeats_itself(text)


class TestConfiguration:
    def test_problems_are_chosen_by_id_and_range(self) -> None:
        def ids(*words: str, limit: int | None = None) -> list[str]:
            return [problem.id for problem in chosen(DATASET, words, limit)]

        assert ids() == ["HumanEval/0", "Mbpp/2"]
        assert ids(limit=1) == ["HumanEval/0"]
        assert ids("2") == ids("Mbpp/2") == ids("mbpp/1-9") == ["Mbpp/2"]
        assert ids("0-5", limit=9) == ["HumanEval/0", "Mbpp/2"]

    @pytest.mark.parametrize("word", ["7", "HumanEval/2", "x", "3-"])
    def test_an_id_that_there_is_not_is_named(self, word: str) -> None:
        with pytest.raises(EvaluationError, match=word):
            chosen(DATASET, [word])

    def test_problems_of_ones_own_need_no_numbers(self) -> None:
        own = replace(DATASET, problems=(replace(DATASET.problems[0], id="Own/add-two"), *DATASET.problems[1:]))
        assert [problem.id for problem in chosen(own, ["own/add-two"])] == ["Own/add-two"]
        assert [problem.id for problem in chosen(own, ["0-5"])] == ["Mbpp/2"]

    def test_published_protocols_refine_once(self) -> None:
        rounds = {name: default_rounds(load_protocol(name)) for name in ("single", "execution", "visible", "select")}
        assert rounds == {"single": 1, "execution": 2, "visible": 2, "select": 3}

    def test_the_settings_that_decide_are_named(self) -> None:
        def config(name: str, settings: Settings) -> object:
            return run_config(DATASET, load_protocol(name), settings, Identity("m", "f" * 64, "m"))

        row = run_config(DATASET, load_protocol("visible"), Settings(candidates=3), Identity("m", "f" * 64, "m"))
        assert (row.leakage, row.honest, row.settings["candidates"], row.settings["refine"]) == ("L2", True, 3, "cause")
        assert config("single", Settings(candidates=3)).key == config("single", Settings()).key  # type: ignore[attr-defined]
        assert config("visible", Settings(candidates=3)).key != config("visible", Settings()).key  # type: ignore[attr-defined]

    def test_a_server_and_an_unusual_context_decide_too(self) -> None:
        def config(endpoint: str, context: int | None = None) -> RunConfig:
            identity = Identity("openai:m", "", "m", endpoint)
            return run_config(DATASET, load_protocol("single"), Settings(), identity, context=context)

        assert config("a:1/v1").differences(config("b:1/v1"))
        assert config("a:1/v1").differences(config("a:1/v1", 4096))
        assert config("a:1/v1").settings["endpoint"] == "a:1/v1"
        assert {"endpoint", "context"}.isdisjoint(config("").settings)
