"""The examples that prompts show, in all the notations that occur."""

from __future__ import annotations

import math
import os
import sys
import warnings
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.data_files import benchmark_files
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.examples import examples_of


def shown(text: str, signature: str = "f(x)") -> list[tuple[str, str]]:
    prompt = f'def {signature}:\n    """Does something.\n{text}\n    """\n'
    return [(each.call, each.expected) for each in examples_of(prompt, "f")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    >>> f(1)\n    2", [("f(1)", "2")]),
        ("    >>> f([])\n\n    >>> f([1])\n    'a'", [("f([])", "None"), ("f([1])", "'a'")]),
        ("    >>> f(1)", [("f(1)", "None")]),
        ("    >>> f(1,\n    ...   2)\n    [1,\n     2]\n    text", [("f(1,\n  2)", "[1,\n     2]")]),
        ("    >>> round(f([1, 2]), 2) # near\n    -0.5", [("round(f([1, 2]), 2)", "-0.5")]),
        ("    >>> f(1) == 2\n    >>> f(2) == 3", [("f(1)", "2"), ("f(2)", "3")]),
        ("    >>> f([1]) [0, 1]", [("f([1])", "[0, 1]")]),
        ("    >>> g(1)\n    2", []),
        ("    f(1) == 2", [("f(1)", "2")]),
        ("    f(1) ➞ 2 \n    # why", [("f(1)", "2")]),
        ("    f(1) -> 2\n    f(2)=>3\n    f(3) ==>4\n    f(4) ==> 5", [(f"f({n})", str(n + 1)) for n in range(1, 5)]),
        ("    * f(1, 2) -> [3, 4]", [("f(1, 2)", "[3, 4]")]),
        ("    f(1) = -1", [("f(1)", "-1")]),
        ("    f('a') returns 'b' # since", [("f('a')", "'b'")]),
        ("    f('a') should return 16.", [("f('a')", "16")]),
        ("    f('a')   # returns \"db\"", [("f('a')", '"db"')]),
        ("    f('a') # => 'No' (the name is wrong)", [("f('a')", "'No'")]),
        ("    f(14) should\n    return 15 and f(13) should return 14.", [("f(14)", "15"), ("f(13)", "14")]),
        ("    f(1) => true", [("f(1)", "True")]),
        ("    f(')(') == ')'", [("f(')(')", "')'")]),
        ("    f([\n      [1],\n    ], 1) == [(0, 0)]", [("f([\n      [1],\n    ], 1)", "[(0, 0)]")]),
        ('    f("5", 19) ->19 - 5 - 6 = 8', [('f("5", 19)', "8")]),
        ("    f([1]) == 1 + 9 = 10\n    f([0]) == 0  ", [("f([1])", "10"), ("f([0])", "0")]),
        ("    for f(7, 34) == 34", [("f(7, 34)", "34")]),
        ("    f(a) => False\n    f(abcd) => True", [("f('a')", "False"), ("f('abcd')", "True")]),
        ("    f(x) == 3", []),
        ("    f(1) = 3\n    f(n) = 1 + n / 2\n    Examples:\n    f(3) = [1]", [("f(3)", "[1]")]),
        ("    f(2) = 1 + (2 / 2)", []),
        ('    f("c") == ""aaa"', []),
        ("    f(1) == 1\n    f(1) == 1", [("f(1)", "1")]),
        ('    f(1) ==> ("a", "b")\n    f(2) ==> ("c")', [("f(1)", '("a", "b")'), ("f(2)", '("c",)')]),
        ("    other_name([1]) ==> ['A+']", [("f([1])", "['A+']")]),
        ('    assert other(["aa"]) => ["aa"]', [('f(["aa"])', '["aa"]')]),
        ("    Input: [4,2,3]\n    Output: [2, 1]\n    Input: []\n    Output: []",
         [("f([4,2,3])", "[2, 1]"), ("f([])", "[]")]),
        ("    Input: x = 5\n    Output: 24 # sum", [("f(5)", "24")]),
        ('    For x = "AB" the output should be 1.', [('f("AB")', "1")]),
        ('    For N = 10, the sum will be 6 the output should be "110".', [("f(10)", '"110"')]),
        ("    x = [2, 1]   \n      -> sort x -> [1, 2]\n    return ['a']\n    x = []\n    return []",
         [("f([2, 1])", "['a']"), ("f([])", "[]")]),
    ],
)  # fmt: skip
def test_notations(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('    For x = "abc", y = "a", the result should be (\'b\',False)', [("f(\"abc\", \"a\")", "('b',False)")]),
        ('    For x = "abc", y = "b"  the result should be 1', [('f("abc", "b")', "1")]),
        ("    Input:\n        grid : [[0,1]]\n        size : 1\n    Output: 6", [("f([[0,1]], 1)", "6")]),
        ("    Input: y = 1, x = 2\n    Output: 6", [("f(2, 1)", "6")]),
        ("    Input: 3\n    Output: 6", []),
        ("    operator['+', '-']\n    array = [2, 3]\n    result = 2 + 3\n    => result = 9",
         [("f(['+', '-'], [2, 3])", "9")]),
    ],
)  # fmt: skip
def test_two_parameters(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text, "f(x, y)") == expected


@pytest.mark.parametrize(
    ("line", "call", "expected"),
    [
        ("assert f((1, 2), [3])==[1, 2]", "f((1, 2), [3])", "[1, 2]"),
        ("assert set(f([1])) == set([1])", "set(f([1]))", "set([1])"),
        ("assert (f([1])) == [2]", "f([1])", "[2]"),
        ("assert 3 == f(1)", "f(1)", "3"),
        ('assert f("annie")', 'bool(f("annie"))', "True"),
        ('assert not f("ac")', 'not f("ac")', "True"),
        ("assert math.isclose(f(10), 62.83, rel_tol=0.001)", "math.isclose(f(10), 62.83, rel_tol=0.001)", "True"),
        ("assert f([1,\n  2]) == 3", "f([1,\n  2])", "3"),
    ],
)
def test_asserts(line: str, call: str, expected: str) -> None:
    (example,) = examples_of(f'"""\nWrite a function.\n{line}\n"""\n', "f")
    assert (example.call, example.expected, example.source) == (call, expected, line)


def test_arguments_of_a_plain_call() -> None:
    examples = examples_of(
        'def f(x):\n    """\n    >>> f([1], "a")\n    1\n    >>> round(f(2), 1)\n    1\n    """\n', "f"
    )
    assert [each.inputs for each in examples] == [([1], "a"), None]


def test_text_is_read_as_it_stands_in_the_file() -> None:
    (example,) = examples_of('def f(x):\n    """\n    >>> f("a\\nb")\n    \'c\\nd\'\n    """\n', "f")
    assert (example.inputs, example.expected) == (("a\nb",), "'c\\nd'")


def test_only_the_function_itself_is_read() -> None:
    helper = 'def g(s):\n    """\n    f(1) == 2\n    """\n    return f(3) == 4\n\n'
    prompt = helper + 'def f(s) -> None:\n    """\n    f(5) == 6\n    """\n'
    assert [each.call for each in examples_of(prompt, "f")] == ["f(5)"]


def test_the_source_is_the_lines_of_the_prompt() -> None:
    (example,) = examples_of('def f(x):\n    """A.\n    >>> f(1)\n    [2,\n     3]\n    B.\n    """\n', "f")
    assert example.source == "    >>> f(1)\n    [2,\n     3]"


WRONG_IN_THE_PROMPT = {
    ("HumanEval/47", "median([-10, 4, 6, 1000, 10, 20])"),
    ("HumanEval/116", "sort_array([1, 5, 2, 3, 4])"),
    ("HumanEval/116", "sort_array([-2, -3, -4, -5, -6])"),
    ("HumanEval/116", "sort_array([1, 0, 2, 3, 4])"),
}


@pytest.mark.parametrize(("name", "count"), [("humaneval+", 461), ("mbpp+", 378)])
def test_the_reference_solutions_give_what_the_prompts_show(name: str, count: int) -> None:
    files = replace(benchmark_files(os.environ), overrides={}, releases=None)
    try:
        dataset = load_dataset(name, files=files)
    except EvaluationError:
        fetch = f"from opencodeinterpreter.evaluation.datasets import load_dataset; load_dataset({name!r})"
        pytest.skip(f'{name}, as published, is not in {files.folder}; to fetch it: python -c "{fetch}"')
    wrong, seen = set(), 0
    for problem in dataset.problems:
        names = {"math": math, "sys": sys}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(problem.reference, names)
        for example in problem.examples:
            seen += 1
            if eval(example.call, names) != eval(example.expected, names):
                wrong.add((problem.id, example.call))
    assert seen == count
    assert wrong == {each for each in WRONG_IN_THE_PROMPT if name == "humaneval+"}


WORDS = st.sampled_from(
    ["f", "(", ")", "[", "]", "'", '"', '"""', "\\", "\n", " ", "    ", ">>> ", "... ", "==", "=", "->", "➞", "1", "x",
     ",", "assert ", "Input: ", "Output: ", "For ", "the output should be ", "returns", "def f(x):", "Examples:",
     "1e999", "\\d", "{"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=60).map("".join)))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for prompt in (text, f'def f(x):\n    """{text}"""\n'):
        for example in examples_of(prompt, "f"):
            compile(example.call, "call", "eval")
            compile(example.expected, "expected", "eval")
            assert example.source in prompt


@given(
    st.lists(
        st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.lists(st.booleans())), min_size=1, max_size=3
    )
)
def test_what_is_written_is_read(values: list[object]) -> None:
    arguments = ", ".join(map(repr, values)).encode("unicode_escape").decode().replace("\\\\", "\\")
    if "inf" in arguments or "nan" in arguments or '"""' in arguments:
        return
    (example,) = examples_of(f'def f(*x):\n    """\n    f({arguments}) == 3\n    """\n', "f")
    assert (example.call, example.expected) == (f"f({arguments})", "3")


def test_brackets_that_never_close_cost_little() -> None:
    assert examples_of('"""' + "f(" * 4_000 + '"""', "f") == ()
