"""The loop, with a scripted model and the real sandbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from opencodeinterpreter import Generation, Interpreter, Limits, Message, Sandbox, ScriptedModel
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import (
    Answer,
    ApprovalRequest,
    CodeActionStarted,
    Event,
    ExecutionFinished,
    Failure,
    Notice,
    OutputDelta,
    RoundFinished,
    TextDelta,
)


def block(code: str) -> str:
    return f"```python\n{code}\n```"


def interpreter(replies: Sequence[str], sandbox: Sandbox, **options) -> Interpreter:
    return Interpreter(ScriptedModel(list(replies)), sandbox=sandbox, **options)


def kinds(events: Sequence[Event]) -> list[str]:
    """The types of the events, runs of one type as one."""
    return [event.type for number, event in enumerate(events) if number == 0 or events[number - 1].type != event.type]


def test_a_task_is_done_in_rounds_until_there_is_an_answer(shared_sandbox: Sandbox) -> None:
    replies = ["I compute it.\n" + block("print(6 * 7)"), "The answer is 42."]
    with interpreter(replies, shared_sandbox) as it:
        events = list(it.stream("What is 6 times 7?"))
    assert kinds(events) == [
        "turn_started",
        "round_started",
        "text_delta",
        "code_action_started",
        "output_delta",
        "execution_finished",
        "round_finished",
        "round_started",
        "text_delta",
        "round_finished",
        "answer",
    ]
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert (answer.text, answer.outcome) == ("The answer is 42.", "answered")
    assert answer.rounds[0].result is not None
    assert answer.rounds[0].result.stdout == "42\n"
    assert [message.role for message in answer.dialog] == ["system", "user", "assistant", "user", "assistant"]


def test_an_error_goes_back_to_the_model_which_repairs_it(shared_sandbox: Sandbox) -> None:
    def repaired(messages: Sequence[Message]) -> str:
        assert "ZeroDivisionError" in messages[-1].content
        assert "line 1" in messages[-1].content
        return block("print('mended')")

    with Interpreter(ScriptedModel([block("1 / 0"), repaired, "Done."]), sandbox=shared_sandbox) as it:
        answer = it.run("Divide.")
    assert [round_.result.status for round_ in answer.rounds if round_.result] == ["error", "ok"]


def test_what_a_model_invents_after_its_code_is_never_kept(shared_sandbox: Sandbox) -> None:
    reply = block("print(1 + 1)") + "\nOutput:\n```\n3\n```\nSo the answer is 3."
    model = ScriptedModel([reply, "It is 2."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        events = list(it.stream("One and one?"))
    assert "3" not in "".join(event.text for event in events if isinstance(event, TextDelta)).replace("1 + 1", "")
    assert it.dialog.messages[2].content == block("print(1 + 1)")


def test_variables_stay_from_round_to_round_and_from_turn_to_turn(shared_sandbox: Sandbox) -> None:
    replies = [block("kept = 5"), block("print(kept + 1)"), "6.", block("print(kept + 2)"), "7."]
    with interpreter(replies, shared_sandbox) as it:
        assert it.run("First").rounds[1].result.stdout == "6\n"
        assert it.run("Then").rounds[0].result.stdout == "7\n"
        assert it.sandbox.run("kept").result == "5"


def test_the_dialog_only_ever_grows_at_its_end(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel([block("print(1)"), block("print(2)"), "Two.", block("print(3)"), "Three."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        it.run("One")
        it.run("Two")
    for earlier, later in zip(model.requests, model.requests[1:], strict=False):
        assert list(later)[: len(earlier)] == list(earlier)


def test_rounds_are_capped_and_the_state_of_the_job_is_said(shared_sandbox: Sandbox) -> None:
    with interpreter([block(f"raise ValueError({n})") for n in range(9)], shared_sandbox, max_rounds=3) as it:
        answer = it.run("Try")
    assert answer.outcome == "max rounds"
    assert len([round_ for round_ in answer.rounds if round_.result]) == 3
    assert "3 runs" in answer.text
    assert "ValueError: 2" in answer.text


def test_the_same_code_is_not_run_twice_in_a_row(shared_sandbox: Sandbox) -> None:
    same = block("print('again')\nraise KeyError('x')")
    with interpreter([same, same, same, same], shared_sandbox) as it:
        events = list(it.stream("Go"))
    assert sum(isinstance(event, CodeActionStarted) for event in events) == 1
    assert any(isinstance(event, Notice) and event.kind == "repeated" for event in events)
    assert isinstance(events[-1], Answer)
    assert events[-1].outcome == "repeated"


def test_a_model_that_repeats_failing_code_starts_afresh_without_it(shared_sandbox: Sandbox) -> None:
    same = block("raise KeyError('x')")
    model = ScriptedModel([same, same, block("print('better')"), "Good."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        answer = it.run("Go")
    assert answer.text == "Good."
    afresh = model.requests[2]
    assert [message.role for message in afresh] == ["system", "user"]
    assert afresh[1].content.startswith("Go\n")
    assert "KeyError: 'x'" in afresh[1].content
    assert len(answer.dialog) == 9


def test_the_same_error_three_times_ends_the_turn(shared_sandbox: Sandbox) -> None:
    replies = [block(f"x = {n}\nraise RuntimeError('stuck')") for n in range(9)]
    with interpreter(replies, shared_sandbox, max_rounds=9) as it:
        answer = it.run("Go")
    assert answer.outcome == "repeated"
    assert len(answer.rounds) == 3


def test_a_reply_cut_inside_its_code_is_not_run(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel(["```python\nprint('" + "x" * 50, block("print('whole')"), "Done."])
    with Interpreter(model, sandbox=shared_sandbox, generation=Generation(max_tokens=10)) as it:
        answer = it.run("Go")
    assert [round_.code for round_ in answer.rounds if round_.result] == ["print('whole')\n"]


def test_files_are_uploaded_described_and_given_back(tmp_path: Path) -> None:
    source = tmp_path / "möbel & co's.csv"
    source.write_text("item,price\nchair,10\ntable,32\n")
    code = "import pandas as pd\n"
    code += "f = pd.read_csv(\"möbel & co's.csv\")\nf.describe().to_csv('out.csv')\nprint(f.price.sum())"
    model = ScriptedModel([block(code), "42."])
    with Sandbox() as sandbox, Interpreter(model, sandbox=sandbox) as it:
        answer = it.run("Sum of prices?", files=[source])
        assert "'price': numbers from 10 to 32" in model.requests[0][1].content
        assert answer.rounds[0].result.stdout == "42\n"
        assert [artifact.path for artifact in answer.artifacts] == ["out.csv"]
        assert it.sandbox.download("out.csv", tmp_path).read_text().startswith(",price")


@pytest.mark.parametrize("task", ["", "  \n"])
def test_an_empty_task_is_refused(task: str, shared_sandbox: Sandbox) -> None:
    with interpreter([], shared_sandbox) as it, pytest.raises(InputError, match="empty"):
        it.stream(task)


def test_code_can_be_approved_edited_and_rejected_with_a_reason(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel([block("print('a')"), block("print('b')"), block("print('c')"), "Done."])
    decisions = iter(["approve", "edit", "reject"])
    with Interpreter(model, sandbox=shared_sandbox, approve=True) as it:
        outputs = []
        for event in it.stream("Go"):
            if isinstance(event, ApprovalRequest):
                match next(decisions):
                    case "approve":
                        event.approve()
                    case "edit":
                        event.edit("print('mine')")
                    case "reject":
                        event.reject("too loud")
            if isinstance(event, ExecutionFinished):
                outputs.append(event.result.stdout)
    assert outputs == ["a\n", "mine\n"]
    assert "print('mine')" in model.requests[2][-1].content
    assert "too loud" in model.requests[3][-1].content
    assert isinstance(event, Answer)
    assert event.text == "Done."


def test_a_rejection_without_a_reason_ends_the_turn(shared_sandbox: Sandbox) -> None:
    with interpreter([block("print(1)")], shared_sandbox, approve=True) as it:
        for event in it.stream("Go"):
            if isinstance(event, ApprovalRequest):
                event.reject()
    assert isinstance(event, Answer)
    assert event.outcome == "rejected"


def test_stop_ends_running_code_and_the_next_message_is_feedback(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel([block("import time\nmark = 1\nprint('begun', flush=True)\ntime.sleep(60)"), "As you say."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        began = time.monotonic()
        for event in it.stream("Go"):
            if isinstance(event, OutputDelta) and "begun" in event.output.text:
                threading.Thread(target=it.stop).start()
        assert time.monotonic() - began < 8
        assert isinstance(event, Answer)
        assert event.outcome == "stopped"
        assert it.run("Faster, please").text == "As you say."
        assert "Faster, please" in model.requests[1][-1].content
        assert "user stopped the code" in model.requests[1][-1].content
        assert it.sandbox.run("mark").result == "1"


def test_stop_ends_generation(shared_sandbox: Sandbox) -> None:
    with Interpreter(ScriptedModel(["word " * 10_000, "Yes."], delay_seconds=0.01), sandbox=shared_sandbox) as it:
        stopper = threading.Timer(0.3, it.stop)
        stopper.start()
        events = list(it.stream("Talk"))
        assert isinstance(events[-1], Answer)
        assert events[-1].outcome == "stopped"
        assert it.run("Shorter?").text == "Yes."


def test_leaving_the_events_early_stops_the_code(shared_sandbox: Sandbox) -> None:
    with interpreter([block("import time\ntime.sleep(60)"), "Fine."], shared_sandbox) as it:
        for event in it.stream("Go"):
            if isinstance(event, CodeActionStarted):
                break
        began = time.monotonic()
        assert it.run("And now?").text == "Fine."
        assert time.monotonic() - began < 8


def test_a_model_that_fails_is_a_failure_and_the_session_goes_on(shared_sandbox: Sandbox) -> None:
    with interpreter([], shared_sandbox) as it:
        events = list(it.stream("Go"))
    assert isinstance(events[-1], Failure)
    assert events[-1].kind == "model"


def test_lost_state_is_told_to_person_and_model(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel([block("import os\nos._exit(3)"), "I see."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        events = list(it.stream("Exit"))
    assert any(isinstance(event, Notice) and event.kind == "state lost" for event in events)
    assert "variables and imports are gone" in model.requests[1][-1].content


def test_undo_takes_the_last_turn_back_and_retry_does_it_again(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel(["One.", "Two.", "Three."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        it.run("A")
        it.run("B")
        it.undo()
        assert [message.content for message in it.dialog][1:] == ["A", "One."]
        (answer,) = [event for event in it.retry() if isinstance(event, Answer)]
        assert answer.text == "Three."
        assert [message.content for message in it.dialog][1:] == ["A", "Three."]
        it.undo()
        with pytest.raises(InputError, match="nothing to take back"):
            it.undo()


def test_a_full_context_is_condensed_and_said_so(shared_sandbox: Sandbox) -> None:
    replies = [block(f"print({n}, 'x' * 3000)") for n in range(6)]
    model = ScriptedModel([*replies, "Done."], context_tokens=4096)
    with Interpreter(model, sandbox=shared_sandbox, max_rounds=9) as it:
        events = list(it.stream("The first task"))
    assert any(isinstance(event, Notice) and event.kind == "dialog condensed" for event in events)
    assert isinstance(events[-1], Answer)
    assert events[-1].outcome == "answered"
    assert all("The first task" in request[1].content for request in model.requests)
    assert len(events[-1].dialog) == 15


def test_a_message_longer_than_the_context_is_a_clear_failure(shared_sandbox: Sandbox) -> None:
    with interpreter(["x"], shared_sandbox) as it:
        events = list(it.stream("word " * 40_000))
    assert isinstance(events[-1], Failure)
    assert "too long" in events[-1].message


def test_a_reply_that_is_nothing_is_asked_for_again(shared_sandbox: Sandbox) -> None:
    with interpreter(["", "There."], shared_sandbox) as it:
        assert it.run("Go").text == "There."


def test_a_model_that_stops_at_an_error_is_asked_once_to_go_on(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel([block("1 / 0"), "Sorry, an error.", block("print('mended')"), "Done."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        answer = it.run("Go")
    assert answer.text == "Done."
    assert "not done" in model.requests[2][-1].content


@pytest.mark.parametrize("task", ["Why does this fail?\ndef f(x):\n    return x +\n", "Run it:\n```\nprint(1)\n```"])
def test_an_answer_on_code_of_the_users_that_was_not_run_is_asked_to_run_it(task: str, shared_sandbox: Sandbox) -> None:
    model = ScriptedModel(["It prints 1, I think.", block("print(1)"), "It prints 1."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        answer = it.run(task)
    assert answer.text == "It prints 1."
    assert "Nothing has been run yet" in model.requests[1][-1].content


def test_numbers_that_no_code_has_shown_are_asked_for(shared_sandbox: Sandbox) -> None:
    model = ScriptedModel([block("pass"), "The total is 1250.", block("print(20 + 22)"), "It is 42."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        answer = it.run("Add up.")
    assert answer.text == "It is 42."
    assert "made up" in model.requests[2][-1].content


def test_a_follow_up_is_not_answered_with_numbers_out_of_thin_air(shared_sandbox: Sandbox) -> None:
    first = [block("count = 430\nprint(count)"), "There are 430."]
    model = ScriptedModel([*first, "Their sum is 100600.", block("print(593823)"), "It is 593,823."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        it.run("How many are there?")
        answer = it.run("What is their sum?")
    assert answer.text == "It is 593,823."
    assert "made up" in model.requests[3][-1].content


@pytest.mark.parametrize("made_up", ["300.25", "print('The sum is', 300.25)", "print(f'{300.25}')", "-300.25\n"])
def test_code_that_only_states_a_made_up_value_is_not_run(made_up: str, shared_sandbox: Sandbox) -> None:
    model = ScriptedModel([block(made_up), block("print(900 + 8.25)"), "It is 908.25."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        answer = it.run("Add 900 and 8.25.")
    assert answer.text == "It is 908.25."
    assert "only states a value" in model.requests[1][-1].content


def test_the_result_of_given_code_is_not_just_stated(shared_sandbox: Sandbox) -> None:
    given = "print(sum([300.25, 77.5]))"
    model = ScriptedModel([block("300.25"), block(given), "It is 377.75."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        assert it.run(f"Run this:\n```python\n{given}\n```").text == "It is 377.75."


@pytest.mark.parametrize("stated", ["print('Hello, world')", "print('It is 42.')", "print(6 * 77)", "x = 300\nx"])
def test_code_that_states_what_is_known_or_computes_is_run(stated: str, shared_sandbox: Sandbox) -> None:
    with interpreter([block(stated), "Done."], shared_sandbox) as it:
        assert len(it.run("Greet the world and say 42.").rounds) == 2


def test_a_follow_up_may_be_answered_from_what_was_shown(shared_sandbox: Sandbox) -> None:
    first = [block("print(1234.5678)"), "It is 1234.57."]
    with interpreter([*first, "Rounded it is 1,234.6, in German 1234,57."], shared_sandbox) as it:
        it.run("How much is it?")
        assert it.run("And rounded?").text == "Rounded it is 1,234.6, in German 1234,57."


def test_words_about_numbers_need_no_code(shared_sandbox: Sandbox) -> None:
    with interpreter(["I came out in 2026."], shared_sandbox) as it:
        assert it.run("How old are you?").text == "I came out in 2026."


def test_a_file_that_the_task_names_and_that_is_not_there_is_asked_for(shared_sandbox: Sandbox) -> None:
    write = "open('größe.csv', 'w').write('a'); open('out.json', 'w').write('{}')"
    model = ScriptedModel([block("print('saved')"), "I saved both.", block(write), "Now I did."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        answer = it.run("把结果保存为out.json, and the sizes as größe.csv.")
    assert "The task names out.json, größe.csv" in model.requests[2][-1].content
    assert answer.text == "Now I did."


def test_a_file_that_cannot_be_there_is_asked_for_once(shared_sandbox: Sandbox) -> None:
    with interpreter([block("print(1)"), "There is no x.csv.", "There is no x.csv."], shared_sandbox) as it:
        assert it.run("Read x.csv if it is there.").text == "There is no x.csv."


def test_code_that_wrote_no_file_given_again_starts_afresh(shared_sandbox: Sandbox) -> None:
    wrong = block("open('other.csv', 'w').write('a')")
    model = ScriptedModel([wrong, "Saved.", wrong, block("open('wanted.csv', 'w').write('a')"), "Saved it."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        assert it.run("Save it as wanted.csv.").text == "Saved it."
    assert "did not write wanted.csv" in model.requests[3][-1].content
    assert "other.csv" not in "".join(message.content for message in model.requests[3])


def test_a_column_of_another_table_is_pointed_at(shared_sandbox: Sandbox) -> None:
    code = (
        "import pandas\nvisits = pandas.DataFrame({'guest': [1], 'nights': [2]})\n"
        "guests = pandas.DataFrame({'guest': [1], 'town': ['Bonn']})\nprint(visits[visits['town'] == 'Bonn'])"
    )
    model = ScriptedModel([block(code), "It failed.", "It failed."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        it.run("Go")
    assert "guests has it, and both have 'guest'" in model.requests[1][-1].content
    assert "visits.merge(guests, on='guest')" in model.requests[1][-1].content


def test_code_that_came_again_is_not_asked_for_with_the_same_seed_again(shared_sandbox: Sandbox) -> None:
    same = block("raise KeyError('x')")
    model = ScriptedModel([same, same, same, block("print('better')"), "Good."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        assert it.run("Go").text == "Good."
    assert model.generations[2].seed != model.generations[3].seed


def test_a_line_that_fails_by_a_name_is_given_as_it_would_be_right(shared_sandbox: Sandbox) -> None:
    removed = "import numpy as np\nprint(np.arange(3).astype(np.float))"
    column = "import pandas\nnets = pandas.DataFrame({'Net ': [1]})\nprint(nets[\"net\"])"
    model = ScriptedModel([block(removed), block(column), "It failed.", "It failed."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        it.run("Go")
    assert "Wrong: print(np.arange(3).astype(np.float))\nRight: print(np.arange(3).astype(float))" in (
        model.requests[1][-1].content
    )
    assert "Wrong: print(nets[\"net\"])\nRight: print(nets['Net '])" in model.requests[2][-1].content


def test_after_code_that_printed_nothing_the_model_is_shown_the_values() -> None:
    code = "import pandas as pd\nmeans = pd.DataFrame({'kind': ['a'], 'mean': [3.5]})\ntotal = 20 + 22\ndef f(): pass"
    model = ScriptedModel([block(code), "It is 42."])
    with Sandbox() as sandbox, Interpreter(model, sandbox=sandbox) as it:
        answer = it.run("Add up.")
    assert "total = 42" in model.requests[1][-1].content
    assert "0    a   3.5" in model.requests[1][-1].content
    assert "f =" not in model.requests[1][-1].content
    assert answer.text == "It is 42."


def test_a_loop_variable_is_not_taken_for_a_result(shared_sandbox: Sandbox) -> None:
    code = "sums = {}\nfor kind in ['a', 'b']:\n    sums[kind] = 1\n    share = 0.5\nif True:\n    total = 42"
    model = ScriptedModel([block(code), "It is 42."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        it.run("Add up.")
    shown = model.requests[1][-1].content
    assert "sums = {'a': 1, 'b': 1}\nshare = 0.5\ntotal = 42" in shown
    assert "kind =" not in shown


def test_the_model_sees_how_a_text_file_begins_that_it_wrote(shared_sandbox: Sandbox) -> None:
    code = "open('means.csv', 'w').write('mean\\n3.5\\n4.5\\n5.5\\n')\nopen('raw.bin', 'w').write('abc')"
    model = ScriptedModel([block(code), "Written."])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        it.run("Write the means to means.csv.")
    assert "means.csv begins:\n  mean\n  3.5\n  4.5\n" in model.requests[1][-1].content
    assert "5.5" not in model.requests[1][-1].content
    assert "abc" not in model.requests[1][-1].content


def test_no_link_that_code_leaves_behind_is_read_for_the_model(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("the host's")
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    swap = f"import os\nos.remove('data.csv')\nos.symlink({str(tmp_path / 'secret.csv')!r}, 'data.csv')\n"
    code = swap + "raise __import__('pandas').errors.ParserError('data.csv')"
    model = ScriptedModel([block(code), "It cannot be read.", "It cannot be read."])
    with Sandbox() as sandbox, Interpreter(model, sandbox=sandbox) as it:
        it.run("Read it.", files=[tmp_path / "data.csv"])
    assert not any("the host's" in message.content for request in model.requests for message in request)


def test_an_answer_without_numbers_stands_without_output(shared_sandbox: Sandbox) -> None:
    with interpreter([block("kept = 1"), "Done, for all 12 of them."], shared_sandbox) as it:
        assert it.run("Keep 12 things.").text == "Done, for all 12 of them."


def test_small_talk_needs_no_code(shared_sandbox: Sandbox) -> None:
    with interpreter(["Hello."], shared_sandbox) as it:
        assert it.run("Hi, who are you? Do you print from a class?").text == "Hello."


def test_the_model_is_told_what_the_tables_hold_when_its_code_fails(shared_sandbox: Sandbox) -> None:
    code = "import pandas as pd\nframe = pd.DataFrame({'price ': [1.5, None], 'name': ['a', 'b']})\nframe['price']"
    model = ScriptedModel([block(code), block("print(frame['price '].sum())"), "1.5"])
    with Interpreter(model, sandbox=shared_sandbox) as it:
        before = set(it.sandbox.run("print(*globals())").stdout.split())
        it.run("Sum")
        added = set(it.sandbox.run("print(*globals())").stdout.split()) - before
    assert "There is no column 'price'; there is 'price '" in model.requests[1][-1].content
    assert "'price ' (float64, 1 missing), 'name' (object like 'a')" in model.requests[1][-1].content
    assert {name for name in added if not name.startswith("_")} == {"frame", "pd"}


def test_the_model_is_told_which_files_there_are_when_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\n1\n")
    model = ScriptedModel([block("open('/mnt/data/data.csv')"), block("print(open('data.csv').read())"), "Read."])
    with Sandbox() as sandbox, Interpreter(model, sandbox=sandbox) as it:
        it.run("Read", files=[tmp_path / "data.csv"])
    assert "Files in the current folder: 'data.csv'" in model.requests[1][-1].content


def test_the_model_is_shown_the_raw_lines_of_a_file_that_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes("# Zürich\na;b\n1;2\n".encode("latin-1"))
    model = ScriptedModel([block("open('odd.csv', encoding='utf-8').read()"), block("print('ok')"), "Read."])
    with Sandbox() as sandbox, Interpreter(model, sandbox=sandbox) as it:
        it.run("Read", files=[tmp_path / "odd.csv"])
    assert "raw lines of odd.csv" in model.requests[1][-1].content
    assert "2: 'a;b'" in model.requests[1][-1].content


def test_limits_of_a_run_are_named_to_the_model() -> None:
    model = ScriptedModel([block("while True: pass"), "It takes too long.", "It really does."])
    with Sandbox(limits=Limits(wall_seconds=1)) as sandbox, Interpreter(model, sandbox=sandbox) as it:
        events = list(it.stream("Loop"))
    assert "wall time" in model.requests[1][-1].content
    assert isinstance(events[-2], RoundFinished)
