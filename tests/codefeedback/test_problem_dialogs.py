"""Dialogs of problems with known solutions: joined, checked, put together, and shown without a character changed."""

import json
import random

import pytest
from shared_executors import shared_executor

from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Player, Unusable
from opencodeinterpreter.codefeedback.methods.checked_solutions import SolutionCheck
from opencodeinterpreter.codefeedback.methods.follow_ups import FollowUp, FollowUpOptions, distinct, follow_up
from opencodeinterpreter.codefeedback.methods.grouping import Tagged, grouped
from opencodeinterpreter.codefeedback.methods.problem_dialogs import answered
from opencodeinterpreter.codefeedback.methods.similar_problems import Similar, SimilarOptions
from opencodeinterpreter.codefeedback.pipeline.stage import Table
from opencodeinterpreter.codefeedback.rows import Problem, Solution
from opencodeinterpreter.codefeedback.verification.code_blocks import blocks
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import ConfigError, InputError
from opencodeinterpreter.models import ScriptedModel

SLOW = "class Solution:\n    def total(self, n):\n        return sum(range(n + 1))"
FAST = "class Solution:\n    def total(self, n):\n        return n * (n + 1) // 2"
WRONG = "class Solution:\n    def total(self, n):\n        return n"
CPP = "class Solution {\npublic:\n    int total(int n) { return n * (n + 1) / 2; }\n};"
PROBLEM = {
    "id": "leetcode/sum-to-n",
    "title": "Sum to n",
    "statement": "Add the numbers from 1 to n.",
    "solutions": [
        {"code": SLOW, "language": "python", "time": "O(n)", "space": "O(1)"},
        {"code": FAST, "language": "python", "time": "O(1)", "space": "O(1)", "note": "Formula"},
        {"code": WRONG, "language": "python", "time": "O(1)", "space": "O(n)"},
        {"code": CPP, "language": "cpp", "time": "O(1)", "space": "O(1)"},
    ],
    "tests": {"program": "assert Solution().total(10) == 55\n", "entry_point": "Solution().total"},
    "tags": ["Math", "Array"],
    "language": "python",
    "source": "own",
    "licence": "MIT",
}
CHECKED = {
    **PROBLEM,
    "solutions": [each for each in PROBLEM["solutions"] if each["code"] != WRONG],
    "meta": {"checked": 1},
}
EXECUTION = ExecutionSettings(wall_seconds=5, at_once=1)


def means(**replies):
    models = {part: ScriptedModel(texts, name=part) for part, texts in replies.items()}
    players = {part: Player(part, part, lambda model=model: model) for part, model in models.items()}
    return Means(players, seed=5, execution=EXECUTION, executor=shared_executor(EXECUTION)), models


def outcome(stage, row):
    with stage.prepare() as process:
        return process(row)


class AllRows:
    def __init__(self, rows):
        self._rows = rows

    def __iter__(self):
        return iter(self._rows)

    def __len__(self):
        return len(self._rows)


def built(stage, rows, folder):
    return list(stage.build(Table(AllRows(rows), folder)))


def rows_of(outcomes):
    return [row for done in outcomes for row in done.rows]


def drops_of(outcomes):
    return [drop.reason for done in outcomes for drop in done.drops]


def problem(number, tags, code="print(1)", **more):
    solution = {"code": f"{code}  # {number}", "language": "python"}
    row = {"id": f"p{number}", "statement": f"Problem {number}.", "solutions": [solution], "tags": tags, **more}
    return {**Problem.from_json(row).to_json(), "meta": {"checked": 1}}


# --- check ---


def test_solutions_are_seen_to_pass_before_they_are_used():
    done = outcome(SolutionCheck(EXECUTION), PROBLEM)
    found = Problem.from_json(done.rows[0])
    assert [solution.code for solution in found.solutions] == [SLOW, FAST, CPP]
    assert found.meta["checked"] == 1
    assert done.notes["solutions"] == {"passed": 2, "failed": 1, "other language, not executed": 1}


def test_a_file_of_old_solutions_is_taken_apart_completed_and_tested():
    old = (
        "# Time:  O(n)\n# Space: O(1)\nclass Solution(object):\n    def total(self, n):\n        result = 0\n"
        "        for i in xrange(n + 1):\n            result += i\n        return result\n\n\n"
        "# Time:  O(1)\n# Space: O(1)\nclass Solution2(object):\n    def total(self, n):\n        return n*(n+1)//2\n"
    )
    typed = "class Solution:\n    def total(self, n: Optional[int]) -> int:\n        return n * (n + 1) // 2"
    row = {**PROBLEM, "solutions": [{"code": old}, {"code": typed}, {"code": typed}]}
    found = Problem.from_json(outcome(SolutionCheck(EXECUTION), row).rows[0])
    assert [(each.time, each.language) for each in found.solutions] == [
        ("O(n)", "python"),
        ("O(1)", "python"),
        ("", "python"),
    ]
    assert "range(n + 1)" in found.solutions[0].code
    assert "class Solution(object)" in found.solutions[1].code
    assert found.solutions[2].code == f"from typing import Optional\n\n\n{typed}"


def test_the_program_in_a_sources_own_reply_is_used_with_its_words():
    reply = f"There is a formula for it.\n\n```python\n{FAST}\n```\n\nDone."
    row = {**PROBLEM, "solutions": [{"code": SLOW, "text": reply}]}
    found = Problem.from_json(outcome(SolutionCheck(EXECUTION), row).rows[0])
    assert [(each.code, each.text) for each in found.solutions] == [(FAST, "There is a formula for it."), (SLOW, "")]


def test_a_problem_without_a_right_solution_is_dropped():
    row = {**PROBLEM, "solutions": [{"code": WRONG}, {"code": "def broken(:"}]}
    done = outcome(SolutionCheck(EXECUTION), row)
    assert done.drops[0].reason == "no solution passes"
    assert done.notes["solutions"] == {"failed": 2}


# --- follow-ups ---


def test_solutions_of_one_problem_become_turns_and_the_model_writes_the_words_alone():
    texts = ["In Python, a loop adds the numbers.", "The formula needs no loop.", "The same in C++."]
    setting, models = means(narrator=texts)
    done = outcome(FollowUp(setting), CHECKED)
    dialog = Dialog.from_json(done.rows[0])
    contents = [message.content for message in dialog]
    assert contents[0] == PROBLEM["statement"]
    assert contents[1] == f"{texts[0]}\n\n```python\n{SLOW}\n```"
    assert "O(1)" in contents[2]
    assert "time" in contents[2]
    assert contents[3] == f"{texts[1]}\n\n```python\n{FAST}\n```"
    assert "C++" in contents[4]
    assert contents[5] == f"{texts[2]}\n\n```cpp\n{CPP}\n```"
    metas = [message.meta for message in dialog]
    assert [meta["kind"] for meta in metas] == ["query", "answer", "human", "answer", "human", "answer"]
    assert (metas[1]["passed"], metas[1]["executed"], metas[1]["train"]) == (True, True, True)
    assert (metas[5]["passed"], metas[5]["executed"], metas[5]["language"]) == (None, False, "cpp")
    assert metas[1]["tests"]["program"] == PROBLEM["tests"]["program"]
    assert "tests" not in metas[5]
    assert dialog.id == "followup-leetcode/sum-to-n"
    assert (dialog.meta["method"], dialog.meta["models"]) == ("followup", {"narrator": "narrator"})
    assert SLOW in models["narrator"].requests[0][-1].content
    assert done.notes == {"turns": {"3": 1}}


def test_a_text_that_holds_code_is_refused():
    bad = [f"It is:\n```python\n{FAST}\n```", "return n * (n + 1) // 2", "Use total = n * (n + 1)."]
    done = outcome(FollowUp(means(narrator=bad)[0]), CHECKED)
    assert done.drops[0].reason == "code where only words may be"
    done = outcome(FollowUp(means(narrator=[bad[0], *["It adds the numbers."] * 3])[0]), CHECKED)
    assert done.rows


def test_without_a_model_the_words_tell_what_is_known():
    row = outcome(FollowUp(means()[0]), CHECKED).rows[0]
    texts = [message["content"].split("\n")[0] for message in row["messages"][1::2]]
    assert texts[0] == "This is a solution in Python. It takes O(n) time and O(1) space."
    assert texts[1] == "This is a solution in Python (formula). It takes O(1) time and O(1) space."
    assert row["meta"]["models"] == {}


def test_which_solutions_follow_each_other():
    def solution(time, space, language="python"):
        return Solution(f"{time} {space} {language}", language, time, space)

    found = [
        solution("O(n)", "O(1)"),
        solution("O(n^2)", "O(1)"),
        solution("O(n)", "O(n)"),
        solution("O(n)", "O(1)", "cpp"),
        solution("O(n^2)", "O(1)", "cpp"),
        solution("O(n)", "O(1)"),
        solution("", ""),
    ]
    chosen = distinct(found, FollowUpOptions())
    assert [(each.time, each.space, each.language) for each in chosen] == [
        ("O(n^2)", "O(1)", "python"),
        ("O(n)", "O(n)", "python"),
        ("O(n)", "O(1)", "python"),
        ("O(n)", "O(1)", "cpp"),
    ]
    assert len(distinct(found, FollowUpOptions(max_turns=2))) == 2
    assert distinct(found, FollowUpOptions(max_turns=2))[-1].language == "cpp"
    assert [each.language for each in distinct(found, FollowUpOptions(languages=("python",)))] == ["python"] * 3
    assert distinct([found[3]], FollowUpOptions()) == []
    chance = random.Random(1)
    assert "O(n) time" in follow_up(chosen[0], chosen[1], chance) or "O(n)?" in follow_up(chosen[0], chosen[1], chance)
    assert "O(1) space" in follow_up(chosen[1], chosen[2], chance)
    assert "C++" in follow_up(chosen[2], chosen[3], chance)
    other = follow_up(chosen[2], chosen[0], chance)
    assert "O(n^2) time and O(1) space" in other


def test_a_problem_with_one_way_alone_is_dropped():
    done = outcome(FollowUp(means()[0]), {**PROBLEM, "solutions": PROBLEM["solutions"][:1]})
    assert done.drops[0].reason == "no two solutions that differ in time, space or language"
    assert (
        outcome(FollowUp(means()[0]), {**PROBLEM, "statement": ""}).drops[0].reason == "a problem without a statement"
    )


def test_code_that_would_be_changed_by_its_message_is_refused():
    task = Problem.from_json(PROBLEM)
    with_fences = Solution('text = """\n```\nno code\n```\n"""\nprint(text)', "python")
    message = answered("It prints Markdown.", with_fences, task)
    assert blocks(message.content)[0].code.rstrip("\n") == with_fences.code
    with pytest.raises(Unusable, match="would be changed"):
        answered("Two blocks:\n```python\nprint(1)\n```", with_fences, task)


# --- similar ---


def test_problems_with_shared_tags_are_merged_and_each_is_used_once(tmp_path):
    known = {"source": "own", "licence": "MIT"}
    rows = [problem(number, ["Graph"] if number % 2 else ["String", "Math"], **known) for number in range(9)]
    rows += [problem(20, ["Geometry"]), problem(21, []), problem(22, ["Math"], statement="")]
    done = built(Similar(means()[0], SimilarOptions(sizes=(2,))), rows, tmp_path)
    dialogs = rows_of(done)
    used = [name for row in dialogs for name in row["meta"]["problems"]]
    assert len(used) == len(set(used)) == 8
    for row in dialogs:
        parity = {int(name[1:]) % 2 for name in row["meta"]["problems"]}
        assert len(parity) == 1, "only problems with shared tags meet"
        assert [message["meta"]["kind"] for message in row["messages"]] == ["query", "answer", "human", "answer"]
        told = {(message["meta"]["source"], message["meta"]["licence"]) for message in row["messages"]}
        assert told == {("own", "MIT")}
    first = dialogs[0]
    number = first["meta"]["problems"][0][1:]
    assert first["messages"][0]["content"] == f"Problem {number}."
    assert f"print(1)  # {number}" in first["messages"][1]["content"]
    assert first["meta"]["tags"] in (["Graph"], ["Math", "String"])
    assert sorted(drops_of(done)) == [
        "a problem without a statement",
        "a problem without tags",
        "no similar problem is left",
        "no similar problem is left",
    ]
    assert rows_of(built(Similar(means()[0], SimilarOptions(sizes=(2,))), rows, tmp_path)) == dialogs


def test_solutions_that_were_not_checked_are_checked_first(tmp_path):
    other = {**PROBLEM, "id": "b", "solutions": [{"code": WRONG}, {"code": FAST}]}
    bad = {**PROBLEM, "id": "c", "solutions": [{"code": WRONG}]}
    done = built(Similar(means()[0], SimilarOptions(sizes=(2,))), [PROBLEM, other, bad], tmp_path)
    (row,) = rows_of(done)
    assert sorted(row["meta"]["problems"]) == ["b", "leetcode/sum-to-n"]
    assert WRONG not in json.dumps(row)
    assert all(message["meta"]["passed"] is True for message in row["messages"][1::2])
    assert drops_of(done) == ["no solution passes"]


def test_a_model_may_write_the_sentence_between(tmp_path):
    rows = [problem(number, ["Graph"]) for number in range(4)]
    setting, models = means(linker=["Now another one about graphs.", "```python\nprint(1)\n```", "One. Two.", "{}"])
    dialogs = rows_of(built(Similar(setting, SimilarOptions(sizes=(2,))), rows, tmp_path))
    seconds = sorted(row["messages"][2]["content"] for row in dialogs)
    assert any(text.startswith("Now another one about graphs.\n\nProblem") for text in seconds)
    assert any(text.startswith("Problem") for text in seconds), "a sentence of no use is left out"
    assert "Graph" in models["linker"].requests[0][-1].content


def test_groups_are_of_the_likest_and_the_same_for_the_same_seed():
    tagged = [
        Tagged(str(number), number, frozenset({"array", "rare"} if number < 2 else {"array", f"t{number % 3}"}))
        for number in range(30)
    ]
    groups, alone = grouped(tagged, (2, 3), 0.5, random.Random(1))
    assert grouped(tagged, (2, 3), 0.5, random.Random(1)) == (groups, alone)
    assert any({each.number for each in group} == {0, 1} for group in groups)
    assert len({each.number for group in groups for each in group} | {each.number for each in alone}) == 30
    assert all(2 <= len(group) <= 3 for group in groups)


def test_of_problems_with_the_same_tags_those_that_speak_of_the_same_things_meet():
    words = ["return the island in the grid", "return the coins in the purse", "return the matrix", "return the queue"]
    tagged = [
        Tagged(str(number), number, frozenset({"graph"}), frozenset(words[number % 4].split())) for number in range(8)
    ]
    groups, _ = grouped(tagged, (2,), 0.5, random.Random(1))
    assert sorted(tuple(sorted(each.number for each in group)) for group in groups) == [(0, 4), (1, 5), (2, 6), (3, 7)]


def test_settings_and_rows_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(ConfigError, match="two turns"):
        FollowUpOptions(max_turns=1)
    with pytest.raises(ConfigError, match="two of them"):
        SimilarOptions(sizes=(1,))
    with pytest.raises(ConfigError, match="likeness"):
        SimilarOptions(floor=0)
    with pytest.raises(ConfigError, match="no part strong"):
        Similar(means(strong=[])[0])
    with pytest.raises(InputError):
        Similar(means()[0]).check({"query": "x"})
    assert Similar(means()[0]).settings["seed"] == 5
    assert SolutionCheck().settings["version"] == 1
    assert FollowUp(means()[0]).settings["models"] == {}
