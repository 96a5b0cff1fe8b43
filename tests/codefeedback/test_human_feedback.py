"""Simulated human feedback: what is read from a model, and what the rules refuse."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.asking.parts import Cast, Player, Unusable
from opencodeinterpreter.codefeedback.asking.prompts import HUMAN_KINDS
from opencodeinterpreter.codefeedback.methods.human_feedback import checked, comment_on, read_judgement
from opencodeinterpreter.models import Generation, ScriptedModel
from opencodeinterpreter.models.response_cache import Reply

WISH = "Please handle an empty list too."
GOOD = {"satisfied": ["clarity"], "not_satisfied": ["bugs", "efficiency"], "about": "bugs", "feedback": WISH}


def read(text):
    return read_judgement(Reply(text, "stop"))


def test_there_are_ten_kinds():
    assert len(HUMAN_KINDS) == 10


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=2)}\n```",
        f"Sure! Here is my feedback:\n{json.dumps(GOOD)}\nI hope this helps.",
        str(GOOD),
        json.dumps(GOOD)[:-1] + ",}",
        f'{{"satisfied": ["clarity"], "not_satisfied": ["bugs", "efficiency"], "feedback": "{WISH}"',
        f'{{satisfied: [clarity], not_satisfied: [bugs, efficiency], about: "bugs", feedback: "{WISH}"}}',
        json.dumps({**GOOD, "not_satisfied": ["Bug identification", "Efficiency: speed"], "about": ""}),
        f'<think>{{"feedback": "no"}}</think>{json.dumps(GOOD)}',
    ],
)
def test_broken_json_is_read(text):
    comment = read(text)
    assert comment.text == WISH
    assert comment.kind == "bugs"
    assert comment.satisfied == ("clarity",)
    assert comment.not_satisfied == ("bugs", "efficiency")


@pytest.mark.parametrize("wanting", [[], ["the colour"], None])
def test_without_a_known_kind_there_is_no_feedback(wanting):
    with pytest.raises(Unusable, match="without a kind"):
        read(json.dumps({**GOOD, "not_satisfied": wanting}))
    with pytest.raises(Unusable, match="without a kind"):
        read("The code is fine.")


@pytest.mark.parametrize(
    "said", [{}, "", "...", "The mean is 5.", "One. Two. Three.", "Write `x = sorted(y)` instead."]
)
def test_a_text_that_breaks_a_rule_is_left_out_of_the_judgement(said):
    comment = read(json.dumps({**GOOD, "feedback": said}))
    assert comment.text == ""
    assert comment.not_satisfied == ("bugs", "efficiency")


def test_a_kind_in_both_lists_counts_as_satisfied():
    row = {**GOOD, "satisfied": ["bugs", "clarity"], "about": ""}
    assert read(json.dumps(row)).not_satisfied == ("efficiency",)
    row = {**GOOD, "satisfied": ["bugs", "efficiency"]}
    assert read(json.dumps(row)).not_satisfied == ("bugs", "efficiency")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty reply"),
        ("One is needed. Two too. Three also.", "too long"),
        ("Please " + "do this and " * 40 + "that.", "too long"),
        ("Use this: ```python\nprint(1)\n```", "code where"),
        ("Write `x = sorted(y)` instead.", "code where"),
        ("x = sorted(y)", "code where"),
        ("You should add\nif not values:\n    return []", "code where"),
        ("Change it to total = sum(values) please.", "code where"),
        ("The code is correct and easy to read.", "wishes nothing"),
        ("The mean of the numbers is: 5.0", "wishes nothing"),
        ("Please change.", "wishes nothing"),
        ("I have updated the function for you, please look.", "programmer's voice"),
    ],
)
def test_what_breaks_a_rule_is_refused_for_a_reason(text, reason):
    with pytest.raises(Unusable, match=reason):
        checked(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please rename `x` to something that tells what it holds.",
        "Could `solve()` also take a list, e.g. of file names? It would help me.",
        "The code works, but it is slow with 3.5 million rows.",
        "Can you make it faster when the list is already sorted?",
        "Return an empty list if there is nothing to do.",
    ],
)
def test_what_a_person_would_say_passes(text):
    assert checked(text) == text


def test_thanks_are_left_out():
    assert checked("Thanks! please add a docstring.") == "Please add a docstring."


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        comment = read(text)
    except Unusable:
        return
    assert comment.kind in HUMAN_KINDS


@given(st.text(max_size=300))
def test_feedback_never_holds_a_fence(text):
    try:
        assert "```" not in checked(text)
    except Unusable:
        return


def said(*replies, seed=1):
    model = ScriptedModel(replies)
    with Cast({"user": Player("u", "u", lambda: model)}, None, Generation()) as cast:
        return comment_on(cast["user"], "Sum a list.", "print(sum([1]))", "Execution result: \n1", seed), model


def test_it_is_asked_again_until_the_rules_are_kept():
    comment, model = said("nothing", json.dumps({"not_satisfied": []}), json.dumps(GOOD))
    assert comment.text == WISH
    assert [each.temperature for each in model.generations] == [0, 0.7, 0.7]
    with pytest.raises(Unusable):
        said("nothing", "nothing", "nothing")


def test_where_the_text_breaks_a_rule_the_wish_alone_is_asked_for():
    long = json.dumps({**GOOD, "feedback": "One. Two. Three."})
    comment, model = said(long, "It is fast.", '"Please make it faster for long lists."')
    assert comment.text == "Please make it faster for long lists."
    assert comment.kind in ("bugs", "efficiency")
    assert HUMAN_KINDS[comment.kind] in model.requests[-1][-1].content
    with pytest.raises(Unusable):
        said(long, "It is.", "It is.", "It is.")


def test_feedback_that_tells_the_output_again_is_none():
    echoed = json.dumps({**GOOD, "feedback": "The mean is: 5.0 and 6.0. The function should be faster."})
    model = ScriptedModel([echoed, "Please make it faster for long lists."])
    with Cast({"user": Player("u", "u", lambda: model)}, None, Generation()) as cast:
        comment = comment_on(cast["user"], "The mean.", "print(5)", "Execution result: \nThe mean is: 5.0 and 6.0", 1)
    assert comment.text == "Please make it faster for long lists."


def test_a_wish_for_what_was_asked_at_first_is_none():
    model = ScriptedModel([json.dumps({**GOOD, "feedback": ""}), "Please add the numbers of a list.", WISH])
    with Cast({"user": Player("u", "u", lambda: model)}, None, Generation()) as cast:
        comment = comment_on(
            cast["user"], "Add the numbers of a list. Quickly.", "print(5)", "Execution result: \n5", 1
        )
    assert comment.text == WISH


def test_the_kind_is_the_one_that_is_spoken_of():
    row = {"satisfied": ["efficiency"], "not_satisfied": ["syntax"], "feedback": "Please make it more efficient."}
    comment = read(json.dumps(row))
    assert (comment.kind, comment.satisfied) == ("efficiency", ())
    assert comment.not_satisfied == ("syntax", "efficiency")


def test_the_order_of_the_kinds_depends_on_the_seed_alone():
    one, again, other = (said(json.dumps(GOOD), seed=seed)[1].requests[0][0].content for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert all(kind in one for kind in HUMAN_KINDS)
