"""Running the code of rows: what comes of it, and that rows never see each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from opencodeinterpreter.codefeedback.rows import Tests
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings, Executor
from opencodeinterpreter.codefeedback.verification.executions import Execution, feedback_text
from opencodeinterpreter.errors import ConfigError, SandboxClosedError, SandboxError, SandboxUnavailableError

ADD = "def add(a, b):\n    return a + b\n"


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor(ExecutionSettings(wall_seconds=15, output_bytes=3000, at_once=1)) as opened:
        yield opened


# Cells


def test_cells_share_a_kernel_and_show_the_value_of_their_last_expression(executor: Executor) -> None:
    first, second, third = executor.cells(["x = [3, 1, 2]\nprint('sorting')\nsorted(x)", "x.missing", "len(x)"])
    assert (first.status, first.stdout) == ("ok", "sorting\n[1, 2, 3]")
    assert second.error.startswith("Traceback (most recent call last):\n  File ")
    assert second.error.endswith("AttributeError: 'list' object has no attribute 'missing'")
    assert third.stdout == "3"
    assert feedback_text(first) == "Execution result: \nsorting\n[1, 2, 3]"
    assert feedback_text(second) == "Execution result: \n" + second.error


def test_each_row_has_a_kernel_of_its_own(executor: Executor) -> None:
    executor.cells(["secret = 1; open('left', 'w').write('x'); open('/tmp/left', 'w').write('x')"])
    (seen,) = executor.cells(["import os; print('secret' in globals(), os.listdir('.'), os.path.exists('/tmp/left'))"])
    assert seen.stdout == "False [] False\n"


def test_a_set_of_texts_has_the_same_order_in_each_run(executor: Executor) -> None:
    code = "print({'ape', 'bear', 'cat', 'dog', 'eel', 'fox'})"
    (cell,) = executor.cells([code])
    assert cell.stdout == executor.program(code).stdout == executor.program(code).stdout


def test_a_library_s_frames_and_the_place_where_it_lies_are_not_told(executor: Executor) -> None:
    (cell,) = executor.cells(["import json\njson.loads('{')"])
    assert "site-packages" not in cell.error
    assert cell.error.count("File") == 1
    (warned,) = executor.cells(["import json, warnings\nwarnings.warn_explicit('w', UserWarning, json.__file__, 1)"])
    assert warned.stderr.startswith("python3.")


# Programs


def test_a_program_passes_or_fails_its_tests(executor: Executor) -> None:
    right = executor.program(ADD, Tests("assert add(1, 2) == 3"))
    wrong = executor.program(ADD.replace("+", "-"), Tests("assert add(1, 2) == 3, 'one and two'"))
    assert (right.status, right.passed) == ("ok", True)
    assert (wrong.status, wrong.passed) == ("error", False)
    assert wrong.error.endswith("AssertionError: one and two")
    assert 'File "tests.py", line 1' in wrong.error
    assert executor.program(ADD).passed is None


def test_what_a_solution_does_as_a_program_is_not_in_the_way_of_its_tests(executor: Executor) -> None:
    main = ADD + "if __name__ == '__main__':\n    print(input('? '))\n"
    assert executor.program(main, Tests("assert add(1, 2) == 3")).passed
    assert executor.program(main, stdin="hello\n").stdout == "? hello\n"


@pytest.mark.parametrize(
    ("solution", "tests", "passed"),
    [
        (ADD, "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(add(1, 2), 3)\n"
              "if __name__ == '__main__':\n    unittest.main()", True),
        (ADD, "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(add(1, 2), 4)\n"
              "unittest.main()", False),
        (ADD, "from solution import add as plus\nassert plus(2, 2) == 4", True),
        ("from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int",
         "import pickle\nassert pickle.loads(pickle.dumps(A(1))) == A(1)", True),
        ("import sys\nsys.exit(0)", "assert False", False),
        ("import os\ndef add(a, b): os._exit(0)", "assert add(1, 2) == 3", False),
        ("def add(a, b): raise SystemExit(0)", "assert add(1, 2) == 3\nassert False", True),  # as any program's end
        ("def add(:", "assert False", False),
        ("import os\nos.abort()", "assert False", False),
    ],
)  # fmt: skip
def test_passing_is_coming_to_the_end_of_the_tests(executor: Executor, solution: str, tests: str, passed: bool) -> None:
    assert executor.program(solution, Tests(tests)).passed is passed


def test_cases_are_told_from_what_is_printed(executor: Executor) -> None:
    cases = (("1 2\n", "3"), ("2 2\n", "4\n"), ("5 5", "10"))
    right = "a, b = map(int, input().split())\nprint(a + b, ' ')"
    assert executor.program(right, Tests(cases=cases)).passed
    wrong = executor.program("a, b = map(int, input().split())\nprint(3)", Tests(cases=cases))
    assert (wrong.passed, wrong.status) == (False, "error")
    assert wrong.error == "Wrong output.\nInput:\n2 2\nExpected output:\n4\nActual output:\n3"
    assert executor.program("1 / 0", Tests(cases=cases)).error.endswith("ZeroDivisionError: division by zero")


def test_limits_are_results() -> None:
    with Executor(ExecutionSettings(wall_seconds=2, memory_mb=400, output_bytes=1000)) as executor:
        endless = executor.program("while True: pass", Tests("assert True"))
        assert (endless.status, endless.reason, endless.passed) == ("timeout", "wall time", False)
        assert feedback_text(endless) == "Execution result: \nThe code was stopped: it ran longer than its time limit."
        assert executor.program("while True: print('flood' * 1000)").reason == "output"
        assert executor.program("x = bytearray(1 << 31)", Tests("pass")).reason == "memory"
        long = executor.program("print('a' * 5000)")
        assert long.ok
        assert len(long.stdout) < 1100
        assert executor.program("print(1)").stdout == "1\n"


def test_programs_in_the_same_sandbox_do_not_see_each_other(executor: Executor) -> None:
    leave = (
        "import subprocess, sys, os\n"
        "open('here', 'w').write('x'); open('/tmp/there', 'w').write('x')\n"
        "open(os.path.expanduser('~/h'), 'w').close()\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        "print('left')"
    )
    look = (
        "import os, time\n"
        "names = [open(f'/proc/{pid}/cmdline').read() for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "print(any('sleep(60)' in name for name in names), os.listdir('.'), os.listdir('..') , os.listdir('/tmp'),"
        " os.listdir(os.path.expanduser('~')))"
    )
    assert executor.program(leave).stdout == "left\n"
    assert executor.program(look).stdout.startswith("False ['solution.py'] ")
    assert "here" not in executor.program(look).stdout
    assert "there" not in executor.program(look).stdout


def test_a_program_that_ends_its_kernel_is_a_result_and_the_next_one_runs(executor: Executor) -> None:
    ended = executor.program("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nimport time\ntime.sleep(9)")
    assert (ended.status, ended.reason) == ("killed", "kernel died")
    assert executor.program("print(1)").stdout == "1\n"


def test_many_threads_share_an_executor(executor: Executor) -> None:
    with ThreadPoolExecutor(8) as threads:
        outputs = list(threads.map(lambda number: executor.program(f"print({number} ** 2)").stdout, range(16)))
    assert outputs == [f"{number**2}\n" for number in range(16)]


# Odds


def test_texts_of_any_kind_arrive(executor: Executor) -> None:
    text = "snow ☃ \u2028 \x7f 'quotes' \"double\" \\n {brace} 🎉"
    assert executor.program(f"print({text!r})").stdout == text + "\n"
    assert executor.program("print(input())", stdin=text.replace("\u2028", "") + "\n").stdout == (
        text.replace("\u2028", "") + "\n"
    )


def test_an_execution_keeps_its_form() -> None:
    one = Execution("error", "memory", "out", "err", "MemoryError", 1.0)
    assert Execution.from_json(one.to_json()) == one
    assert feedback_text(Execution("ok")) == "Execution result: \nThe code ran without error and printed nothing."
    assert feedback_text(Execution("ok", stdout="a\n", stderr="b\n")) == "Execution result: \na\nb"


def test_a_sandbox_that_fails_is_no_result() -> None:
    with pytest.raises(ConfigError):
        Executor(ExecutionSettings(backend="cupboard"))
    with pytest.raises(ConfigError):
        ExecutionSettings(wall_seconds=0)

    class Broken:
        name = "broken"

        def check(self) -> None:
            raise SandboxUnavailableError("There is no isolation here.")

    with Executor(ExecutionSettings()) as executor:
        executor._backend = Broken()  # type: ignore[assignment]
        with pytest.raises(SandboxError):
            executor.program("print(1)")
        with pytest.raises(SandboxError):
            executor.cells(["print(1)"])


def test_ending_the_executions_ends_the_code() -> None:
    executor = Executor(ExecutionSettings(wall_seconds=60))
    errors: list[BaseException] = []

    def run() -> None:
        try:
            executor.program("import time\ntime.sleep(50)")
        except SandboxError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not executor._in_use:
        time.sleep(0.01)
    executor.stop()
    thread.join(30)
    executor.close()
    assert not thread.is_alive()
    assert [type(error) for error in errors] == [SandboxClosedError]
    with pytest.raises(SandboxClosedError):
        executor.cells(["1"])
