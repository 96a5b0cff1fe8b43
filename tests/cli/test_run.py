from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_program import Program, code


def test_shows_what_happens_and_ends_with_0(ocint: Program) -> None:
    model = ocint.script(code('print("rows", 6 * 7)\nopen("made.txt", "w").write("hello")'), "There are **42**.")
    done = ocint("run", "count", "-m", model)
    assert done.code == 0
    assert 'print("rows", 6 * 7)' in done.out
    assert "│ rows 42\n" in done.out
    assert "There are **42**." in done.out
    assert "made.txt  5 bytes" in done.out
    assert "2 rounds" in done.err
    assert "sandbox: bubblewrap" in done.err
    assert "\x1b" not in done.out + done.err


def test_an_answer_is_shown_once(ocint: Program) -> None:
    done = ocint("run", "greet", "-m", ocint.script("Hello there."))
    assert done.out.count("Hello there.") == 1


def test_quiet_shows_the_answer_only(ocint: Program) -> None:
    done = ocint("run", "-q", "count", "-m", ocint.script(code("print(42)"), "It is 42."))
    assert (done.code, done.out, done.err) == (0, "It is 42.\n", "")


def test_json_lines(ocint: Program) -> None:
    name = ocint.file("möbel 'n\n.csv")
    model = ocint.script(code("1/0"), code("print(1)\n6*7"), "Done.")
    done = ocint("run", "-", "-f", name, "--json", "-m", model, stdin="Zähle\nalles")
    types = [event["type"] for event in done.events]
    assert types[:3] == ["session", "turn_started", "round_started"]
    assert done.events[1]["task"] == "Zähle\nalles"
    assert done.events[0]["isolation"] == "bubblewrap"
    results = [event["result"] for event in done.events if event["type"] == "execution_finished"]
    assert [result["status"] for result in results] == ["error", "ok"]
    assert done.events[-1]["type"] == "answer"
    assert done.events[-1]["text"] == "Done."
    assert done.code == 0


def test_json_tells_of_what_could_not_be_begun(ocint: Program) -> None:
    done = ocint("run", "x", "--json", "-m", "nowhere")
    assert done.code == 3
    assert done.events == [{"type": "failure", "kind": "model", "message": done.events[0]["message"]}]
    assert "nowhere" in done.err


def test_files_are_copied_and_nothing_is_overwritten(ocint: Program) -> None:
    ocint.file("data.csv", "a\n1\n")
    model = ocint.script(
        code('open("data.csv", "a").write("2\\n")\nopen("new.txt", "w").write("n")\n'
             "import os; os.symlink('/etc/passwd', 'link.txt')"),
        code("import matplotlib.pyplot as plt\nplt.plot([1, 2])"), "Done.",
    )  # fmt: skip
    done = ocint("run", "x", "-f", "data.csv", "-o", ".", "-m", model)
    assert done.code == 0
    assert (ocint.work / "data.csv").read_text() == "a\n1\n"
    assert (ocint.work / "data-1.csv").read_text() == "a\n1\n2\n"
    assert (ocint.work / "new.txt").read_text() == "n"
    assert (ocint.work / "figure-1.png").read_bytes().startswith(b"\x89PNG")
    assert not (ocint.work / "link.txt").exists()
    assert "Saved data-1.csv" in done.out


@pytest.mark.parametrize("how", ["-q", "--json"])
def test_files_are_copied_however_little_is_shown(ocint: Program, how: str) -> None:
    model = ocint.script(
        code('open("new.txt", "w").write("n")'),
        code("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"),
        "Done.",
    )
    ocint("run", "x", how, "-o", "out", "-m", model)
    assert sorted(path.name for path in (ocint.work / "out").iterdir()) == ["figure-1.png", "new.txt"]


def test_figures_are_kept_in_the_session(ocint: Program) -> None:
    model = ocint.script(code("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"), "Done.")
    done = ocint("run", "x", "-m", model)
    (folder,) = ocint.sessions()
    assert (folder / "figures" / "figure-1.png").read_bytes().startswith(b"\x89PNG")
    assert "figures/figure-1.png" in done.out


def test_exit_code_1_where_the_rounds_are_spent(ocint: Program) -> None:
    model = ocint.script(code("print(1)"), code("print(2)"))
    done = ocint("run", "x", "--max-rounds", "2", "-m", model)
    assert done.code == 1
    assert "as many as allowed" in done.out


def test_exit_code_1_where_the_last_code_failed(ocint: Program) -> None:
    done = ocint("run", "x", "-m", ocint.script(code("import os\n1 / 0"), "I give up.", "I do give up.", "I do."))
    assert done.code == 1
    assert "│ ZeroDivisionError: division by zero" in done.out
    assert "site-packages" not in done.out


def test_exit_code_3_where_the_model_fails(ocint: Program) -> None:
    done = ocint("run", "x", "-m", ocint.script())
    assert done.code == 3
    assert done.err.startswith("ocint: ")


def test_a_limit_is_named(ocint: Program) -> None:
    done = ocint(
        "run", "x", "--wall-seconds", "1", "-m", ocint.script(code("while True: pass"), "Too long.", "Too long.", "No.")
    )
    assert "the limit on wall time was met" in done.out
    assert done.code == 1


def test_unsandboxed_is_said_loudly(ocint: Program) -> None:
    done = ocint("run", "x", "--no-sandbox", "-m", ocint.script(code("print(1)"), "Done."))
    assert done.code == 0
    assert done.err.count("NOT SANDBOXED") == 3
    assert "all your rights" in done.err


def test_a_session_goes_on(ocint: Program) -> None:
    ocint("run", "first", "-m", ocint.script(code('open("kept.txt", "w").write("k")'), "One."))
    done = ocint(
        "run", "second", "--session", "last", "-m", ocint.script(code('print(open("kept.txt").read())'), "Two.")
    )
    assert "│ k\n" in done.out
    assert len(ocint.sessions()) == 1


def test_a_job_that_does_not_begin_leaves_no_session(ocint: Program) -> None:
    ocint("run", "x", "-m", "nowhere")
    assert ocint.sessions() == []


def test_settings_come_from_file_environment_and_flags(ocint: Program) -> None:
    ocint.set(f'model = "{ocint.script("From the file.")}"\nmax_rounds = 1\n')
    assert "From the file." in ocint("run", "x").out
    other = ocint.script("From the environment.")
    assert "From the environment." in ocint("run", "x", OCINT_MODEL=other).out
    assert "From a flag." in ocint("run", "x", "-m", ocint.script("From a flag."), OCINT_MODEL=other).out


def test_control_characters_do_not_reach_the_terminal(ocint: Program) -> None:
    evil = "\x1b]0;title\x07\x1b[2J\x1b]52;c;ZQ==\x07\x9b31m\u202e"
    model = ocint.script(
        code(f"x = '''{evil}'''\nprint(x)\nprint({evil!r})\nraise ValueError(x)"), f"Done {evil}[bold]."
    )
    done = ocint("run", "x", "-m", model)
    for character in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert character not in done.out
    assert "[bold]" in done.out
    assert "␛]0;title" in done.out  # in code it is made visible rather than left out


def test_events_are_kept_as_they_happen(ocint: Program) -> None:
    ocint("run", "x", "-m", ocint.script(code("print(1)"), "Done."))
    (folder,) = ocint.sessions()
    rows = [json.loads(line) for line in Path(folder, "events.jsonl").read_text().splitlines()]
    assert rows[-1]["type"] == "answer"
