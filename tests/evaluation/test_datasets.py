"""Benchmarks by name: where their files come from, what is refused, and the values that inputs become."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.data_files import KNOWN, BenchmarkFiles, DataFile, benchmark_files, ensure
from opencodeinterpreter.evaluation.datasets import load_dataset, versions
from opencodeinterpreter.evaluation.humaneval_package import package_file, with_inputs
from opencodeinterpreter.evaluation.mbpp_inputs import python_inputs
from opencodeinterpreter.evaluation.parsing import parse
from opencodeinterpreter.evaluation.problems import Dataset
from opencodeinterpreter.models.settings import Sources

ROW = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Twice x.\n    >>> double(2)\n    4\n    """\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "base_input": [[1], [2]],
    "plus_input": [[3]],
    "contract": "",
    "atol": 0,
}


def write(path: Path, *rows: object, packed: bool = False) -> Path:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


@pytest.fixture
def here(tmp_path: Path) -> BenchmarkFiles:
    return BenchmarkFiles(tmp_path / "cache", releases=None)


def published(name: str, version: str) -> Dataset:
    files = replace(benchmark_files(os.environ), overrides={}, releases=None)
    try:
        return load_dataset(name, version, files=files)
    except EvaluationError:
        fetch = f"from opencodeinterpreter.evaluation.datasets import load_dataset; load_dataset({name!r}, {version!r})"
        pytest.skip(f'{name} {version}, as published, is not in {files.folder}; to fetch it: python -c "{fetch}"')


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_by_its_path(tmp_path: Path, here: BenchmarkFiles, packed: bool) -> None:
    path = write(tmp_path / "mine", ROW, packed=packed)
    dataset = load_dataset("humaneval+", path=path, files=here)
    assert (dataset.name, dataset.version) == ("humaneval+", "override")
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    problem = dataset["HumanEval/0"]
    assert (problem.base_inputs, problem.plus_inputs) == (((1,), (2,)), ((3,),))
    assert problem.reference == ROW["prompt"] + "    return 2 * x\n"
    assert [(each.call, each.expected) for each in problem.examples] == [("double(2)", "4")]


def test_the_plain_benchmark_is_the_base_inputs(tmp_path: Path, here: BenchmarkFiles) -> None:
    (problem,) = load_dataset("humaneval", path=write(tmp_path / "mine", ROW), files=here).problems
    assert problem.base_inputs == ((1,), (2,))
    assert problem.plus_inputs == ()


def test_the_reference_of_mbpp_is_whole(tmp_path: Path, here: BenchmarkFiles) -> None:
    row = {**ROW, "task_id": "Mbpp/2", "canonical_solution": "def double(x): return 2 * x", "base_input": [[[1], [2]]]}
    row["plus_input"] = []
    (problem,) = load_dataset("mbpp+", path=write(tmp_path / "mine", row), files=here).problems
    assert problem.reference == "def double(x): return 2 * x"
    assert problem.base_inputs == (((1,), (2,)),)


def test_the_variables_of_evalplus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMANEVAL_OVERRIDE_PATH", str(write(tmp_path / "mine", ROW)))
    assert load_dataset("HumanEval+").version == "override"
    monkeypatch.setenv("HUMANEVAL_OVERRIDE_PATH", str(tmp_path / "nothing"))
    with pytest.raises(EvaluationError, match=r"nothing cannot be read: no such file.*HUMANEVAL_OVERRIDE_PATH"):
        load_dataset("humaneval+")


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("humanval+", None, "did you mean humaneval+?"),
        ("zzz", None, "known are humaneval+, mbpp+, humaneval, mbpp"),
        ("humaneval+", "v0.3", "there are v0.1.9 and v0.1.10"),
        ("mbpp", "0.1.10", "there are v0.1.0 and v0.2.0"),
    ],
)
def test_unknown_names(here: BenchmarkFiles, name: str, version: str | None, words: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        load_dataset(name, version, files=here)
    assert words in str(raised.value)


def test_names_are_read_kindly() -> None:
    assert versions("HumanEval-Plus") == versions("human_eval+") == ("v0.1.9", "v0.1.10")


def test_a_file_that_is_not_the_version_asked_for(tmp_path: Path, here: BenchmarkFiles) -> None:
    with pytest.raises(EvaluationError, match=r"is not the published HumanEval\+ v0.1.9"):
        load_dataset("humaneval+", "v0.1.9", path=write(tmp_path / "mine", ROW), files=here)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no problems"),
        (b"\x1f\x8b\x08\x00cut", "cut or damaged"),
        pytest.param(gzip.compress(b"x" * 9999)[:-9], "cut or damaged", id="gzip without its end"),
        (b"\xff\xfe\x00", "not text"),
        (b"\n{\n", "line 2: this is not a problem of humaneval"),
        (b"[]\n", "line 1: this is not a problem"),
        pytest.param(b"[" * 100_000, "line 1: this is not a problem", id="lists in lists"),
        (b'{"task_id": 3}', "line 1"),
        (json.dumps({**ROW, "atol": []}).encode(), "line 1"),
        (json.dumps({**ROW, "base_input": [3]}).encode(), "an input is not a list of arguments"),
        (json.dumps({k: v for k, v in ROW.items() if k != "plus_input"}).encode(), "no field 'plus_input'"),
        (json.dumps(ROW).encode() + b"\n" + json.dumps(ROW).encode(), "line 2: HumanEval/0 stands in line 1"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, here: BenchmarkFiles, content: bytes, words: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(EvaluationError) as raised:
        load_dataset("humaneval+", path=path, files=here)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


Serve = Callable[[bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve one content at every address; what is shorter than the file of the test is cut off."""
    contents: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-/*")
            self.end_headers()
            self.wfile.write(contents[0][start:])

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def begin(content: bytes) -> str:
        contents.append(content)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield begin
    server.shutdown()
    server.server_close()
    thread.join()


def known(content: bytes) -> DataFile:
    return DataFile("humaneval", "v9", "HumanEvalPlus", len(content), hashlib.sha256(content).hexdigest(), "")


def test_a_download_is_kept(tmp_path: Path, serve: Serve) -> None:
    content = b"the file"
    files = BenchmarkFiles(tmp_path / "cache", releases=serve(content))
    path = ensure(known(content), files)
    assert path.read_bytes() == content
    assert ensure(known(content), replace(files, releases=None)) == path
    path.write_bytes(b"changed!")
    assert ensure(known(content), files).read_bytes() == content
    assert [each.name for each in path.parent.iterdir()] == ["HumanEvalPlus-v9.jsonl.gz"]


def test_a_download_of_another_file(tmp_path: Path, serve: Serve) -> None:
    files = BenchmarkFiles(tmp_path, releases=serve(b"other file"))
    with pytest.raises(EvaluationError, match="another file than the published") as raised:
        ensure(known(b"wanted one"), files)
    assert "HUMANEVAL_OVERRIDE_PATH" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sent", [b"the f", b"the file and more"])
def test_a_download_of_another_length(
    tmp_path: Path, serve: Serve, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencodeinterpreter.models.transfer.TRIES", 1)
    files = BenchmarkFiles(tmp_path, releases=serve(sent))
    with pytest.raises(EvaluationError, match="cannot be downloaded"):
        ensure(known(b"the file"), files)
    assert list(tmp_path.iterdir()) == []


def test_no_network(tmp_path: Path) -> None:
    files = BenchmarkFiles(tmp_path, releases="http://127.0.0.1:9", sources=Sources(connect_seconds=0.5))
    with pytest.raises(EvaluationError, match=r"HumanEval\+ v0.1.10 cannot be downloaded: 127.0.0.1:9 cannot be reach"):
        load_dataset("humaneval+", files=files)


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot be kept in"):
        load_dataset("mbpp+", files=BenchmarkFiles(tmp_path / "file" / "cache"))


@pytest.mark.parametrize(
    ("number", "given", "meant"),
    [
        (2, [[1], [2]], ((1,), (2,))),
        (63, [[[1], [2]]], ([(1,), (2,)],)),
        (75, [[[1]], 3], ([(1,)], 3)),
        (106, [[1], [2]], ([1], (2,))),
        (115, [[[1, 1], [], {}]], ([{1}, {}, {}],)),
        (124, ["0", "1j"], (0.0, 1j)),
        (252, ["1j"], (1j,)),
        (259, [[[1]], [[2]]], (((1,),), ((2,),))),
        (278, [[1, [2]]], ((1, (2,)),)),
        (307, [[1], 2, 3], ((1,), 2, 3)),
        (580, [[1, [2, [3]]]], ((1, (2, (3,))),)),
        (722, [{"a": [1]}, 2], ({"a": (1,)}, 2)),
        (3, [[1]], ([1],)),
    ],
)
def test_inputs_that_json_cannot_say(number: int, given: list[object], meant: tuple[object, ...]) -> None:
    assert repr(python_inputs(f"Mbpp/{number}", [given])) == repr((meant,))


def test_inputs_out_of_the_tests_of_human_eval() -> None:
    check = (
        "import random\ndef check(candidate):\n    assert candidate(1) == 2\n"
        "    assert candidate((1, 2)) == (1, 2) * 2\n"
        "    x = random.random()\n    assert candidate(x) == 2 * x\n"
    )
    rows = [{**{key: ROW[key] for key in ("task_id", "prompt", "entry_point", "canonical_solution")}, "test": check}]
    (row,) = with_inputs(rows)
    assert row["base_input"][:2] == [[1], [(1, 2)]]
    assert with_inputs(rows) == [row]
    with pytest.raises(
        EvaluationError, match="tests of HumanEval/0 in human-eval fail on its reference solution: Asse"
    ):
        with_inputs([{**rows[0], "canonical_solution": "    return x\n"}])


def test_the_package_of_another_benchmark(here: BenchmarkFiles) -> None:
    with pytest.raises(EvaluationError, match=r"holds humaneval only, not humaneval\+"):
        load_dataset("humaneval+", "human-eval", files=here)


def test_the_package(here: BenchmarkFiles) -> None:
    if package_file() is None:
        with pytest.raises(EvaluationError, match="human-eval is not installed"):
            load_dataset("humaneval", "human-eval", files=here)
    else:
        dataset = load_dataset("humaneval", files=here)
        assert (dataset.version, len(dataset.problems)) == ("human-eval", 164)
        assert all(each.base_inputs and not each.plus_inputs for each in dataset.problems)


@pytest.mark.parametrize(
    ("name", "version", "problems", "shown", "inputs"),
    [
        ("humaneval+", "v0.1.10", 164, 160, 124_253),
        ("humaneval+", "v0.1.9", 164, 160, 125_309),
        ("mbpp+", "v0.2.0", 378, 378, 41_015),
        ("mbpp+", "v0.1.0", 399, 399, 43_318),
    ],
)
def test_the_published_files(name: str, version: str, problems: int, shown: int, inputs: int) -> None:
    dataset = published(name, version)
    assert dataset.version == version
    assert dataset.sha256 in {each.sha256 for each in KNOWN}
    assert len(dataset.problems) == problems
    assert sum(bool(each.examples) for each in dataset.problems) == shown
    assert sum(len(each.base_inputs) + len(each.plus_inputs) for each in dataset.problems) == inputs
    for problem in dataset.problems:
        assert not isinstance(parse(problem.reference), SyntaxError)
