"""What every sandbox kind must do, whatever the code in it does."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sandbox_kinds import processes_with

from opencodeinterpreter.errors import SandboxClosedError
from opencodeinterpreter.sandbox import AnySandbox, ExecutionResult, OutputDelta

REMOTE_TOO = True
Fresh = Callable[..., AnySandbox]
AFTER_LIMIT_SECONDS = 5.0  # of which 1.5 are grace; a busy machine takes its part of the rest


def usable(sandbox: AnySandbox, keeps: bool | None = None) -> None:
    """The next run works; ``keeps`` says whether ``before`` must still be there."""
    result = sandbox.run("print(6 * 7, 'before' in globals())", wall_seconds=20)
    assert result.ok, result
    assert result.stdout.startswith("42 ")
    if keeps is not None:
        assert result.stdout == f"42 {keeps}\n"


def ended(result: ExecutionResult, status: str, reason: str, limit: float) -> None:
    assert (result.status, result.reason) == (status, reason), result
    assert result.duration < limit + AFTER_LIMIT_SECONDS


class TestRuns:
    def test_variables_survive_from_run_to_run(self, shared: AnySandbox) -> None:
        shared.run("kept = 20")
        assert shared.run("kept + 1").result == "21"

    def test_result_names_its_isolation(self, shared: AnySandbox, kind: str) -> None:
        assert shared.run("1").isolation == {"ray": "bubblewrap"}.get(kind, kind)

    def test_stdout_and_stderr_are_apart(self, shared: AnySandbox) -> None:
        result = shared.run("import sys\nprint('out')\nprint('err', file=sys.stderr)")
        assert (result.status, result.reason, result.stdout, result.stderr) == ("ok", None, "out\n", "err\n")

    def test_output_of_children_and_of_file_descriptors_is_kept(self, shared: AnySandbox) -> None:
        result = shared.run(
            "import os, subprocess, sys\nos.system('echo child')\nos.write(1, b'raw\\n')\n"
            "subprocess.run(['echo', 'passed'], stdout=sys.stdout)\nsys.stdout.buffer.write(b'bytes\\n')\n!echo shell"
        )
        assert result.stdout.split() == ["child", "raw", "passed", "bytes", "shell"]

    def test_output_comes_as_it_happens(self, shared: AnySandbox) -> None:
        seen: list[tuple[float, OutputDelta]] = []
        shared.run(
            "import time\nprint('first', flush=True)\ntime.sleep(0.5)\nprint('second')",
            on_output=lambda delta: seen.append((time.monotonic(), delta)),
        )
        assert "".join(delta.text for _, delta in seen) == "first\nsecond\n"
        assert seen[-1][0] - seen[0][0] > 0.3

    def test_a_listener_that_fails_is_heard_of_and_ends_the_run(self, fresh: Fresh) -> None:
        def listener(_: OutputDelta) -> None:
            raise ZeroDivisionError

        sandbox = fresh()
        sandbox.wait_ready()
        began = time.monotonic()
        with pytest.raises(ZeroDivisionError):
            sandbox.run("print(1)\nimport time\ntime.sleep(30)", on_output=listener)
        assert time.monotonic() - began < 5
        usable(sandbox)

    def test_an_error_has_name_value_and_a_plain_traceback(self, shared: AnySandbox) -> None:
        result = shared.run("def f():\n    return 1 / 0\n\nf()")
        assert result.status == "error"
        assert result.reason is None
        assert result.error is not None
        assert (result.error.name, result.error.value) == ("ZeroDivisionError", "division by zero")
        lines = result.error.traceback.splitlines()
        assert lines[0] == "Traceback (most recent call last):"
        assert 'File "<cell ' in lines[1]
        assert lines[-1] == "ZeroDivisionError: division by zero"
        assert "return 1 / 0" in result.error.traceback
        assert "\x1b" not in result.error.traceback
        assert "site-packages" not in result.error.traceback

    def test_a_syntax_error_shows_the_place_and_nothing_else(self, shared: AnySandbox) -> None:
        error = shared.run("x = (1,\ny = 2").error
        assert error is not None
        assert error.name == "SyntaxError"
        assert "site-packages" not in error.traceback
        assert "^" in error.traceback

    def test_an_error_keeps_its_cause(self, shared: AnySandbox) -> None:
        error = shared.run("try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e").error
        assert error is not None
        assert "KeyError: 'a'" in error.traceback
        assert "ValueError: b" in error.traceback

    @pytest.mark.parametrize("code", ["", "   \n", "# only a comment", "pass"])
    def test_code_that_does_nothing_is_fine(self, shared: AnySandbox, code: str) -> None:
        assert shared.run(code).ok

    def test_long_code_runs(self, shared: AnySandbox) -> None:
        assert shared.run("x = 0\n" + f"x += 1 {'#' * 100}\n" * 2_000 + "x").result == "2000"

    def test_text_of_every_kind_comes_through(self, shared: AnySandbox) -> None:
        text = "Grüße, 你好, 🎉, \u202eabc\u202c, e\u0301"
        result = shared.run(f"print({text!r})\n{text!r}")
        assert result.stdout == text + "\n"
        assert result.result == repr(text)

    def test_text_that_is_no_text_does_no_harm(self, shared: AnySandbox) -> None:
        result = shared.run("import sys\nprint('\\ud800')\nsys.stdout.buffer.write(b'\\xff\\n')\n'\\ud800'")
        assert result.ok
        result.stdout.encode()
        assert result.result is not None
        result.result.encode()

    def test_awaiting_at_the_top_works_and_can_be_ended(self, shared: AnySandbox) -> None:
        assert shared.run("import asyncio\nawait asyncio.sleep(0.01)\n'done'").result == "'done'"
        result = shared.run("await asyncio.sleep(60)", wall_seconds=0.5)
        ended(result, "timeout", "wall time", 0.5)
        assert not result.state_lost

    @pytest.mark.parametrize("call", ["input('Name? ')", "import getpass; getpass.getpass()"])
    def test_asking_for_input_fails_at_once_and_says_why(self, shared: AnySandbox, call: str) -> None:
        result = shared.run(call)
        assert result.error is not None
        assert result.error.name == "EOFError"
        assert "put the value into the code" in result.error.value
        assert "kernel_main" not in result.error.traceback

    def test_children_find_no_input(self, shared: AnySandbox) -> None:
        assert shared.run("import subprocess; subprocess.run(['cat'], timeout=5).returncode").result == "0"

    @pytest.mark.parametrize("call", ["exit()", "quit()", "import sys; sys.exit()", "import sys; sys.exit(0)"])
    def test_exit_ends_the_run_and_not_the_session(self, shared: AnySandbox, call: str) -> None:
        shared.run("before = 1")
        result = shared.run(f"print('a')\n{call}\nprint('b')")
        assert (result.status, result.stdout, result.stderr) == ("ok", "a\n", "")
        usable(shared, keeps=True)

    def test_exit_with_a_message_is_an_error(self, shared: AnySandbox) -> None:
        error = shared.run("import sys\nsys.exit('no such file')").error
        assert error is not None
        assert (error.name, error.value) == ("SystemExit", "no such file")

    def test_stdout_put_aside_is_back_in_the_next_run(self, shared: AnySandbox) -> None:
        shared.run("import sys, io\nsys.stdout = io.StringIO()\nsys.stderr = None")
        assert shared.run("print('here')").stdout == "here\n"

    def test_progress_bars_show_their_last_state(self, shared: AnySandbox) -> None:
        assert shared.run("for i in range(0, 101, 10): print(f'\\r{i} %', end='')\nprint()").stdout == "100 %\n"

    def test_help_and_colours_come_as_plain_text(self, shared: AnySandbox) -> None:
        result = shared.run("print('\\x1b[31mred\\x1b[0m')\nlen?")
        assert result.stdout.startswith("red\n")
        assert "Return the number of items" in result.stdout
        assert "\x1b" not in result.stdout

    def test_worker_processes_of_every_kind_work(self, shared: AnySandbox) -> None:
        result = shared.run(
            "import multiprocessing\nfrom joblib import Parallel, delayed\ndef square(x): return x * x\n"
            "for method in ('fork', 'spawn', 'forkserver'):\n"
            "    with multiprocessing.get_context(method).Pool(2) as pool: print(pool.map(abs, [-1, -2]))\n"
            "print(Parallel(n_jobs=2)(delayed(square)(i) for i in range(3)))"
        )
        assert result.stdout == "[1, 2]\n" * 3 + "[0, 1, 4]\n", result

    def test_a_wide_table_is_not_broken(self, shared: AnySandbox) -> None:
        code = "import pandas as pd\nprint(pd.DataFrame({f'column{i}': [i] * 2 for i in range(14)}))"
        assert len(shared.run(code).stdout.splitlines()) == 3

    def test_after_close_it_says_so(self, fresh: Fresh) -> None:
        sandbox = fresh()
        sandbox.run("1")
        sandbox.close()
        sandbox.close()
        with pytest.raises(SandboxClosedError):
            sandbox.run("1")

    def test_restart_forgets_variables_and_keeps_files(self, fresh: Fresh) -> None:
        sandbox = fresh()
        sandbox.run("before = 1\nopen('kept.txt', 'w').write('x')")
        sandbox.restart()
        result = sandbox.run("open('kept.txt').read()")
        assert (result.result, result.state_lost) == ("'x'", False)
        usable(sandbox, keeps=False)

    def test_two_threads_take_turns(self, shared: AnySandbox) -> None:
        results: list[ExecutionResult] = []
        code = "import time\nprint('a'); time.sleep(0.1); print('b')"
        threads = [threading.Thread(target=lambda: results.append(shared.run(code))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [result.stdout for result in results] == ["a\nb\n"] * 4


class TestRichOutput:
    def test_a_figure_appears_without_being_shown(self, shared: AnySandbox) -> None:
        result = shared.run("import matplotlib.pyplot as plt\nplt.plot([1, 2, 4]);")
        assert [set(display.data) >= {"image/png"} for display in result.displays] == [True]
        assert base64.b64decode(result.displays[0].data["image/png"]).startswith(b"\x89PNG")

    def test_a_figure_as_svg_if_asked(self, shared: AnySandbox) -> None:
        result = shared.run(
            "import matplotlib.pyplot as plt\nfrom matplotlib_inline.backend_inline import set_matplotlib_formats\n"
            "set_matplotlib_formats('svg')\nplt.plot([1, 2])\nplt.show()\nset_matplotlib_formats('png')"
        )
        assert "<svg" in result.displays[0].data["image/svg+xml"]

    def test_a_table_comes_as_text_and_html(self, shared: AnySandbox) -> None:
        result = shared.run("import pandas as pd\npd.DataFrame({'a': [1, 2]})")
        assert result.result is not None
        assert "<table" in result.displays[0].data["text/html"]
        assert result.displays[0].kind == "result"

    def test_html_json_and_plotly_bundles(self, shared: AnySandbox) -> None:
        result = shared.run(
            "from IPython.display import HTML, JSON, display\ndisplay(HTML('<b>x</b>'))\ndisplay(JSON({'a': [1]}))\n"
            "display({'application/vnd.plotly.v1+json': {'data': [{'y': [1, 2]}]}, 'text/html': '<div>'}, raw=True)"
        )
        html, json, plotly = (display.data for display in result.displays)
        assert html["text/html"] == "<b>x</b>"
        assert json["application/json"] == {"a": [1]}
        assert plotly["application/vnd.plotly.v1+json"] == {"data": [{"y": [1, 2]}]}
        assert plotly["text/html"] == "<div>"

    def test_an_output_can_be_updated_in_place(self, shared: AnySandbox) -> None:
        result = shared.run(
            "from IPython.display import display\n"
            "h = display('one', display_id=True)\ndisplay('between')\nh.update('two')"
        )
        assert [display.data["text/plain"] for display in result.displays] == ["'two'", "'between'"]

    def test_outputs_can_be_cleared(self, shared: AnySandbox) -> None:
        result = shared.run(
            "from IPython.display import display, clear_output\nfor i in range(3):\n    clear_output(wait=True)\n"
            "    display(i)"
        )
        assert [display.data["text/plain"] for display in result.displays] == ["2"]

    def test_too_many_outputs_are_counted_and_dropped(self, fresh: Fresh) -> None:
        sandbox = fresh(output_bytes=10_000)
        result = sandbox.run("from IPython.display import display\nfor i in range(100): display('x' * 4000)")
        assert result.ok
        assert 20 <= len(result.displays) < 60
        assert result.omitted_bytes > 40 * 4000

    def test_a_value_too_large_to_show_is_an_error_that_says_so(self, shared: AnySandbox) -> None:
        error = shared.run("'x' * 40_000_000").error
        assert error is not None
        assert "too large to be shown" in error.value


class TestFiles:
    def test_files_made_and_changed_are_told(self, fresh: Fresh) -> None:
        sandbox = fresh()
        first = sandbox.run("open('a.txt', 'w').write('12345')\nimport os\nos.mkdir('sub')\nopen('sub/b.txt', 'w')")
        assert [(file.path, file.change) for file in first.files] == [("a.txt", "created"), ("sub/b.txt", "created")]
        assert first.files[0].size == 5
        second = sandbox.run("open('a.txt', 'a').write('6')")
        assert [(file.path, file.change, file.size) for file in second.files] == [("a.txt", "modified", 6)]
        assert sandbox.run("open('a.txt').read()").files == ()

    def test_what_programs_leave_by_the_way_is_not_told(self, fresh: Fresh) -> None:
        sandbox = fresh()
        sandbox.run("open('own.py', 'w').write('VALUE = 7')")
        result = sandbox.run("import subprocess, sys\nimport own\nsubprocess.run([sys.executable, '-c', 'import own'])")
        assert result.files == ()

    def test_own_modules_can_be_imported(self, fresh: Fresh) -> None:
        sandbox = fresh()
        sandbox.run("open('own.py', 'w').write('VALUE = 7')")
        assert sandbox.run("import own\nown.VALUE").result == "7"

    def test_nothing_in_the_workspace_can_hijack_the_next_kernel(self, fresh: Fresh) -> None:
        sandbox = fresh()
        names = [
            "ipykernel_launcher",
            "ipykernel",
            "random",
            "json",
            "sitecustomize",
            "usercustomize",
            "IPython",
            "zmq",
        ]
        trap = "open('hijacked', 'w').write(__name__)"
        sandbox.run(f"for name in {names}: open(name + '.py', 'w').write({trap!r})")
        sandbox.run(
            "import os, pathlib\n"
            "for base in {os.environ['HOME'], os.environ.get('IPYTHONDIR', '.'), '.'}:\n"
            "    for path in ('.ipython/profile_default/startup', 'profile_default/startup', '.local/lib'):\n"
            "        folder = pathlib.Path(base, path)\n"
            "        folder.mkdir(parents=True, exist_ok=True)\n"
            f"        (folder / 'x.py').write_text({trap!r})"
        )
        sandbox.restart()
        result = sandbox.run("import random, json, os\nos.path.exists('hijacked'), random.random() < 1")
        assert result.result == "(False, True)"

    @pytest.mark.parametrize(
        "name", ["two words.txt", "qu'ote\".csv", "новости 数据.csv", "-rf", "a\nb.txt", "%s{x}$HOME.txt"]
    )
    def test_uploads_with_odd_names_can_be_read(self, fresh: Fresh, tmp_path: Path, name: str) -> None:
        source = tmp_path / name
        source.write_text("content")
        sandbox = fresh()
        info = sandbox.upload(source)
        assert info.size == 7
        assert "\n" not in info.path
        assert info.path == name.replace("\n", "_")
        assert sandbox.run(f"open({info.path!r}).read()").result == "'content'"
        assert sandbox.run(f"open({info.path!r}, 'w').write('changed')").ok
        assert sandbox.download(info.path, tmp_path / "back").read_text() == "changed"

    def test_a_kept_workspace_is_kept_and_a_private_one_is_not(self, fresh: Fresh, tmp_path: Path) -> None:
        kept = tmp_path / "work" / "space"
        sandbox = fresh({"workspace": kept})
        sandbox.run("open('a.txt', 'w').write('x')")
        private = fresh()
        private.run("1")
        folder = private.workspace
        sandbox.close()
        private.close()
        assert (kept / "a.txt").read_text() == "x"
        assert not folder.exists()

    def test_the_runtime_folder_is_the_only_other_place_to_write(self, fresh: Fresh, tmp_path: Path) -> None:
        fresh().run(f"open({str(tmp_path / 'outside')!r}, 'w').write('x')")
        assert not (tmp_path / "outside").exists()


class TestLimits:
    def test_wall_time_ends_a_loop_and_keeps_the_state(self, fresh: Fresh) -> None:
        sandbox = fresh(wall_seconds=1)
        sandbox.run("before = 1")
        result = sandbox.run("print('so far')\nwhile True: pass")
        ended(result, "timeout", "wall time", 1)
        assert (result.stdout, result.state_lost) == ("so far\n", False)
        usable(sandbox, keeps=True)

    @pytest.mark.parametrize(
        "code",
        [
            "sum(range(10 ** 12))",
            "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
            "import time\nwhile True:\n    try: time.sleep(30)\n    except BaseException: pass",
            "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
            "import os; os.closerange(3, 4096)\nwhile True: pass",
            "import threading; threading.Lock().__enter__; l = threading.Lock(); l.acquire()\n"
            "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}); l.acquire()",
        ],
        ids=["blocks in C", "ignores SIGINT", "swallows it", "stops itself", "closes descriptors", "deadlocks"],
    )
    def test_what_cannot_be_interrupted_is_killed(self, fresh: Fresh, code: str) -> None:
        sandbox = fresh()
        sandbox.run("before = 1")
        result = sandbox.run("print('so far')\n" + code, wall_seconds=0.5)
        ended(result, "timeout", "wall time", 0.5)
        assert result.stdout == "so far\n"
        assert result.state_lost
        usable(sandbox, keeps=False)

    def test_one_run_can_have_a_limit_of_its_own(self, shared: AnySandbox) -> None:
        ended(shared.run("import time; time.sleep(60)", wall_seconds=0.3), "timeout", "wall time", 0.3)

    def test_cpu_time_counts_and_sleep_does_not(self, fresh: Fresh) -> None:
        sandbox = fresh(cpu_seconds=0.5, wall_seconds=20)
        assert sandbox.run("import time; time.sleep(1)").ok
        result = sandbox.run("while True: pass")
        ended(result, "timeout", "cpu time", 20)

    def test_cpu_time_of_children_counts(self, fresh: Fresh) -> None:
        sandbox = fresh(cpu_seconds=0.7, wall_seconds=20)
        result = sandbox.run("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'while True: pass'])")
        ended(result, "timeout", "cpu time", 20)

    def test_one_large_object_is_refused_and_the_state_kept(self, fresh: Fresh) -> None:
        sandbox = fresh(memory_mb=512)
        sandbox.run("before = 1")
        result = sandbox.run("x = bytearray(3 << 30)")
        assert (result.status, result.reason, result.state_lost) == ("error", "memory", False)
        usable(sandbox, keeps=True)

    def test_memory_that_grows_is_ended(self, fresh: Fresh) -> None:
        sandbox = fresh(memory_mb=256, wall_seconds=30)
        result = sandbox.run("l = []\nwhile True: l.append(bytearray(5 << 20))")
        assert result.reason == "memory"
        assert result.status in ("error", "killed")
        usable(sandbox)

    def test_memory_of_all_processes_counts(self, fresh: Fresh) -> None:
        sandbox = fresh(memory_mb=512, wall_seconds=30)
        child = "x = b'x' * (150 << 20); import time; time.sleep(20)"
        result = sandbox.run(
            "import subprocess, sys\n"
            f"children = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(6)]\n"
            "for child in children: child.wait()"
        )
        ended(result, "killed", "memory", 15)
        usable(sandbox)

    def test_threads_and_forks_are_bounded(self, fresh: Fresh) -> None:
        sandbox = fresh(processes=64, wall_seconds=10)
        for code in (
            "import threading, time\nfor _ in range(300): threading.Thread(target=time.sleep, args=(30,)).start()\n"
            "time.sleep(3)",  # a busy machine looks at what runs less often
            "import os\nfor _ in range(300):\n    if os.fork() == 0:\n        import time; time.sleep(30); os._exit(0)",
        ):
            result = sandbox.run(code)
            assert result.reason == "processes", result
            sandbox.restart()
        usable(sandbox)

    def test_open_files_are_bounded(self, fresh: Fresh) -> None:
        result = fresh(open_files=128).run("l = [open('/dev/null') for _ in range(300)]")
        assert (result.status, result.reason) == ("error", "open files")

    def test_one_file_is_bounded(self, fresh: Fresh) -> None:
        sandbox = fresh(workspace_mb=20)
        result = sandbox.run("with open('big', 'wb') as f:\n    for _ in range(60): f.write(b'x' * (1 << 20))")
        assert result.reason == "disk"
        usable(sandbox)

    def test_many_files_are_bounded_and_can_be_removed(self, fresh: Fresh) -> None:
        sandbox = fresh(workspace_mb=20, wall_seconds=20)
        result = sandbox.run(
            "import time\nfor i in range(1000):\n    open(f'f{i}', 'wb').write(b'x' * (1 << 20)); time.sleep(0.01)"
        )
        ended(result, "killed", "disk", 10)
        assert sandbox.run("import os, time\ntime.sleep(0.5)\nfor name in os.listdir(): os.remove(name)").ok
        assert sandbox.files() == []

    def test_long_output_keeps_head_and_tail(self, fresh: Fresh) -> None:
        sandbox = fresh(output_bytes=10_000)
        result = sandbox.run("for i in range(20_000): print('line', i)")
        assert result.ok
        assert result.stdout.startswith("line 0\n")
        assert result.stdout.endswith("line 19999\n")
        assert len(result.stdout) < 11_000
        whole = "".join(f"line {i}\n" for i in range(20_000))
        assert result.omitted_bytes == len(whole) - 10_000
        assert result.log is not None
        logged = result.log.read_text()
        assert logged.startswith(whole[:190_000])
        assert len(logged) < 210_000

    @pytest.mark.parametrize(
        "code",
        ["while True: print('x' * 1000)", "import os\nwhile True: os.write(1, b'y' * 65536)", "!yes"],
        ids=["print", "write", "child"],
    )
    def test_a_flood_is_ended(self, fresh: Fresh, code: str) -> None:
        sandbox = fresh(output_bytes=200_000, wall_seconds=30)
        before = psutil.Process().memory_info().rss
        result = sandbox.run(code)
        ended(result, "killed", "output", 10)
        assert len(result.stdout) < 220_000
        assert psutil.Process().memory_info().rss - before < 200e6
        usable(sandbox)

    def test_a_long_error_is_cut(self, fresh: Fresh) -> None:
        result = fresh(output_bytes=10_000).run("raise ValueError('x' * 50_000_000)")
        assert result.error is not None
        assert result.error.name == "ValueError"
        assert len(result.error.value) < 11_000
        assert len(result.error.traceback) < 11_000

    def test_an_idle_kernel_is_ended_and_the_next_run_says_so(self, fresh: Fresh) -> None:
        sandbox = fresh(idle_seconds=0.5)
        sandbox.run("before = 1")
        deadline = time.monotonic() + 10
        while sandbox.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not sandbox.alive
        result = sandbox.run("'before' in globals()")
        assert (result.result, result.state_lost) == ("False", True)


class TestInterrupt:
    def test_from_another_thread(self, shared: AnySandbox) -> None:
        shared.run("before = 1")
        timer = threading.Timer(0.5, shared.interrupt)
        timer.start()
        result = shared.run("print('so far')\nimport time\ntime.sleep(60)")
        ended(result, "killed", "stopped", 0.5)
        assert (result.stdout, result.state_lost) == ("so far\n", False)
        usable(shared, keeps=True)

    def test_while_the_kernel_starts(self, fresh: Fresh) -> None:
        sandbox = fresh()
        timer = threading.Timer(0.02, sandbox.interrupt)
        timer.start()
        result = sandbox.run("import time\ntime.sleep(60)")
        timer.join()
        ended(result, "killed", "stopped", 1)
        usable(sandbox)

    def test_when_nothing_runs(self, shared: AnySandbox) -> None:
        shared.interrupt()
        assert shared.run("1").ok

    def test_close_from_another_thread_ends_the_run(self, fresh: Fresh) -> None:
        sandbox = fresh()
        timer = threading.Timer(0.5, sandbox.close)
        timer.start()
        result = sandbox.run("import time\ntime.sleep(60)")
        timer.join()
        assert result.reason == "stopped"


class TestDeaths:
    @pytest.mark.parametrize(
        "code",
        [
            "import os; os._exit(3)",
            "import os; os.kill(os.getpid(), 9)",
            "import os, signal; os.kill(os.getpid(), signal.SIGTERM); import time; time.sleep(9)",
            "import os; os.abort()",
            "import ctypes; ctypes.string_at(0)",
            "import os; os.closerange(0, 4096)",
        ],
        ids=["_exit", "SIGKILL", "SIGTERM", "abort", "segfault", "closerange"],
    )
    def test_a_dead_kernel_is_told_and_replaced(self, fresh: Fresh, code: str) -> None:
        sandbox = fresh(wall_seconds=10)
        sandbox.run("before = 1\nopen('kept.txt', 'w').write('x')")
        result = sandbox.run("print('so far')\n" + code)
        ended(result, "killed", "kernel died", 2)
        assert (result.stdout, result.state_lost) == ("so far\n", True)
        usable(sandbox, keeps=False)
        assert sandbox.run("open('kept.txt').read()").result == "'x'"

    def test_death_between_two_runs_is_told_by_the_next(self, fresh: Fresh) -> None:
        sandbox = fresh()
        sandbox.run("import os, threading\nthreading.Timer(0.3, os._exit, (1,)).start()")
        time.sleep(0.8)
        result = sandbox.run("1 + 1")
        assert (result.status, result.result, result.state_lost) == ("ok", "2", True)

    @pytest.mark.parametrize(
        "code",
        [
            "import builtins; builtins.open = builtins.len = None",
            "get_ipython().kernel.do_execute = None",
            "get_ipython().run_cell = None",
            "import sys\nfor name in list(sys.modules):\n    if name != 'sys': del sys.modules[name]",
            "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (1, 1))",
            "import sys; sys.displayhook = None; sys.excepthook = None",
            "import json; json.dumps = json.loads = None",
            "get_ipython().kernel.session.send = lambda *a, **k: None",
        ],
        ids=["builtins", "do_execute", "run_cell", "modules", "rlimit", "hooks", "json", "send"],
    )
    def test_a_damaged_kernel_is_never_the_end_of_the_session(self, fresh: Fresh, code: str) -> None:
        sandbox = fresh()
        sandbox.run(code, wall_seconds=1)
        for _ in range(2):  # the first of them may be the one that finds the damage
            result = sandbox.run("print(6 * 7)", wall_seconds=3)
        assert result.stdout == "42\n"

    def test_forged_messages_fool_nobody_but_their_own_run(self, fresh: Fresh) -> None:
        sandbox = fresh(wall_seconds=5)
        garbage = sandbox.run(
            "s = get_ipython().kernel.iopub_socket\n"
            "for parts in ([b''], [b'<IDS|MSG>'], [b'<IDS|MSG>', b'x', b'{', b'[]', b'{}', b'{'], [b'\\xff'] * 9):\n"
            "    s.send_multipart(parts)\n"
            "k = get_ipython().kernel\n"
            "for content in ({'data': 7}, {'data': {'image/png': {'a': 1}, 'text/plain': [1]}}, {'data': {}}):\n"
            "    k.send_response(k.iopub_socket, 'display_data', content)\n"
            "k.send_response(k.iopub_socket, 'stream', {'name': 7, 'text': ['x']})\n"
            "k.send_response(k.iopub_socket, 'error', {'traceback': 5})\n"
            "print('done')"
        )
        assert "done" in garbage.stdout
        sandbox.run("k = get_ipython().kernel; k._publish_status('idle', 'shell')")
        usable(sandbox)

    def test_a_message_larger_than_the_host_takes_does_not_reach_it(self, fresh: Fresh) -> None:
        sandbox = fresh(wall_seconds=8)
        before = psutil.Process().memory_info().rss
        sandbox.run(
            "s = get_ipython().kernel.iopub_socket\nfor _ in range(2): s._socket.send_multipart([b'x' * (100 << 20)])"
        )
        assert psutil.Process().memory_info().rss - before < 200e6
        usable(sandbox)


class TestWhatOutlivesARun:
    def test_late_output_is_not_of_the_next_run(self, shared: AnySandbox) -> None:
        shared.run(
            "import subprocess, threading, time\n"
            "def late():\n    for _ in range(40): time.sleep(0.02); print('thread')\n"
            "threading.Thread(target=late).start()\n"
            "subprocess.Popen('for i in $(seq 40); do sleep 0.02; echo child; done', shell=True);\n"
            "import asyncio\n"
            "async def task():\n    for _ in range(40): await asyncio.sleep(0.02); print('task')\n"
            "running = asyncio.ensure_future(task())"
        )
        result = shared.run("import asyncio\nawait asyncio.sleep(0.5)\nprint('mine')")
        assert result.stdout == "mine\n"

    def test_late_displays_are_not_of_the_next_run(self, shared: AnySandbox) -> None:
        shared.run(
            "import threading, time\nfrom IPython.display import display\n"
            "def late():\n    for _ in range(10): time.sleep(0.05); display('late')\n"
            "threading.Thread(target=late).start()"
        )
        assert shared.run("time.sleep(0.3)").displays == ()

    def test_output_of_threads_and_pools_of_the_run_itself_is_kept(self, shared: AnySandbox) -> None:
        result = shared.run(
            "import multiprocessing, threading\ndef f(x): print('worker'); return x * x\n"
            "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
            "with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(f, [1, 2, 3]))"
        )
        # print() writes a text and its line end one after the other, and another process may come between.
        assert result.stdout.count("worker") == 3
        assert "thread\n" in result.stdout
        assert "[1, 4, 9]\n" in result.stdout

    def test_a_forked_child_that_does_not_exit_is_no_second_kernel(self, shared: AnySandbox) -> None:
        for _ in range(3):
            result = shared.run("import os\npid = os.fork()\nprint('parent' if pid else 'child')")
            assert "parent" in result.stdout
            usable(shared)

    def test_background_processes_live_on_and_never_block(self, fresh: Fresh) -> None:
        sandbox = fresh()
        sandbox.run("import subprocess\np = subprocess.Popen('yes | head -c 3000000; sleep 60', shell=True)")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if sandbox.run("subprocess.run(['pgrep', '-x', 'yes']).returncode").result == "1":
                break
        assert sandbox.run("p.poll()").result is None

    def test_background_processes_count_towards_memory(self, fresh: Fresh) -> None:
        sandbox = fresh(memory_mb=400)
        child = "import time; time.sleep(0.5); x = b'x' * (350 << 20); time.sleep(60)"
        sandbox.run(f"import subprocess, sys\nfor _ in range(2): subprocess.Popen([sys.executable, '-c', {child!r}])")
        deadline = time.monotonic() + 15
        while sandbox.alive and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not sandbox.alive
        usable(sandbox, keeps=False)

    def test_background_processes_count_towards_the_disk(self, fresh: Fresh) -> None:
        sandbox = fresh(workspace_mb=30)
        sandbox.run(
            "import subprocess\nsubprocess.Popen('for i in $(seq 100); do head -c 2000000 /dev/urandom > f$i; "
            "sleep 0.05; done', shell=True);"
        )
        deadline = time.monotonic() + 20
        while sandbox.alive and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not sandbox.alive
        assert len(sandbox.files()) < 100

    def test_everything_ends_with_the_sandbox(self, fresh: Fresh) -> None:
        sandbox = fresh()
        mark = f"straggler-{os.getpid()}-{time.monotonic_ns()}"
        sandbox.run(
            "import os, subprocess, sys, time\n"
            f"code = 'import time; time.sleep(300) #' + {mark!r}\n"
            "subprocess.Popen([sys.executable, '-c', code])\n"
            "subprocess.Popen([sys.executable, '-c', code], start_new_session=True)\n"
            "if os.fork() == 0:\n    os.setsid()\n"
            "    if os.fork() == 0: os.execv(sys.executable, [sys.executable, '-c', code])\n    os._exit(0)\n"
        )
        assert len(processes_with(mark, 3)) == 3
        sandbox.close()
        assert processes_with(mark) == []

    def test_a_process_that_hides_ends_with_the_sandbox(self, fresh: Fresh) -> None:
        sandbox = fresh()
        mark = f"hidden-{os.getpid()}-{time.monotonic_ns()}"
        sandbox.run(
            "import os, sys\n"
            f"code = 'import time; time.sleep(20) #' + {mark!r}\n"
            "if os.fork() == 0:\n    os.setsid()\n"
            "    if os.fork() == 0: os.execve(sys.executable, [sys.executable, '-c', code], {})\n    os._exit(0)\n"
        )
        assert len(processes_with(mark, 1)) == 1
        sandbox.close()
        left = processes_with(mark)
        for pid in left:
            os.kill(pid, 9)
        assert left == []
