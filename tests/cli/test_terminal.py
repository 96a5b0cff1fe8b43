"""What a person sees and does at a terminal: a real one, with the real program and the real sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pexpect
import psutil
import pytest
from cli_program import PROGRAM, Program, code

Start = Callable[..., pexpect.spawn]
SLEEPER = code("import time\nprint('be' + 'gun', flush=True)\ntime.sleep(60)")


def ended(child: pexpect.spawn) -> str:
    """Wait for the end; return what was printed since the last thing expected."""
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before)


def nothing_left(pids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.1)
    return False


def family(pid: int) -> list[int]:
    return [process.pid for process in psutil.Process(pid).children(recursive=True)]


def test_a_job_in_a_terminal(ocint: Program, terminal: Start) -> None:
    model = ocint.script(code("import pandas as pd\npd.DataFrame({'n': [1, 22]}, index=['a', 'b'])"), "**Done.**")
    child = terminal("run", "x", "-m", model)
    text = ended(child)
    assert child.exitstatus == 0
    assert "\x1b[95;49mimport" in text  # highlighted
    assert "───" in text  # a table
    assert "\x1b[1mDone.\x1b[0m" in text
    assert "```" not in text
    assert "sandbox: bubblewrap" in text


def test_no_color(ocint: Program, terminal: Start) -> None:
    model = ocint.script(code("1/0"), code("print(1)"), "**Done.**")
    text = ended(terminal("run", "x", "-m", model, env={"NO_COLOR": "1"}))
    assert "Done." in text
    assert "\x1b[3" not in text
    assert "\x1b[9" not in text


def test_a_narrow_terminal(ocint: Program, terminal: Start) -> None:
    child = terminal("run", "x", "-m", ocint.script("word " * 50), columns=30)
    lines = [line.rstrip() for line in ended(child).splitlines() if line.startswith("word")]
    assert len(lines) > 5
    assert max(map(len, lines)) <= 30


def test_figures_are_drawn_where_the_terminal_can(ocint: Program, terminal: Start) -> None:
    model = ocint.script(code("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"), "Done.")
    text = ended(terminal("run", "x", "-m", model, env={"KITTY_WINDOW_ID": "1"}))
    assert "\x1b_Ga=T,f=100" in text
    assert "file://" in text


def test_ctrl_c_stops_the_code_first(ocint: Program, terminal: Start) -> None:
    child = terminal("run", "x", "-m", ocint.script(SLEEPER, "Never."))
    child.expect("│ .*begun")
    child.sendintr()
    text = ended(child)
    assert child.exitstatus == 130
    assert "Stopping" in text
    assert "stopped after" in text
    assert "Stopped." in text


def test_a_second_ctrl_c_ends_the_program(ocint: Program, terminal: Start) -> None:
    child = terminal("run", "x", "-m", ocint.script(SLEEPER, "Never."))
    child.expect("│ .*begun")
    pids = family(child.pid)
    child.sendintr()
    child.sendintr()
    assert "Traceback" not in ended(child)
    assert child.exitstatus == 130
    assert nothing_left(pids)


def test_ctrl_c_while_the_model_writes(ocint: Program, terminal: Start) -> None:
    child = terminal("run", "x", "-m", ocint.script("word " * 1000, delay_seconds=0.05))
    child.expect("word word")
    child.sendintr()
    assert "Traceback" not in ended(child)
    assert child.exitstatus == 130


def test_a_terminal_that_closes_ends_all_and_keeps_the_session(ocint: Program, terminal: Start) -> None:
    child = terminal("run", "remember me", "-m", ocint.script(SLEEPER, "Never."))
    child.expect("│ .*begun")
    pids = [child.pid, *family(child.pid)]
    os.close(child.child_fd)
    child.closed = True
    child.wait()
    assert nothing_left(pids)
    (folder,) = ocint.sessions()
    assert "begun" in (folder / "events.jsonl").read_text()
    assert "remember me" in ocint("sessions", "list").out
    assert ocint("sessions", "show", "last").code == 0


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_end_all(ocint: Program, number: signal.Signals, exit_code: int) -> None:
    words = ["run", "x", "--json", "-m", ocint.script(SLEEPER, "Never.")]
    with subprocess.Popen(
        [*PROGRAM, *words], cwd=ocint.work, env=ocint.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        while "begun" not in running.stdout.readline():
            pass
        pids = family(running.pid)
        assert pids
        running.send_signal(number)
        assert running.wait(20) == exit_code
        assert "Traceback" not in running.stderr.read()
    assert nothing_left(pids)


def test_a_reader_that_goes_away(ocint: Program) -> None:
    model = ocint.script(code("for i in range(100000): print('line', i)"), "Done.")
    with subprocess.Popen(
        [*PROGRAM, "run", "x", "-m", model],
        cwd=ocint.work, env=ocint.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        running.wait(30)
        error = running.stderr.read()
    assert "Traceback" not in error
    assert "Exception ignored" not in error
    assert len(ocint.sessions()) == 1


def test_approving_editing_rejecting(ocint: Program, terminal: Start) -> None:
    model = ocint.script(*(code(f'print("{word}" * 2)') for word in ("one", "two", "three", "four")), "Done.")
    editor = ocint.folder / "editor"
    editor.write_text('#!/bin/sh\necho "print(\'changed\' * 2)" > "$1"\n')
    editor.chmod(0o755)
    child = terminal("run", "x", "--approve", "-m", model, env={"EDITOR": str(editor)})
    child.expect("uit.*› ")
    child.send("a\r")
    child.expect("oneone")
    child.expect("uit.*› ")
    child.send("e\r")
    child.expect("changedchanged")
    child.expect("uit.*› ")
    child.send("r\r")
    child.expect("Reason")
    child.send("use another number\r")
    child.expect("uit.*› ")
    child.send("q\r")
    text = ended(child)
    assert child.exitstatus == 1
    assert "The code was not run." in text
    (folder,) = ocint.sessions()
    saved = (folder / "events.jsonl").read_text()
    assert "use another number" in saved
    assert "fourfour" not in saved


def test_approving_by_json(ocint: Program) -> None:
    model = ocint.script(code("print(1)"), code("print(2)"), code("print(3)"), "Done.")
    decisions = [
        {"decision": "approve"}, {"decision": "reject", "text": "no"}, {"decision": "edit", "text": "print(99)"},
    ]  # fmt: skip
    done = ocint("run", "x", "--json", "--approve", "-m", model, stdin="\n".join(map(json.dumps, decisions)) + "\n")
    outputs = [event["result"]["stdout"] for event in done.events if event["type"] == "execution_finished"]
    assert outputs == ["1\n", "99\n"]
    assert done.code == 0


def test_a_package_is_installed_only_after_a_yes(ocint: Program, terminal: Start) -> None:
    model = ocint.script(code("import ocint_greeting"), "Done.", "Done.")
    child = terminal("run", "x", "--allow-install", "-m", model)
    child.expect("install ocint_greeting from the package index, for this session only.*› ")
    child.send("n\r")
    assert "Installing" not in ended(child)
    assert child.exitstatus == 1
    done = ocint("run", "x", "--allow-install", "-m", model)
    assert done.code == 2
    assert "--allow-install asks at the terminal" in done.err


def test_wheels_are_installed_without_asking(ocint: Program) -> None:
    (ocint.work / "wheels").mkdir()
    with zipfile.ZipFile(ocint.work / "wheels" / "ocint_greeting-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("ocint_greeting.py", "TEXT = 'hello from a wheel'\n")
        about = "ocint_greeting-1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: ocint-greeting\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    model = ocint.script(code("import ocint_greeting\nprint(ocint_greeting.TEXT)"), "Done.")
    done = ocint("run", "x", "--wheels", "wheels", "-m", model)
    assert done.code == 0
    assert "│ hello from a wheel" in done.out
    assert "Installed for this session: ocint-greeting==1.0." in done.err
    refused = ocint("run", "x", "--wheels", "nowhere", "-m", model)
    assert refused.code == 2
    assert 'no folder of wheels at "nowhere"' in refused.err


@pytest.fixture
def chat(ocint: Program, terminal: Start) -> Start:
    def start(*words: str, **options: object) -> pexpect.spawn:
        child = terminal("chat", *words, **options)
        child.expect("Ctrl-D ends")
        child.greeting = child.before
        child.expect("› ")
        return child

    return start


def say(child: pexpect.spawn, text: str, answer: str) -> None:
    child.send(text + "\r")
    child.expect(answer)
    child.expect("› ")


def test_a_conversation(ocint: Program, chat: Start) -> None:
    model = ocint.script(
        code("x = 20 + 1\nopen('made.txt', 'w').write('m')"),
        "First done.",
        code("print('x is', x * 2)"),
        "Second done.",
        "Third done.",
    )
    child = chat("-m", model, "-f", ocint.file("data.csv"))
    say(child, "first", "First done")
    say(child, "second", "x is 42")
    say(child, "/files", "made.txt")
    say(child, "/retry", "Third done")
    say(child, "/undo", "Taken back: second")
    say(child, "/fils", "did you mean /files")
    say(child, "/limits", "memory_mb")
    say(child, "/model", "scripted")
    say(child, "/save py kept.py", "Saved")
    say(child, "/save py kept.py", "there already")
    say(child, "/attach none.csv", "no file none.csv")
    child.sendeof()
    assert "ocint chat --resume" in ended(child)
    assert child.exitstatus == 0
    assert "x = 20 + 1" in (ocint.work / "kept.py").read_text()
    (folder,) = ocint.sessions()
    assert (folder / "workspace" / "data.csv").exists()


def test_more_than_one_line_can_be_typed(ocint: Program, chat: Start) -> None:
    child = chat("-m", ocint.script("Understood."))
    child.send("one\x1b\rtwo\r")
    child.expect("Understood")
    child.expect("› ")
    child.sendeof()
    ended(child)
    assert '"one\\ntwo"' in (ocint.sessions()[0] / "events.jsonl").read_text()


def test_ctrl_c_in_a_conversation_and_then_feedback(ocint: Program, chat: Start) -> None:
    child = chat("-m", ocint.script(SLEEPER, "Something else, then."))
    child.send("go\r")
    child.expect("│ .*begun")
    child.sendintr()
    child.expect("Stopped")
    child.expect("› ")
    say(child, "do something else", "Something else, then")
    child.sendintr()
    child.expect("ends the program")
    child.sendintr()
    ended(child)
    assert child.exitstatus in (0, 130)  # by the line, or by the program


def test_going_on_later(ocint: Program, chat: Start) -> None:
    ocint("run", "begin it", "-m", ocint.script(code("x = 41"), "Begun."))
    child = chat("--resume", "last", "-m", ocint.script(code("print('x is', x + 1)"), "Went on."))
    assert "Going on after: begin it" in child.before
    say(child, "/replay", "✓")
    say(child, "go on", "x is 42")
    child.send("/exit\r")
    ended(child)
    assert len(ocint.sessions()) == 1


def test_beginning_anew(ocint: Program, chat: Start) -> None:
    child = chat("-m", ocint.script("One.", "Two."))
    say(child, "x", "One")
    child.send("/reset\r")
    child.expect("Ctrl-D ends")
    child.expect("› ")
    say(child, "/files", "no files yet")
    child.sendeof()
    ended(child)
    assert len(ocint.sessions()) == 1  # the new one was empty


def test_unsandboxed_is_shown_at_all_times(ocint: Program, chat: Start) -> None:
    child = chat("--no-sandbox", "-m", ocint.script(code("print(1)"), "Done."))
    assert "NOT SANDBOXED" in child.greeting
    child.send("x\r")
    child.expect("NOT SANDBOXED.*NOT SANDBOXED")
    child.expect("› ")


def test_a_conversation_without_a_terminal(ocint: Program) -> None:
    done = ocint("chat", "-m", ocint.script("One.", "Two."), stdin="first\n\n/files\nsecond\n")
    assert done.code == 0
    assert "One." in done.out
    assert "Two." in done.out


def test_an_empty_conversation_leaves_no_session(ocint: Program) -> None:
    assert ocint("chat", "-m", ocint.script()).code == 0
    assert ocint.sessions() == []


def test_history_is_kept_for_the_person_alone(ocint: Program, chat: Start) -> None:
    child = chat("-m", ocint.script("One."))
    say(child, "remembered", "One")
    child.sendeof()
    ended(child)
    path = Path(ocint.folder, "state", "opencodeinterpreter", "history")
    assert "+remembered" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
