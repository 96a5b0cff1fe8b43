"""What cannot be used gets one sentence and an exit code that means something, never a traceback."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys

import pytest
from cli_program import Ended, Program, code


def refused(done: Ended, exit_code: int, *words: str) -> None:
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("ocint: ")
    for word in words:
        assert word in lines[0]
    assert done.code == exit_code
    assert done.out == ""


@pytest.mark.parametrize("task", ["", "  \n\t "])
def test_an_empty_task(ocint: Program, task: str) -> None:
    refused(ocint("run", task), 2, "task is empty")


def test_an_empty_task_on_standard_input(ocint: Program) -> None:
    refused(ocint("run", "-", stdin=" \n"), 2, "task is empty")


def test_a_task_that_is_not_text(ocint: Program) -> None:
    refused(ocint("run", "-", stdin=b"\xff\xfe\x00x"), 2, "not text in UTF-8")


def test_a_task_far_longer_than_the_context(ocint: Program) -> None:
    refused(ocint("run", "-", stdin="word " * 40_000), 2, "200,000 characters", "8,192 tokens of context", "-f")


def test_a_task_longer_than_the_context(ocint: Program) -> None:
    model = ocint.script("Never asked.", context_tokens=2048)
    done = ocint("run", "-", "-m", model, stdin="word " * 5_000)
    assert done.code in (2, 3)
    assert "context" in done.err


def test_a_missing_file(ocint: Program) -> None:
    refused(ocint("run", "x", "-f", "none.csv"), 2, "There is no file none.csv")


def test_a_folder_in_place_of_a_file(ocint: Program) -> None:
    (ocint.work / "data").mkdir()
    refused(ocint("run", "x", "-f", "data"), 2, "data is a folder")


def test_a_named_pipe_in_place_of_a_file(ocint: Program) -> None:
    os.mkfifo(ocint.work / "pipe")
    refused(ocint("run", "x", "-f", "pipe"), 2, "not an ordinary file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_an_unreadable_file(ocint: Program) -> None:
    (ocint.work / ocint.file("secret.csv")).chmod(0)
    refused(ocint("run", "x", "-f", "secret.csv"), 2, "secret.csv cannot be read: Permission denied")


def test_a_file_that_cannot_be_opened(ocint: Program) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(ocint.work / "s"))
        refused(ocint("run", "x", "-f", "s"), 2, "s is not an ordinary file")


def test_a_file_name_that_is_too_long(ocint: Program) -> None:
    refused(ocint("run", "x", "-f", "n" * 300), 2, "File name too long")


def test_a_file_of_2_gb(ocint: Program) -> None:
    with (ocint.work / "huge.bin").open("wb") as file:
        file.truncate(2_000_000_000)
    refused(ocint("run", "x", "-f", "huge.bin"), 2, "huge.bin is too big", "2.0 GB", "--workspace-mb")


def test_a_binary_file_is_taken(ocint: Program) -> None:
    name = ocint.file("data.bin", bytes(range(256)) * 10)
    model = ocint.script(code('print(len(open("data.bin", "rb").read()))'), "Done.")
    assert "│ 2560" in ocint("run", "x", "-f", name, "-m", model).out


def test_odd_file_names_are_taken(ocint: Program) -> None:
    names = [ocint.file(name) for name in ("a b.csv", 'it\'s "x".csv', "zwei\nZeilen.csv", "数据.csv", "-f.csv")]
    model = ocint.script(code("import os\nprint(len(os.listdir()))"), "Done.")
    files = [word for name in names for word in ("-f", f"./{name}")]
    assert "│ 5" in ocint("run", "x", *files, "-m", model).out


def test_a_file_name_that_is_not_utf8(ocint: Program) -> None:
    name = b"caf\xe9.csv"
    (ocint.work / os.fsdecode(name)).write_text("a\n1\n")
    model = ocint.script(code("import os\nprint(len(os.listdir()))"), "Done.")
    done = ocint("run", "x", "-f", os.fsdecode(name), "-m", model)
    assert (done.code, "│ 1" in done.out) == (0, True)


def test_a_model_name_that_is_nearly_right(ocint: Program) -> None:
    refused(ocint("run", "x", "-m", "qwen2.5-coder-15b"), 3, "did you mean qwen2.5-coder-1.5b")


@pytest.mark.parametrize("name", ["none.gguf", "openai:", "wrong:kind", "scripted:none.json", " "])
def test_a_model_that_cannot_be(ocint: Program, name: str) -> None:
    done = ocint("run", "x", "-m", name)
    assert done.code in (2, 3)
    assert done.err.startswith("ocint: ")
    assert len(done.err.splitlines()) == 1


def test_a_model_file_that_is_none(ocint: Program) -> None:
    refused(ocint("run", "x", "-m", ocint.file("./junk.gguf", b"junk" * 100)), 3, "junk.gguf")


def test_a_cache_that_cannot_be_written(ocint: Program) -> None:
    (ocint.folder / "cache").write_text("a file in the way")
    refused(ocint("models", "pull", "smollm2-135m"), 3, str(ocint.folder / "cache"))


def test_a_sessions_folder_that_cannot_be_written(ocint: Program) -> None:
    (ocint.folder / "data").write_text("a file in the way")
    refused(ocint("run", "x", "-m", ocint.script("Hi.")), 2, "Sessions cannot be kept in")


def test_two_programs_on_one_session(ocint: Program) -> None:
    ocint("run", "x", "-m", ocint.script("Hi."))
    (folder,) = ocint.sessions()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = ocint("run", "y", "--session", "last", "-m", ocint.script("Hi."))
        refused(done, 2, "open in another program")
        refused(ocint("sessions", "delete", folder.name, "-y"), 2, "open in another program")
    assert folder.exists()


def test_a_session_that_is_not_there(ocint: Program) -> None:
    refused(ocint("run", "x", "--session", "nope"), 2, "no session 'nope'")
    refused(ocint("sessions", "show", "last"), 2, "no session 'last'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model = \n", ("config.toml", "line 1")),
        ("modle = 'x'", ("config.toml", 'no setting "modle"', "did you mean model?")),
        ("[limits]\nmemory_mb = -5", ("limits.memory_mb", "whole number above 0", "-5")),
        ("max_rounds = 'many'", ("max_rounds", "whole number", "many")),
        ('backend = "bubblewarp"', ("backend", "one of bubblewrap, docker, none")),
        ("network = 'no'", ("network", "true or false")),
    ],
)
def test_a_broken_configuration(ocint: Program, text: str, words: tuple[str, ...]) -> None:
    ocint.set(text)
    refused(ocint("run", "x", "-m", ocint.script("Hi.")), 2, *words)


def test_a_kernel_environment_without_ipykernel(ocint: Program) -> None:
    bare = ocint.folder / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    refused(ocint("run", "x", "--python", str(bare), "-m", ocint.script("Hi.")), 2, "ipykernel", "pip install")


def test_a_python_and_a_kernelspec_that_are_not_there(ocint: Program) -> None:
    refused(ocint("exec", ocint.file("a.py", "1"), "--python", "/no/python"), 2, "/no/python")
    refused(ocint("exec", ocint.file("a.py", "1"), "--kernel", "klingon"), 2, "klingon")


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--memory-mb", "0", "--memory-mb must be a whole number above 0"),
        ("--wall-seconds", "soon", "--wall-seconds must be a number above 0"),
        ("--max-rounds", "-1", "--max-rounds must be a whole number of at least 1"),
        ("--temperature", "nan", "--temperature must be a number"),
        ("--max-tokens", "9000", "max_tokens (9000) must be smaller than context (8192)"),
    ],
)
def test_a_flag_that_cannot_be(ocint: Program, flag: str, value: str, words: str) -> None:
    refused(ocint("run", "x", flag, value), 2, words)


def test_a_command_that_is_not_there(ocint: Program) -> None:
    done = ocint("rnu", "x")
    assert done.code == 2
    assert "No such command" in done.err


def test_an_output_folder_that_cannot_be(ocint: Program) -> None:
    ocint.file("taken")
    refused(ocint("run", "x", "-o", "taken", "-m", ocint.script("Hi.")), 2, "taken cannot be used for the files made")


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"\xff\xfe\xff", "not text in UTF-8"), (b"print(1)\0", "not text")]
)
def test_code_that_is_none(ocint: Program, content: bytes, words: str) -> None:
    refused(ocint("exec", ocint.file("code.py", content)), 2, words)


def test_approval_without_a_terminal(ocint: Program) -> None:
    refused(ocint("run", "x", "--approve", "-m", ocint.script("Hi.")), 2, "--approve", "--json")


def test_no_space_for_the_session(ocint: Program) -> None:
    model = ocint.script("word " * 100_000, context_tokens=900_000, delta_characters=10_000)
    done = ocint("run", "x", "-m", model, "--max-tokens", "800000", "--context", "900000", file_bytes=300_000)
    assert done.err.splitlines()[-1].startswith("ocint: The session could not be saved to ")
    assert done.code == 2
    assert len(ocint.sessions()) == 1
