"""Simulated dialogs: scripted models, and a sandbox that really runs what they write."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from shared_executors import shared_executor

from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Player
from opencodeinterpreter.codefeedback.methods.simulation import Simulation, SimulationOptions
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.models import ScriptedModel

QUERY = {"id": "q1", "query": "Print the sum of 1 to 10.", "language": "python", "source": "own", "licence": "MIT"}
PROBLEM = {
    "id": "p1",
    "title": "Double",
    "statement": "Write a function double(x) that returns twice x.",
    "tests": {"program": "assert double(3) == 6\n", "entry_point": "double"},
    "language": "python",
}


EXECUTION = ExecutionSettings(wall_seconds=5, at_once=1)


def code(text, before="I will do that."):
    return f"{before}\n```python\n{text}\n```\nOutput:\n```\nmade up\n```"


def wish(text="Please also print the mean.", kind="functionality"):
    return json.dumps({"satisfied": ["clarity"], "not_satisfied": [kind], "about": kind, "feedback": text})


def simulation(weak=(), strong=(), user=(), **options) -> tuple[Simulation, dict[str, ScriptedModel]]:
    models = {
        name: ScriptedModel(texts, name=name) for name, texts in (("weak", weak), ("strong", strong), ("user", user))
    }
    players = {name: Player(name, name, lambda model=model: model) for name, model in models.items()}
    means = Means(players, seed=3, execution=EXECUTION, executor=shared_executor(EXECUTION))
    return Simulation(means, SimulationOptions(**options)), models


def outcome(stage, row=QUERY):
    with stage.prepare() as process:
        return process(row)


def kinds(row):
    return [message["meta"]["kind"] for message in row["messages"]]


def test_a_whole_dialog():
    stage, models = simulation(
        weak=[code("print(sum(range(1, 10)) + missing)")],
        strong=[
            code("print(sum(range(1, 11)))", "The name is not there."),
            "Yes.",
            "The program adds the numbers up, and the output is 55.",
            code("values = range(1, 11)\nprint(sum(values), sum(values) / 10)", "I add the mean."),
            "yes",
            "It prints the sum and the mean.",
        ],
        user=[wish()],
    )
    done = outcome(stage)
    row = done.rows[0]
    dialog = Dialog.from_json(row)
    roles = [message.role for message in dialog]
    assert roles == ["user", "assistant"] * 5
    assert {(each.meta["source"], each.meta["licence"]) for each in dialog} == {("own", "MIT")}
    assert kinds(row) == [
        "query", "answer", "execution", "repair", "execution", "answer", "human", "answer", "execution", "answer",
    ]  # fmt: skip
    first, told, mended = dialog.messages[1:4]
    assert first.content == "I will do that.\n\n```python\nprint(sum(range(1, 10)) + missing)\n```"
    assert (first.meta["passed"], first.meta["train"], first.meta["executed"]) == (False, False, True)
    assert first.meta["model"] == "weak"
    assert told.content.startswith("Execution result: \n")
    assert "NameError: name 'missing' is not defined" in told.content
    assert told.meta["exec"]["status"] == "error"
    assert (mended.meta["passed"], mended.meta["train"]) == (None, True), "without tests a run shows no more than that"
    assert dialog.messages[4].content == "Execution result: \n55"
    assert dialog.messages[6].content == "Please also print the mean."
    assert dialog.messages[6].meta["about"] == "functionality"
    assert dialog.messages[8].content == "Execution result: \n55 5.5"
    assert row["meta"]["method"] == "simulation"
    assert row["meta"]["licence"] == "MIT"
    assert row["meta"]["models"] == {"weak": "weak", "strong": "strong", "user": "user"}
    assert row["meta"]["human"] == ["functionality"]
    assert row["meta"]["finished"] is row["meta"]["settled"] is True
    assert "made up" not in json.dumps(row)
    assert done.notes["executions"] == {"3": 1}
    assert done.notes["human feedback"] == {"functionality": 1}
    asked = models["strong"].requests[0]
    assert asked[0].role == "system"
    assert "NameError" in asked[-1].content


def test_tests_decide_and_their_failure_is_the_feedback():
    stage, models = simulation(
        weak=[code("def double(x):\n    return x + 2")],
        strong=[code("def double(x):\n    return 2 * x", "It has to multiply."), "Yes", "Now the tests pass."],
        human_turns=0,
    )
    row = outcome(stage, PROBLEM).rows[0]
    first, told, mended = row["messages"][1:4]
    assert first["meta"]["passed"] is False
    assert "assert double(3) == 6" in told["content"]
    assert mended["meta"]["passed"] is True
    assert row["meta"]["tests"] == {"program": "assert double(3) == 6\n", "entry_point": "double", "cases": []}
    assert "parameters" in models["weak"].requests[0][0].content
    assert kinds(row)[-1] == "answer"


def test_a_program_that_ran_is_deemed_right_or_not_by_a_word():
    stage, models = simulation(
        weak=[code("print(54)")], strong=["No, it is not.", code("print(55)"), "yes", "It prints 55."], human_turns=0
    )
    row = outcome(stage).rows[0]
    assert kinds(row) == ["query", "answer", "execution", "repair", "execution", "answer"]
    assert row["meta"]["settled"] is True
    assert models["strong"].generations[0].max_tokens < 10
    above = [request[:-1] for request in models["strong"].requests[:2]]
    assert above[0] == above[1], "an engine reads the dialog once"


def test_a_model_that_cannot_say_why_it_is_right_or_mend_what_is_not_ends_the_dialog_with_the_program():
    same = code("print(55)  # as before")
    for first, settled in (("yes", True), ("no", False)):
        stage, _ = simulation(weak=[code("print(55)")], strong=[first, same, same, same], human_turns=0)
        row = outcome(stage).rows[0]
        assert kinds(row) == ["query", "answer"]
        assert row["meta"]["settled"] is settled
    stage, _ = simulation(weak=[code("print(55)")], strong=["Well.", "Perhaps.", "Hm."], human_turns=0)
    assert kinds(outcome(stage).rows[0]) == ["query", "answer"]


def test_the_same_code_again_after_a_failure_is_asked_again():
    bad, good = code("print(1 / 0)"), code("print(55)")
    stage, models = simulation(weak=[bad], strong=[bad, "It failed.", good, "yes", "It prints 55."], human_turns=0)
    row = outcome(stage).rows[0]
    assert kinds(row) == ["query", "answer", "execution", "repair", "execution", "answer"]
    assert [each.temperature for each in models["strong"].generations] == [0, 0.7, 0.7, 0, 0]

    stage, _ = simulation(weak=[bad], strong=[bad, bad, bad])
    assert outcome(stage).drops[0].reason == "the same code again"


def test_a_dialog_whose_last_program_fails_is_dropped_or_marked():
    weak, strong = [code("print(1 / 0)")], [code(f"print({n} / 0)") for n in (2, 3, 4)]
    done = outcome(simulation(weak, strong)[0])
    assert done.rows == ()
    assert done.drops[0].reason == "the last program fails"
    assert "ZeroDivisionError" in done.drops[0].detail

    row = outcome(simulation(weak, strong, unfinished="keep")[0]).rows[0]
    assert row["meta"]["finished"] is False
    assert row["messages"][-1]["meta"]["train"] is False


def test_a_model_that_breaks_what_ran_is_taken_back():
    stage, _ = simulation(
        weak=[code("print(55)")], strong=["no", *(code(f"print({n} / 0)") for n in range(3))], human_turns=0
    )
    row = outcome(stage).rows[0]
    assert kinds(row) == ["query", "answer"]
    assert (row["meta"]["finished"], row["meta"]["settled"]) == (True, False)


def test_a_model_that_breaks_what_ran_and_cannot_mend_it_is_taken_back():
    stage, _ = simulation(weak=[code("print(55)")], strong=["no", code("print(1 / 0)"), *["Hm."] * 3], human_turns=0)
    row = outcome(stage).rows[0]
    assert kinds(row) == ["query", "answer"]
    assert "print(55)" in row["messages"][1]["content"]


def test_promises_of_code_are_no_answer():
    stage, models = simulation(
        weak=["Here is the code:", code("print(55)")],
        strong=["yes", "Here is the corrected program:", "I see. Below is the code", "All is well: 55."],
        human_turns=0,
    )
    row = outcome(stage).rows[0]
    assert row["messages"][-1]["content"] == "All is well: 55."
    assert len(models["weak"].requests) == 2


def test_human_feedback_of_no_use_drops_the_dialog_or_is_left_out():
    weak, strong, user = [code("print(55)")], ["yes", "It prints 55."], ["hm"] * 3
    assert outcome(simulation(weak, strong, user)[0]).drops[0].reason == "human feedback without a kind"
    row = outcome(simulation(weak, strong, user, without_human="keep")[0]).rows[0]
    assert kinds(row) == ["query", "answer", "execution", "answer"]
    assert row["meta"]["human"] == []


def test_garbage_without_code_is_dropped_and_counted():
    done = outcome(simulation(weak=["It is easy."] * 3)[0])
    assert done.drops[0].reason == "a reply without code"


def test_another_language_is_not_simulated():
    assert outcome(simulation()[0], {**QUERY, "language": "java"}).drops[0].reason == "not Python"


def test_a_program_that_does_not_end_is_told_of():
    stage, _ = simulation(
        weak=[code("while True: pass")], strong=[code("print(55)"), "yes", "It ends now and prints 55."], human_turns=0
    )
    stage.means = Means(stage.means.players, execution=ExecutionSettings(wall_seconds=3, at_once=1))
    row = outcome(stage).rows[0]
    assert "time limit" in row["messages"][2]["content"]
    assert row["messages"][1]["meta"]["exec"]["status"] == "timeout"


def test_many_rows_at_once_give_what_one_after_the_other_gives():
    def answer(messages):
        return code(f"print(len({messages[-1].content!r}))")

    def look(messages):
        return "yes" if "yes or no" in messages[-1].content else "It prints a length."

    rows = [{**QUERY, "id": f"q{number}", "query": "x" * number} for number in range(1, 7)]
    found = []
    for threads in (1, 3):
        stage, _ = simulation(weak=[answer] * 6, strong=[look] * 12, human_turns=0)
        with stage.prepare() as process, ThreadPoolExecutor(threads) as pool:
            found.append([done.rows for done in pool.map(process, rows)])
    assert found[0] == found[1]
    assert found[0][3][0]["messages"][2]["content"] == "Execution result: \n4"


def test_rows_and_settings_that_cannot_be_used_are_named():
    assert outcome(simulation()[0], {**PROBLEM, "statement": ""}).drops[0].reason == "a problem without a statement"
    with pytest.raises(ConfigError, match="drop, keep"):
        SimulationOptions(unfinished="burn")
    with pytest.raises(ConfigError, match="refinement"):
        SimulationOptions(max_refinements=0)
    with pytest.raises(ConfigError, match="weak"):
        Simulation(Means({}))
