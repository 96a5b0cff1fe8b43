from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from protocol_tools import (
    BASE_ONLY,
    BODY,
    FAILING,
    MBPP_PROBLEM,
    PROBLEM,
    PROMPT,
    RIGHT,
    WRONG,
    RememberingGrader,
    double,
    fenced,
    solve,
)

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.protocols import PROTOCOLS, Settings, load_protocol
from opencodeinterpreter.evaluation.protocols.human import short_guidance
from opencodeinterpreter.evaluation.protocols.inputs import mutations, written_inputs
from opencodeinterpreter.evaluation.protocols.prompts import first_messages
from opencodeinterpreter.models import Generation, ScriptedModel

ONCE = Settings(again=0)


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with RememberingGrader(tmp_path_factory.mktemp("grading")) as grader:
        yield grader


def test_the_classes_are_those_of_the_notes() -> None:
    found = {name: (load_protocol(name).leakage, load_protocol(name).honest) for name in PROTOCOLS}
    assert found == {
        "single": ("L0", True),
        "runtime": ("L1", True),
        "visible": ("L2", True),
        "selftest": ("L3", True),
        "select": ("L2+L3", True),
        "execution": ("L5", False),
        "human": ("L6", False),
        "human-visible": ("L6", True),
        "oracle": ("L7", False),
    }


def test_an_unknown_protocol_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(EvaluationError, match="did you mean execution"):
        load_protocol("exection")


def test_the_prompt_of_evalplus_begins_the_reply_too() -> None:
    question, begun = first_messages(PROBLEM, "evalplus")
    assert question.content.startswith(
        "Please provide a self-contained Python script that solves the following problem"
    )
    assert f"```\n{PROMPT.strip()}\n```" in question.content
    assert begun.role == "assistant"
    assert begun.content.endswith(":\n```python\n")
    assert first_messages(PROBLEM, "evalplus-chat") == (question,)


def test_a_begun_reply_is_whole_in_the_record_and_in_the_dialog(grader: Grader) -> None:
    code = WRONG.split("```python\n")[1].split("```")[0]
    solved = solve("visible", [f"{code}```\n\nIt adds them.", RIGHT], grader)
    first, second = solved.outcome.attempts
    assert first.reply == f"{first.messages[-1].content}{code}```"
    assert first.rule == "fence"
    assert [message.role for message in first.messages] == ["user", "assistant"]
    assert [message.role for message in second.messages] == ["user", "assistant", "user"]
    assert second.messages[1].content == first.reply
    assert second.reply == RIGHT


@pytest.mark.parametrize("problem", [PROBLEM, MBPP_PROBLEM])
def test_the_original_prompt_has_its_marks(problem: object) -> None:
    [message] = first_messages(problem, "original")  # type: ignore[arg-type]
    assert "\n\n@@ Instruction\n" in message.content
    assert message.content.endswith("\n\n@@ Response")


def test_single_asks_once(grader: Grader) -> None:
    solved = solve("single", [WRONG], grader)
    assert solved.kinds == ["answer"]
    assert len(solved.model.requests) == 1


class TestExecution:
    def test_feedback_has_the_published_form(self, grader: Grader) -> None:
        solved = solve("execution", [WRONG, RIGHT], grader)
        assert solved.feedback == (
            "Execution result: \nThe results aren't as expected.\nInput: [2, 1]\nExpected Output: 5\nActual Output: 3"
            "\nThe results aren't as expected.\nInput: [10, -3]\nExpected Output: 17\nActual Output: 7"
        )
        assert [message.role for message in solved.model.requests[1]] == ["user", "assistant", "user"]
        assert solved.outcome.final == 1

    def test_the_base_gate_shows_the_base_tests_alone(self, grader: Grader) -> None:
        solved = solve("execution", [WRONG, RIGHT], grader, Settings(gate="base"))
        assert "Input: [2, 1]" in solved.feedback
        assert "[10, -3]" not in solved.feedback
        assert len(solve("execution", [BASE_ONLY], grader, Settings(gate="base")).outcome.attempts) == 1

    def test_a_failure_of_the_plus_tests_is_shown_where_the_base_tests_pass(self, grader: Grader) -> None:
        solved = solve("execution", [BASE_ONLY, RIGHT], grader)
        assert solved.feedback.endswith("Input: [-50, 2]\nExpected Output: -98\nActual Output: 102")

    def test_an_error_is_shown_as_a_traceback_of_the_solution(self, grader: Grader) -> None:
        solved = solve("execution", [FAILING, RIGHT], grader)
        assert solved.feedback.startswith('Execution result: \nFile "<string>", line 2, in double_plus\n')
        assert "ZeroDivisionError: division by zero" in solved.feedback

    def test_a_missing_function_is_named(self, grader: Grader) -> None:
        replies = [fenced("def other(items):\n    return items"), RIGHT]
        solved = solve("execution", replies, grader, Settings(again=0), problem=MBPP_PROBLEM)
        text = "Please rename your function to backwards as there is no function named backwards."
        assert solved.feedback == f"Execution result: \n{text}"

    def test_feedback_of_a_suite_is_cut_at_500_characters(self, grader: Grader) -> None:
        solved = solve("execution", [double("'x' * 5000"), RIGHT], grader, Settings(gate="base"))
        assert len(solved.feedback) <= len("Execution result: \n") + 500

    def test_there_is_no_second_try_where_the_hidden_tests_pass(self, grader: Grader) -> None:
        assert len(solve("execution", [RIGHT], grader).outcome.attempts) == 1

    def test_one_refinement_is_the_default(self, grader: Grader) -> None:
        assert solve("execution", [WRONG, FAILING], grader).kinds == ["answer", "refinement"]

    def test_the_score_cannot_fall(self, grader: Grader) -> None:
        solved = solve("execution", [BASE_ONLY, FAILING], grader)
        assert solved.outcome.final == 0
        assert solved.outcome.standing == (0, 0)

    def test_flattened_it_is_one_user_message_as_the_original_had_it(self, grader: Grader) -> None:
        settings = Settings(flattened=True, prompt="original", gate="base")
        solved = solve("execution", [WRONG, RIGHT], grader, settings)
        [first], [second] = solved.model.requests
        assert second.content == (
            f"{first.content}\n{WRONG}\n\n@@ Instruction\nExecution result: \nThe results aren't as expected.\n"
            "Input: [2, 1]\nExpected Output: 5\nActual Output: 3\n"
        )

    def test_the_cause_can_be_asked_for_before_the_code(self, grader: Grader) -> None:
        solved = solve("execution", [WRONG, RIGHT], grader, Settings(refine="cause"))
        assert "what in the code causes this" in solved.feedback

    def test_the_reply_can_be_begun_with_its_code(self, grader: Grader) -> None:
        solved = solve("execution", [WRONG, RIGHT.split("```python\n")[1]], grader, Settings(refine="code"))
        *_, feedback, begun = solved.model.requests[1]
        assert feedback.content.endswith("Reply with the complete corrected code in one ```python block.")
        assert (begun.role, begun.content) == ("assistant", "```python\n")
        assert solved.outcome.final == 1

    def test_the_task_can_be_set_anew_without_the_code_that_failed(self, grader: Grader) -> None:
        settings = Settings(refine="fresh", rounds=3, prompt="evalplus")
        begun = [text.split("```python\n")[1] for text in (WRONG, double("7"), RIGHT)]
        solved = solve("execution", begun, grader, settings)
        first, second, third = solved.model.requests
        assert second[0].content == (
            f"{first[0].content.rstrip()}\n\nA solution of this has been tried and was not right.\n"
            "Execution result: \nThe results aren't as expected.\nInput: [2, 1]\nExpected Output: 5\nActual Output: 3"
            "\nThe results aren't as expected.\nInput: [10, -3]\nExpected Output: 17\nActual Output: 7"
        )
        assert second[1:] == first[1:], "the reply is begun as the first one was"
        assert third[0].content.startswith(second[0].content), "the feedback of every round stays"
        assert third[0].content.count("has been tried") == 2
        assert solved.outcome.final == 2


class TestRefining:
    def test_the_same_code_again_is_asked_for_again_at_a_higher_temperature(self, grader: Grader) -> None:
        same = fenced("def double_plus(number, extra):\n    # a remark\n    return number + extra")
        solved = solve("execution", [WRONG, same, RIGHT], grader)
        assert solved.kinds == ["answer", "repetition", "refinement"]
        assert solved.outcome.attempts[2].notes["temperature"] == 0.7
        assert solved.outcome.final == 2

    def test_untouched_repetition_is_never_accepted(self, grader: Grader) -> None:
        solved = solve("execution", [WRONG, WRONG, WRONG, WRONG], grader)
        assert solved.kinds == ["answer", "repetition", "repetition", "repetition"]
        assert solved.outcome.final == 0

    def test_without_asking_again_it_is_as_published(self, grader: Grader) -> None:
        assert solve("execution", [WRONG, WRONG], grader, ONCE).kinds == ["answer", "refinement"]

    def test_the_best_candidate_of_a_round_goes_on(self, grader: Grader) -> None:
        settings = Settings(candidates=3, rounds=3, refine_temperature=0.3)
        solved = solve("visible", [FAILING, WRONG, double("5"), double("extra"), RIGHT], grader, settings)
        # 5 is right for the first example, and extra for the second: the first of the best goes on.
        assert solved.feedback.startswith("Execution result: \nThe results aren't as expected.\nInput: double_plus(")
        assert solved.outcome.final == 4
        assert [attempt.notes.get("temperature") for attempt in solved.outcome.attempts[1:4]] == [0.3, 0.8, 0.8]

    def test_draws_have_seeds_of_their_own(self, grader: Grader) -> None:
        seeds: list[int | None] = []

        class Watching(ScriptedModel):
            def stream(self, messages, generation=None):  # type: ignore[no-untyped-def]
                seeds.append(generation.seed)
                return super().stream(messages, generation)

        from opencodeinterpreter.evaluation.protocols import Solving
        from opencodeinterpreter.models.asking import Asker
        from opencodeinterpreter.models.response_cache import ResponseCache

        model = Watching([WRONG, RIGHT, double("1"), WRONG])
        settings = Settings(Generation(temperature=0.5))
        for sample in range(2):
            asker = Asker(model, "x", ResponseCache(None))
            solving = Solving(load_protocol("single"), settings, asker, grader, sample=sample)
            solving.first(PROBLEM)
            solving.first(PROBLEM, draw=1)
        assert len(set(seeds)) == 4


class TestHonest:
    @pytest.mark.parametrize("name", [name for name in PROTOCOLS if load_protocol(name).honest])
    def test_no_honest_protocol_can_reach_the_hidden_tests(self, name: str, grader: Grader) -> None:
        from opencodeinterpreter.evaluation.protocols import Solving
        from opencodeinterpreter.models.asking import Asker
        from opencodeinterpreter.models.response_cache import ResponseCache

        solving = Solving(load_protocol(name), Settings(), Asker(ScriptedModel([]), "x", ResponseCache(None)), grader)
        with pytest.raises(EvaluationError, match="may not see the hidden tests"):
            solving.grade(PROBLEM, "code")

    def test_runtime_tells_of_errors(self, grader: Grader) -> None:
        solved = solve("runtime", [FAILING, RIGHT], grader)
        assert "The call double_plus(2, 1) failed:" in solved.feedback
        assert "ZeroDivisionError" in solved.feedback
        assert solved.outcome.final == 1

    def test_runtime_does_not_tell_of_wrong_answers(self, grader: Grader) -> None:
        assert len(solve("runtime", [WRONG], grader).outcome.attempts) == 1

    def test_runtime_loads_code_where_the_prompt_shows_no_example(self, grader: Grader) -> None:
        bare = replace(PROBLEM, examples=())
        broken = fenced("import no_such_module\ndef double_plus(number, extra):\n    return extra")
        solved = solve("runtime", [broken, RIGHT], grader, problem=bare)
        assert "no_such_module" in solved.feedback
        assert solved.outcome.final == 1

    def test_visible_tells_of_the_examples_of_the_prompt(self, grader: Grader) -> None:
        solved = solve("visible", [WRONG, RIGHT], grader)
        assert "Input: double_plus(2, 1)\nExpected Output: 5\nActual Output: 3" in solved.feedback
        assert solved.outcome.attempts[0].notes == {"examples": 2, "examples passed": 1}

    def test_visible_leaves_alone_what_passes_them(self, grader: Grader) -> None:
        assert len(solve("visible", [BASE_ONLY], grader).outcome.attempts) == 1

    def test_a_refinement_counts_only_if_it_passes_more(self, grader: Grader) -> None:
        solved = solve("visible", [WRONG, double("extra")], grader)
        assert solved.outcome.final == 0

    def test_without_examples_visible_is_single(self, grader: Grader) -> None:
        solved = solve("visible", [WRONG], grader, problem=replace(PROBLEM, examples=()))
        assert len(solved.outcome.attempts) == 1

    def test_a_reply_without_code_is_told_what_is_missing(self, grader: Grader) -> None:
        solved = solve("visible", ["", RIGHT], grader)
        assert "no function named double_plus" in solved.feedback
        assert solved.outcome.final == 1

    def test_selftest_runs_what_the_model_wrote_itself(self, grader: Grader) -> None:
        inputs = fenced("double_plus(-4, 9)\ndouble_plus(100, 1)")
        picky = fenced("def double_plus(number, extra):\n    assert number > 0\n    return number * 2 + extra")
        solved = solve("selftest", [picky, inputs, RIGHT], grader)
        assert "The call double_plus(-4, 9) failed:" in solved.feedback
        assert solved.outcome.final == 1
        assert solved.record.notes["asides"][0]["kind"] == "inputs"

    def test_mbpp_shows_its_assert(self, grader: Grader) -> None:
        solved = solve(
            "visible",
            [fenced(f"def backwards(items):\n    return items{cut}") for cut in ("", "[::-1]")],
            grader,
            problem=MBPP_PROBLEM,
        )
        assert "Input: backwards([1, 2])\nExpected Output: [2, 1]\nActual Output: [1, 2]" in solved.feedback
        assert solved.outcome.final == 1


class TestHuman:
    GUIDANCE = "The number must be doubled. Add the extra afterwards."

    def ask(self, name: str, grader: Grader) -> tuple[str, str]:
        person = ScriptedModel([self.GUIDANCE])
        solved = solve(name, [WRONG, RIGHT], grader, synthesizer=person)
        assert solved.outcome.final == 1
        assert solved.record.notes["asides"][0]["kind"] == "guidance"
        return solved.feedback, person.requests[0][-1].content

    def test_only_the_words_of_the_person_reach_the_model(self, grader: Grader) -> None:
        told, asked = self.ask("human", grader)
        assert told == self.GUIDANCE
        assert "Input: [10, -3]" in asked
        assert BODY.strip() not in asked

    def test_the_oracle_sees_the_reference_solution(self, grader: Grader) -> None:
        told, asked = self.ask("oracle", grader)
        assert told == self.GUIDANCE
        assert f"@@Canonical Solution\n{BODY.strip()}" in asked

    def test_the_honest_person_sees_the_visible_examples_alone(self, grader: Grader) -> None:
        _, asked = self.ask("human-visible", grader)
        assert "Input: double_plus(2, 1)\nExpected Output: 5" in asked
        assert "10, -3" not in asked
        assert "31, 4" not in asked

    def test_without_a_synthesizer_one_sentence_says_so(self, grader: Grader) -> None:
        with pytest.raises(EvaluationError, match="needs a synthesizer"):
            solve("human", [WRONG, RIGHT], grader)

    def test_a_person_who_says_nothing_ends_it(self, grader: Grader) -> None:
        solved = solve("human", [WRONG], grader, synthesizer=ScriptedModel(["```python\nreturn 1\n```"]))
        assert len(solved.outcome.attempts) == 1

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("One. Two? Three! Four.", "One. Two? Three!"),
            ("Use 3.5, e.g. in a[i].b. Then stop.", "Use 3.5, e.g. in a[i].b. Then stop."),
            ("Do this:\n```python\nx = 1\n```\nNow.", "Do this:\n\nNow."),
            ("1. Sort it. 2. Then stop. Done. More.", "1. Sort it. 2. Then stop."),
            ("Hint: sort it:\ndef f(x):\n    y = x\n    return y\nfor\nDone.", "Hint: sort it:\nfor\nDone."),
        ],
    )
    def test_guidance_is_three_sentences_and_no_code(self, text: str, kept: str) -> None:
        assert short_guidance(text) == kept


class TestSelect:
    INPUTS = fenced("double_plus(-4, 9)\ndouble_plus(100, 1)\ndouble_plus(3, -3)")

    def test_the_visible_examples_choose(self, grader: Grader) -> None:
        settings = Settings(samples=3, baseline=False)
        solved = solve("select", [WRONG, FAILING, RIGHT], grader, settings)
        assert solved.kinds == ["sample"] * 3
        assert solved.outcome.final == 2
        assert solved.outcome.notes["steps"] | {"random pick": 0} == {
            "greedy": 0,
            "random pick": 0,
            "visible filter": 2,
            "agreement": 2,
            "repair": 2,
        }

    def test_agreement_on_own_inputs_chooses_among_those_that_pass(self, grader: Grader) -> None:
        other = double("extra + 2 * number")
        settings = Settings(samples=3, baseline=False)
        solved = solve("select", [BASE_ONLY, RIGHT, other, self.INPUTS], grader, settings)
        assert solved.outcome.notes["steps"]["visible filter"] == 0
        assert solved.outcome.final in (1, 2)
        assert len(solved.outcome.attempts) == 3

    def test_what_passes_nothing_is_repaired(self, grader: Grader) -> None:
        settings = Settings(samples=2, rounds=3, baseline=False)
        solved = solve("select", [WRONG, FAILING, RIGHT], grader, settings)
        assert solved.kinds == ["sample", "sample", "repair"]
        steps = solved.outcome.notes["steps"]
        assert (steps["agreement"], steps["repair"], solved.outcome.final) == (0, 2, 2)
        assert solved.outcome.standing == (0, 2)

    def test_the_baseline_costs_as_many_requests(self, grader: Grader) -> None:
        solved = solve("select", [WRONG, FAILING, double("extra"), RIGHT], grader, Settings(samples=2))
        assert solved.kinds == ["sample", "sample", "repair", "baseline"]
        assert solved.outcome.notes["steps"]["equal-budget resampling"] == 3

    def test_samples_are_spent_where_they_are_needed(self, grader: Grader) -> None:
        settings = Settings(samples=8, spend="needed", baseline=False)
        other = double("extra + 2 * number")
        settled = solve("select", [RIGHT, other, RIGHT, self.INPUTS], grader, settings)
        assert len(settled.outcome.attempts) == 3
        replies = [RIGHT, other, WRONG, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, self.INPUTS]
        assert len(solve("select", replies, grader, settings).outcome.attempts) == 8


class TestInputs:
    def test_calls_are_read_from_whatever_surrounds_them(self) -> None:
        reply = "1. `double_plus(1, 2)`\n- double_plus(3, -4),\nassert double_plus(5, 6) == 16\ndouble_plus(x, 1)\na"
        assert written_inputs(reply, PROBLEM, 10) == [(1, 2), (3, -4), (5, 6)]

    def test_calls_with_another_number_of_arguments_are_left_out(self) -> None:
        assert written_inputs("double_plus(1)\ndouble_plus(1, 2, 3)\ndouble_plus()", PROBLEM, 10) == []

    def test_mutations_keep_the_types_and_repeat_themselves(self) -> None:
        seeds = [(3, "abc", [1, 2], {"a": 1.5}, (True,), {4})]
        made = mutations(seeds, 40, "seed")
        assert made == mutations(seeds, 40, "seed")
        assert len(made) > 20
        assert len({repr(each) for each in made}) == len(made)
        assert all([type(part) for part in each] == [type(part) for part in seeds[0]] for each in made)
