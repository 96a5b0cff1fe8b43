"""Readers of the data that people have. The records are small ones of each layout, written for these tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.rows import Bug, Problem, Query
from opencodeinterpreter.codefeedback.sources import FORMATS, ReadSettings, find_format, read_files, recognised, stage
from opencodeinterpreter.errors import ConfigError, InputError

ADD = "def add(a, b):\n    return a + b\n"
LEETCODE = {
    "task_id": "two-sum",
    "prompt": "from typing import *\nfrom operator import *\n\ndef list_node(values):\n    return deque(values)\n",
    "completion": "class Solution:\n    def add(self, a: List[int], b: int) -> int:\n        return sum(a) + b\n",
    "entry_point": "Solution().add",
    "test": "def check(candidate):\n    assert candidate(a = list_node([1]), b = 2) == 3\n    assert inf > 2\n",
    "query": "Add.\n\nPlease complete the following python code precisely:\n```python\nclass Solution:\n    ...\n```",
    "response": "Sum it:\n```python\npass\n```",
    "meta": {"difficulty": "Easy", "tags": ["Math"]},
}
KAMYU = {
    "slug": "two-sum",
    "title": "Two Sum",
    "topics": ["Hash Table"],
    "difficulty": "Easy",
    "python": "# Time:  O(n)\n# Space: O(1)\nclass Solution(object):\n    def add(self, a, b):\n"
    "        return sum(a) + b\n\n\n"
    "# Time:  O(n^2)\n# Space: O(1)\nclass Solution2(object):\n    def add(self, a, b):\n"
    "        return sum(a[i] for i in xrange(len(a))) + b\n",
    "cpp": "// Time:  O(n)\n// Space: O(1)\nclass Solution {\npublic:\n"
    "    int add(int a, int b) { return a + b; }\n};\n",
}
EXERCISM = {
    "slug": "add-two",
    "introduction": None,
    "instructions": "# Instructions\n\nAdd two numbers.\n",
    "instructions_append": None,
    "stub": {"add_two.py": "def add(a, b):\n    pass\n"},
    "tests": {
        "add_two_test.py": "import unittest\nfrom add_two import (\n    add,\n)\nimport helper\n\n\n"
        "class AddTest(unittest.TestCase):\n    def test_add(self):\n"
        "        self.assertEqual(add(1, 2), helper.THREE)\n",
        "helper.py": "THREE = 3\n",
    },
    "example_solution": ADD,
    "approaches": {},
}
ALGORITHM = {
    "path": "maths/add.py",
    "name": "add",
    "docstring": "Add two numbers.\n\n>>> add(1, 2)\n3\n>>> add(2,\n...     2)\n4\n",
    "code": 'def add(a: int, b: int = 0) -> int:\n    """Add two numbers."""\n    return floor(a + b)\n',
    "n_doctests": 2,
}
PUZZLE = {
    "name": "Study_1:0",
    "sat": "def sat(s: List[int]):\n    return sum(s) == 3",
    "ans_type": "List[int]",
    "sol_header": "def sol():",
    "sol_docstring": '    """Find numbers whose sum is three."""',
    "sol_bodies": ["    return [1, 2]"],
    "module": "study.py",
}
APPS = {
    "problem_id": 7,
    "question": "Add the two numbers of a line.",
    "solutions": json.dumps(["a, b = map(int, input().split())\nprint(a + b)\n", " "]),
    "input_output": json.dumps({"inputs": ["1 2\n", ["3 4"]], "outputs": ["3\n", ["7"]]}),
    "difficulty": "introductory",
    "url": "https://example.org/7",
    "starter_code": "",
}
CALLED = {
    "question": "Add.",
    "solutions": [ADD],
    "input_output": {"fn_name": "add", "inputs": [[1, 2], [2, 2]], "outputs": [[3], 4]},
}
DEBUGBENCH = {
    "slug": "two-sum",
    "description": "Add.",
    "examples": ["Input: 1\nOutput: 1"],
    "constraints": "1 <= a",
    "oracle_code": "class Solution:\n    def add(self, a: List[int], b: int) -> int:\n        return sum(a) + b",
    "buggy_code": "class Solution:\n    def add(self, a: List[int], b: int) -> int:\n        return max(a) - b",
    "explanations": "\nIt subtracts.\n",
    "language": "python3",
    "level": "easy",
    "bug_type": "operation error",
}
QUIXBUGS = {
    "name": "add",
    "buggy": 'def add(a, b):\n    return a - b\n\n\n"""\nAdd\n\nReturns the sum.\n"""\n',
    "correct": ADD,
    "json_testcases": "[[1, 2], 3]\n[[0, 0], 0]\n",
    "pytest": "",
}
MBPP = {"task_id": 11, "text": "Add.", "code": ADD.replace("\n", "\r\n"), "test_list": ["assert add(1, 2) == 3"]}
SHAREGPT = {
    "conversations": [
        {"from": "system", "value": "Be short."},
        {"from": "human", "value": "Add in Rust?"},
        {"from": "gpt", "value": "```rust\nlet c = a + b;\n```"},
        {"from": "human", "value": "Thanks"},
    ]
}
MESSAGES = {
    "id": 3,
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Add in JavaScript"}]},
        {"role": "assistant", "content": "a + b"},
    ],
}
ALPACA = {"instruction": "Write a function that adds.", "input": "1, 2", "output": ADD}
OSS = {
    "lang": "cpp",
    "seed": "x",
    "problem": "Add.",
    "solution": "```cpp\nint add(int a, int b) { return a + b; }\n```",
}
EVOL = {"instruction": "Add in PHP.", "response": "echo 1 + 2;"}
FILTERED = {"query": "Add.", "answer": "Like this: a + b", "resource": "evol", "lang": "python"}


def made(record: dict[str, Any], tmp_path: Path, **settings: Any) -> list[dict[str, Any]]:
    path = tmp_path / "given.jsonl"
    path.write_text(json.dumps(record) + "\n")
    job = Job(stage(ReadSettings(**settings), [path]), [path], tmp_path / "out.jsonl", records=read_files)
    run_stage(job)
    return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]


def problem(record: dict[str, Any], tmp_path: Path, **settings: Any) -> Problem:
    (row,) = made(record, tmp_path, **settings)
    return Problem.from_json(row)


def passes(code: str, program: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"{code}\n{program}"], capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (LEETCODE, "leetcodedataset"),
        (KAMYU, "kamyu104"),
        (EXERCISM, "exercism"),
        ({"slug": "x", "description": "y", "canonical_data": {}, "title": "X"}, "exercism-specifications"),
        (ALGORITHM, "thealgorithms"),
        (PUZZLE, "p3"),
        ({**PUZZLE, "module": "human_eval.py"}, "p3-humaneval"),
        (APPS, "apps"),
        (DEBUGBENCH, "debugbench"),
        (QUIXBUGS, "quixbugs"),
        (MBPP, "mbpp"),
        (SHAREGPT, "sharegpt"),
        (MESSAGES, "messages"),
        (ALPACA, "alpaca"),
        ({"instruction": "x", "output": "y"}, "alpaca"),
        (OSS, "oss-instruct"),
        (EVOL, "evol-instruct"),
        (FILTERED, "codefeedback-filtered"),
        (Query("1", "x").to_json(), "queries"),
        (Problem("1", "x", "y").to_json(), "problems"),
        (Bug("1", "x", "y", "z").to_json(), "bugs"),
    ],
)
def test_a_format_is_recognised_by_its_fields(record: dict[str, Any], name: str) -> None:
    assert recognised(record).name == name


@pytest.mark.parametrize(
    ("record", "query", "answer", "language", "licence"),
    [
        (ALPACA, "Write a function that adds.\n\n1, 2", ADD.strip(), "python", "unknown"),
        (EVOL, "Add in PHP.", "echo 1 + 2;", "php", "unknown"),
        (OSS, "Add.", OSS["solution"], "cpp", "MIT"),
        (FILTERED, "Add.", "Like this: a + b", "python", "Apache-2.0"),
        (SHAREGPT, "Add in Rust?", "```rust\nlet c = a + b;\n```", "rust", "unknown"),
        (MESSAGES, "Add in JavaScript", "a + b", "javascript", "unknown"),
    ],
)
def test_pairs_and_conversations_become_queries(
    record: dict[str, Any], query: str, answer: str, language: str, licence: str, tmp_path: Path
) -> None:
    (row,) = made(record, tmp_path)
    found = Query.from_json(row)
    assert (found.query, found.answer, found.language, found.licence) == (query, answer, language, licence)
    assert found.id == "given/1"


def test_what_a_person_says_of_a_source_counts(tmp_path: Path) -> None:
    (row,) = made(EVOL, tmp_path, source="Mine", licence="CC0-1.0", language="JS")
    assert (row["source"], row["licence"], row["language"]) == ("Mine", "CC0-1.0", "javascript")


@pytest.mark.parametrize("record", [LEETCODE, EXERCISM, ALGORITHM, PUZZLE, CALLED])
def test_a_problem_s_own_solution_passes_its_tests_and_a_wrong_one_does_not(
    record: dict[str, Any], tmp_path: Path
) -> None:
    found = problem(record, tmp_path)
    assert found.tests is not None
    code = found.solutions[0].code
    assert passes(code, found.tests.program)
    wrong = code.replace(" + ", " - ").replace("[1, 2]", "[1]")
    assert wrong != code
    assert not passes(wrong, found.tests.program)


@pytest.mark.parametrize(
    "heading", ["Examples:", "Example", "Doctests:\n", "For example:", "# Usage:", ">>> add(0)\n0\n\nExamples:"]
)
def test_that_examples_follow_is_said_once(heading: str, tmp_path: Path) -> None:
    docstring = f"Add two numbers.\nUsage of it is free.\n\n{heading}\n>>> add(1, 2)\n3\n"
    statement = problem({**ALGORITHM, "docstring": docstring}, tmp_path).statement
    words, _, examples = statement.partition("\n\nExamples:\n")
    assert words.endswith("\n\nAdd two numbers.\nUsage of it is free.")
    assert examples.startswith("```\n>>> add(")


def test_leetcodedataset_gives_the_problem_alone_and_says_whose_text_it_is(tmp_path: Path) -> None:
    found = problem(LEETCODE, tmp_path)
    assert found.statement == "Add.\n\nComplete this code:\n```python\nclass Solution:\n    ...\n```"
    assert (found.difficulty, found.tags, found.id) == ("easy", ("Math",), "leetcodedataset/two-sum")
    assert found.meta["statement_by"] == "LeetCode"
    assert found.solutions[0].text == LEETCODE["response"]
    assert found.tests is not None
    assert "from operator import *" not in found.tests.program


def test_solutions_are_joined_with_the_problem_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "leetcode.jsonl").write_text(json.dumps(LEETCODE) + "\n")
    joined = {"join": (tmp_path / "leetcode.jsonl",)}
    found = problem(KAMYU, tmp_path, **joined)
    assert [(each.language, each.time) for each in found.solutions] == [
        ("python", "O(n)"),
        ("python", "O(n^2)"),
        ("cpp", "O(n)"),
    ]
    assert found.statement.startswith("Add.")
    assert found.tests is not None
    assert all(passes(each.code, found.tests.program) for each in found.solutions if each.language == "python")
    (tmp_path / "out.jsonl").unlink()
    (tmp_path / "out.manifest.json").unlink()
    assert made({**KAMYU, "slug": "another"}, tmp_path, **joined) == []
    dropped = json.loads((tmp_path / "out.dropped.jsonl").read_text())
    assert dropped["reason"] == "no problem of this name to join"


def test_debugbench_gives_both_programs_and_joined_tests_that_tell_them_apart(tmp_path: Path) -> None:
    (tmp_path / "leetcode.jsonl").write_text(json.dumps(LEETCODE) + "\n")
    (row,) = made(DEBUGBENCH, tmp_path, join=(tmp_path / "leetcode.jsonl",))
    bug = Bug.from_json(row)
    assert (bug.kind, bug.explanation, bug.language, bug.licence) == (
        "operation error",
        "It subtracts.",
        "python",
        "Apache-2.0",
    )
    assert bug.tests is not None
    assert passes(bug.fixed, bug.tests.program)
    assert not passes(bug.buggy, bug.tests.program)


def test_contest_problems_have_cases_or_calls(tmp_path: Path) -> None:
    found = problem(APPS, tmp_path)
    assert found.tests is not None
    assert found.tests.cases == (("1 2\n", "3\n"), ("3 4", "7"))
    assert (found.id, len(found.solutions), found.difficulty) == ("given/7", 1, "introductory")


def test_a_function_that_needs_more_than_is_in_it_is_dropped(tmp_path: Path) -> None:
    assert made({**ALGORITHM, "code": "def add(a, b):\n    return other(a) + b\n"}, tmp_path) == []
    assert json.loads((tmp_path / "out.dropped.jsonl").read_text())["detail"] == "other"


@pytest.mark.parametrize("record", [MBPP, QUIXBUGS, {**PUZZLE, "module": "human_eval.py"}])
def test_a_benchmark_is_refused_unless_it_is_read_for_evaluation(record: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing may be trained on it; --evaluation"):
        made(record, tmp_path)
    (row,) = made(record, tmp_path, evaluation=True)
    assert row["meta"]["evaluation_only"] is True
    tests, code = row["tests"]["program"], row["fixed"] if "fixed" in row else row["solutions"][0]["code"]
    assert passes(code, tests)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"title": "x"}, "a record of no format that is known, with title; say which"),
        ({"instruction": "", "output": "x"}, "instruction of an instruction record is empty"),
        ({"instruction": "x", "output": None}, "an instruction record lacks output"),
        ({"instruction": "x", "output": ["y"]}, "output of an instruction record must be text, not a list"),
        ({"conversations": []}, "a conversation without a user's message"),
        ({"conversations": [{"from": "dog", "value": "x"}]}, "message 1 has the role 'dog'"),
        ({"conversations": [{"from": "gpt", "value": "x"}]}, "message 1 is the assistant's where the user's is due"),
        ({"messages": [{"role": "user", "content": "x"}] * 2}, "message 2 is the user's where the assistant's is due"),
        ({"messages": [{"role": "user", "content": " "}]}, "message 1 is empty"),
        ({"messages": [{"role": "user", "content": 3}]}, "content of message 1 must be text, not a number"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "message 1 has parts that are not text"),
        ({"messages": "x"}, "messages of a conversation must be a list"),
        ({**LEETCODE, "entry_point": ""}, "lacks entry_point"),
        ({**LEETCODE, "test": "  "}, "test of a LeetCodeDataset record is empty"),
        ({**APPS, "solutions": "["}, "solutions of a contest problem is a text that is no JSON"),
        ({**APPS, "input_output": '{"inputs": ["1"], "outputs": []}'}, "as many outputs as inputs"),
        ({**ALGORITHM, "code": "def add(:"}, "code that Python cannot read"),
        ({**PUZZLE, "sat": "lambda: 1"}, "sat is no function"),
        ({**KAMYU, "python": "", "cpp": None}, "neither python nor cpp"),
    ],
)
def test_a_record_that_cannot_be_used_is_explained(record: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the 1 records can be used"):
        made(record, tmp_path)
    journal = [json.loads(line) for line in (tmp_path / "out.jsonl.journal").read_text().splitlines()]
    assert reason in journal[1]["drops"][0]["detail"]
    assert journal[1]["drops"][0]["detail"].startswith("given.jsonl:1: ")


def test_a_format_can_be_told_and_a_wrong_name_has_the_nearest() -> None:
    assert find_format("sharegpt") is FORMATS["sharegpt"]
    with pytest.raises(ConfigError, match="did you mean sharegpt"):
        find_format("share-gpt")
    with pytest.raises(ConfigError, match=r"no format is called 'x'; there are .*alpaca"):
        find_format("x")
