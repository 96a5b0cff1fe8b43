"""The query filter: what a judge writes, and what becomes of it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Player, Unusable
from opencodeinterpreter.codefeedback.asking.prompts import RUBRICS
from opencodeinterpreter.codefeedback.methods.agreement import agreement
from opencodeinterpreter.codefeedback.methods.judging import Judging, JudgingOptions, read_score, summary
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.models import ScriptedModel
from opencodeinterpreter.models.response_cache import Reply

QUERY = {"id": "q1", "query": "Write a program that solves sudoku.", "language": "python", "source": "own"}


def judging(*replies, responses: Path | None = None, **options) -> tuple[Judging, ScriptedModel]:
    model = ScriptedModel(replies)
    means = Means({"judge": Player("scripted", "scripted", lambda: model)}, responses=responses, seed=7)
    return Judging(means, JudgingOptions(**options)), model


def outcome(stage: Judging, row=QUERY):
    with stage.prepare() as process:
        return process(row)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("4\nNeeds a search with backtracking.", 4),
        ("**4**", 4),
        ("Level: 5", 5),
        ("Score: **3**\nReason: common functions", 3),
        ("4/5 because of the data structures", 4),
        ("4 out of 5", 4),
        ("I would rate this request a 2, since it needs 3 loops.", 2),
        ("On a scale from 1 to 5, the difficulty is 4.", 4),
        ('{"score": 5, "reason": "an NP-hard problem"}', 5),
        ('```json\n{"level": "3"}\n```', 3),
        ("Four", 4),
        ("Level four: needs graphs", 4),
        ("<think>It might be 2 or 3.</think>\n\n4", 4),
        ("4. Needs advanced logic", 4),
        ("4: advanced logic, algorithms or data structures", 4),
    ],
)
def test_the_score_is_read_from_what_small_models_write(text, score):
    assert read_score(Reply(text, "stop")).value == score


@pytest.mark.parametrize("text", ["", "6", "0", "10", "4.5", "It depends.", "1 to 5", "1, 2, 3, 4, 5", "45"])
def test_what_holds_no_choice_from_the_ladder_is_refused(text):
    with pytest.raises(Unusable):
        read_score(Reply(text, "stop"))


@given(st.text(max_size=200))
def test_any_text_gives_a_score_of_the_ladder_or_is_refused(text):
    try:
        score = read_score(Reply(text, "stop"))
    except Unusable:
        return
    assert score.value in range(1, 6)


@given(st.integers(1, 5), st.sampled_from(["", "**", "Score: ", "Level "]), st.text("abc, ", max_size=40))
def test_a_score_comes_back_with_its_reason(score, before, reason):
    found = read_score(Reply(f"{before}{score}\nReason: {reason}", "stop"))
    assert found.value == score
    assert found.reason == reason.strip(" ")


def test_the_reason_is_kept():
    assert read_score(Reply("4\nReason: It needs backtracking.", "stop")).reason == "It needs backtracking"
    assert read_score(Reply("4/5 - hard", "stop")).reason == "hard"


def test_a_query_with_high_scores_on_both_rubrics_goes_on_with_them():
    stage, model = judging("4\nbacktracking", "5")
    done = outcome(stage)
    assert done.drops == ()
    assert done.rows[0]["query"] == QUERY["query"]
    assert done.rows[0]["meta"]["scores"] == {
        "first": {"score": 4, "reason": "backtracking"},
        "second": {"score": 5, "reason": ""},
    }
    assert done.notes["scores"] == {"first": {"4": 1}, "second": {"5": 1}}
    first, second = model.requests
    assert first[0].content != second[0].content
    assert "sudoku" in first[-1].content
    assert model.generations[0].max_tokens <= 20, "scoring is cheap"
    assert model.generations[0].temperature == 0


def test_a_low_score_on_the_first_rubric_is_not_judged_again():
    stage, model = judging("3\ncommon functions")
    done = outcome(stage)
    assert done.rows == ()
    assert done.drops[0].reason == "score on the first rubric too low"
    assert done.drops[0].detail == "3: common functions"
    assert done.notes["scores"] == {"first": {"3": 1}}
    assert len(model.requests) == 1


def test_a_low_score_on_the_second_rubric_drops_too():
    done = outcome(judging("5", "1")[0])
    assert done.drops[0].reason == "score on the second rubric too low"


def test_garbage_is_asked_again_with_another_seed_at_most_twice():
    stage, model = judging("Sure!", "hm", "4", "4")
    assert outcome(stage).rows
    assert [generation.temperature for generation in model.generations] == [0, 0.7, 0.7, 0]
    seeds = [generation.seed for generation in model.generations[:3]]
    assert len(set(seeds)) == 3

    stage, model = judging("Sure!", "hm", "?")
    done = outcome(stage)
    assert done.drops[0].reason == "the judge gave no score"
    assert len(model.requests) == 3


def test_asked_twice_the_judge_is_drawn_with_another_seed_and_both_verdicts_are_counted():
    stage, model = judging("4", "4", "5", "2", twice=True)
    done = outcome(stage)
    assert done.rows, "the first verdict decides"
    assert model.generations[2].temperature > 0
    assert model.generations[2].seed != model.generations[0].seed
    assert done.notes["asked twice"] == {
        "first": {"4 then 5": 1},
        "second": {"4 then 2": 1},
        "decision": {"kept then dropped": 1},
    }


def test_a_second_verdict_that_cannot_be_read_is_counted_and_drops_nothing():
    stage, _ = judging("2", "x", "y", "z", twice=True)
    done = outcome(stage)
    assert done.drops[0].reason == "score on the first rubric too low"
    assert done.notes["asked twice"] == {"unreadable": 1}


def test_the_agreement_of_a_run_is_summed_up():
    notes = {"asked twice": {"first": {"4 then 4": 6, "4 then 5": 2, "2 then 2": 2}, "decision": {"kept then kept": 4}}}
    found = summary({"scores": {}, **notes})["agreement"]
    assert found["first"]["judged"] == 10
    assert found["first"]["exact"] == 0.8
    # chance: 4/4: .8 * .6, 2/2: .2 * .2, so .52
    assert found["first"]["kappa"] == pytest.approx((0.8 - 0.52) / 0.48, abs=1e-4)
    assert found["decision"]["kappa"] is None, "one verdict alone tells nothing of chance"
    assert summary({"scores": {}}) == {}
    assert agreement({}) is None


def test_replies_are_kept_so_that_nothing_is_asked_again(tmp_path):
    responses = tmp_path / "replies.sqlite"
    stage, _ = judging("4", "4", responses=responses)
    first = outcome(stage)
    stage, model = judging(responses=responses)
    assert outcome(stage) == first
    assert model.requests == []


def test_a_long_query_is_shown_with_head_and_tail():
    stage, model = judging("4", "4", query_characters=200)
    outcome(stage, {**QUERY, "query": "BEGIN " + "x" * 5000 + " END"})
    shown = model.requests[0][-1].content
    assert "BEGIN" in shown
    assert "END" in shown
    assert len(shown) < 500


def test_settings_say_all_that_decides_the_result():
    stage, _ = judging(twice=True)
    assert stage.name == "filter"
    assert stage.settings["models"] == {"judge": {"name": "scripted", "identity": "scripted"}}
    assert stage.settings["seed"] == 7
    assert re.fullmatch(r"\d+", stage.settings["prompts"])
    assert stage.settings["twice"] is True
    assert stage.settings["keep"] == [4, 5]


def test_settings_that_cannot_be_used_are_named():
    with pytest.raises(ConfigError, match="first and second"):
        JudgingOptions(rubrics=("third",))
    with pytest.raises(ConfigError, match="1 to 5"):
        JudgingOptions(keep=(0,))
    with pytest.raises(ConfigError, match="judge"):
        Judging(Means({}))


def test_there_are_two_ladders_of_five_rungs():
    assert [len(rubric.rungs) for rubric in RUBRICS] == [5, 5]
