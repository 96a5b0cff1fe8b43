"""Programs that are odd but right pass, and what they return counts as what it is."""

from __future__ import annotations

import base64
import contextlib
import marshal

import pytest
from grading_problems import SQUARES, problem
from hypothesis import example, given
from hypothesis import strategies as st

from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.grading.inside.solution_main import MANY, encode
from opencodeinterpreter.evaluation.grading.values import NotAValueError, decode_value
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.verdicts import Verdict

ODD = {
    "prints": SQUARES + "    # never reached\nprint('loading')\nright = squares\n"
    "def squares(values):\n    print(values)\n    return right(values)\n",
    "changes its input": "def squares(values):\n    values.sort()\n    for place, value in enumerate(values):\n"
    "        values[place] = round(value * value + 1, 6)\n    return values\n",
    "patches built-ins of its own": "len = sorted\ndef squares(values):\n"
    "    return [round(v * v + 1, 6) for v in len(values)]\n",
    "is a class": "class squares(list):\n    def __new__(cls, values):\n"
    "        return [round(v * v + 1, 6) for v in sorted(values)]\n",
    "is a lambda": "squares = lambda values: [round(v * v + 1, 6) for v in sorted(values)]\n",
    "uses a data class": "from dataclasses import dataclass\n@dataclass\nclass Value:\n    number: float\n"
    "def squares(values):\n    return [round(v.number ** 2 + 1, 6) for v in map(Value, sorted(values))]\n",
    "has a main part": SQUARES + "if __name__ == '__main__':\n    raise SystemExit('not a script')\n",
    "uses a file": "def squares(values):\n    with open('kept', 'w') as file: file.write(repr(sorted(values)))\n"
    "    return [round(v * v + 1, 6) for v in eval(open('kept').read())]\n",
    "uses a thread": "import threading\n" + SQUARES + "right = squares\ndef squares(values):\n    kept = []\n"
    "    thread = threading.Thread(target=lambda: kept.append(right(values)))\n"
    "    thread.start(); thread.join()\n    return kept[0]\n",
    "uses a child": "import subprocess, sys\n" + SQUARES + "right = squares\ndef squares(values):\n"
    "    subprocess.run(['/bin/true'], check=True)\n    return right(values)\n",
    "recurses deeply": "import sys\nsys.setrecursionlimit(20000)\ndef depth(n): return n and depth(n - 1)\n"
    "depth(15000)\n" + SQUARES,
    "is slightly off": "def squares(values):\n    return [v * v + 1 + 1e-9 for v in sorted(values)]\n",
    "returns a subclass": "class Kept(list): pass\ndef squares(values):\n"
    "    return Kept(round(v * v + 1, 6) for v in sorted(values))\n",
    "ends with a running thread": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(600,)).start()\n" + SQUARES,
    "speaks other alphabets": "# été, 平方\ndef squares(values):\n    größe = sorted(values)\n"
    "    return [round(v * v + 1, 6) for v in größe]\n",
    "names solution in the module": "import sys\nassert sys.modules[__name__].__name__ == 'solution'\n" + SQUARES,
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_but_right_program_passes(name: str, grader: Grader, squares: Problem) -> None:
    grade = grader.grade(squares, ODD[name])

    assert (grade.base.failure, grade.plus.failure) == (None, None)
    assert grade.plus.passed


RETURNED = [
    # expected, actual, whether it is the same
    ("1", "True", True),
    ("1", "1.0", True),
    ("(1, 2)", "[1, 2]", False),
    ("[1, 2]", "(1, 2)", False),
    ("0.0", "-0.0", True),
    ("0.3", "0.1 + 0.2", True),
    ("0.3", "0.3001", False),
    ("[0.3, 1.0]", "[0.1 + 0.2, 1]", True),
    ("[0.3]", "(0.1 + 0.2,)", False),
    ("(1, 0.3)", "(1, 0.1 + 0.2)", False),
    ("float('inf')", "float('inf')", True),
    ("float('nan')", "float('nan')", False),
    ("[float('nan')]", "[float('nan')]", False),
    ("[0.3, [1.0]]", "[0.1 + 0.2, [1.0]]", False),
    ("2 + 3j", "2 + 3j", True),
    ("{1, 2}", "frozenset([2, 1])", True),
    ("{1, 2}", "{1: 0, 2: 0}.keys()", True),
    ("[1, 2]", "{1: 0, 2: 0}.keys()", False),
    ("[0, 1]", "range(2)", False),
    ("[0, 1]", "(n for n in range(2))", False),
    ("[0, 1]", "map(int, '01')", False),
    ("{'a': 1}", "__import__('collections').Counter('a')", True),
    ("{'a': [1]}", "__import__('collections').OrderedDict(a=[1])", True),
    ("(1, 2)", "__import__('collections').namedtuple('P', 'x y')(1, 2)", True),
    ("[1, 2]", "__import__('collections').deque([1, 2])", False),
    ("1", "__import__('fractions').Fraction(1)", True),
    ("1.5", "__import__('decimal').Decimal('1.5')", True),
    ("b'ab'", "bytearray(b'ab')", True),
    ("'\\ud800'", "'\\ud800'", True),
    ("10 ** 5000", "10 ** 5000", True),
    ("10 ** 5000", "10 ** 5000 + 1", False),
    ("'1'", "1", False),
    ("None", "None", True),
    ("None", "False", False),
    ("{'a': {(1, 2): {3}}}", "{'a': {(1, 2): {3}}}", True),
    ("[[]]", "[[[]]]", False),
    ("1", "__import__('enum').IntEnum('E', 'a').a", True),
]


@pytest.mark.parametrize(("expected", "actual", "same"), RETURNED)
def test_values_compare_as_what_they_are(expected: str, actual: str, same: bool, grader: Grader) -> None:
    task = problem(f"def f(): return {expected}", "f", ((),), ())

    grade = grader.grade(task, f"def f(): return {actual}")

    assert grade.base.verdict is (Verdict.PASS if same else Verdict.WRONG)


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [("3", "numpy.int64(3)", True), ("2.5", "numpy.float64(2.5)", True), ("[1, 2]", "numpy.array([1, 2])", False)],
)
def test_numbers_of_numpy(expected: str, actual: str, same: bool, grader: Grader) -> None:
    task = problem(f"def f(): return {expected}", "f", ((),), ())

    assert grader.grade(task, f"import numpy\ndef f():\n    return {actual}").base.passed is same


NUMBERS = st.integers() | st.integers(-(2**33), 2**33) | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.integers() | st.floats() | st.booleans() | st.text() | st.none()


def exact(value: object) -> tuple[type, object]:
    """Return what tells types, signs of zeros, and what is undefined."""
    return type(value), value.hex() if isinstance(value, float) else value


@given(st.lists(NUMBERS, min_size=MANY) | st.lists(st.floats(), min_size=MANY) | st.lists(ANYTHING, min_size=MANY))
@example([0.5, 1] * 40)
@example([1e308] * 100)
@example([10**400] * 100)
@example([10**9999, -(10**9999)] * 20)
@example([-(2**31) - 1, 2**31, -(2**31), 2**31 - 1] * 5)
@example([-0.0, 0] * 40)
@example(["\ud800", "a\n"] * 20)
@example([True, 1] * 20)
def test_many_items_are_rebuilt_as_each_of_them_is(values: list[object]) -> None:
    rebuilt = decode_value(encode(values, 1000).encode()).plain
    each = [decode_value(encode(value, 1).encode()).plain for value in values]
    assert list(map(exact, rebuilt)) == list(map(exact, each))


def as_numbers(content: bytes) -> bytes:
    return b'{"n":"%s"}' % base64.b64encode(content)


@pytest.mark.parametrize(
    "forged",
    [
        b'{"n":"not base 64"}',
        b'{"n":[1]}',
        as_numbers(b""),
        as_numbers(b"[\2\0\0\0" + marshal.dumps(1)),  # fewer than told
        as_numbers(b"[\0\0\0\0" + marshal.dumps(1)),
        as_numbers(b"[\1\0\0\0i\1"),  # cut off
        as_numbers(b"[\1\0\0\0g\1"),
        as_numbers(b"[\1\0\0\0l\2\0\0\0\1\0"),
        as_numbers(b"[\1\0\0\0l\xff\xff\xff\x7f"),  # two thousand million digits
        as_numbers(b"[\1\0\0\0l\0\0\0\0"),  # no digits
        as_numbers(b"[\1\0\0\0l\1\0\0\0\xff\xff"),  # a digit of 16 bits
        as_numbers(marshal.dumps(["text"], 2)),
        as_numbers(marshal.dumps([[1]], 2)),
        as_numbers(marshal.dumps((1, 2), 2)),
        as_numbers(marshal.dumps(compile("1", "", "eval"))),
    ],
)
def test_numbers_that_are_none_are_refused(forged: bytes) -> None:
    with pytest.raises(NotAValueError):
        decode_value(forged)


@given(st.binary())
def test_bytes_that_are_taken_for_numbers_give_numbers_or_are_refused(content: bytes) -> None:
    with contextlib.suppress(NotAValueError):
        assert all(type(value) in (int, float) for value in decode_value(as_numbers(content)).plain)


def test_long_lists_of_numbers_are_compared_with_tolerance(grader: Grader) -> None:
    task = problem("def f(n): return [i / 8 for i in range(n)]", "f", ((300_000,),), ())

    assert grader.grade(
        task, "def f(n): return [i if i != 7 else 7 + 1e-9 for i in [j / 8 for j in range(n)]]"
    ).base.passed
    assert not grader.grade(task, "def f(n): return [i / 8 for i in range(n - 1)] + [0]").base.passed


def test_of_a_long_text_that_is_wrong_both_ends_are_shown(grader: Grader) -> None:
    task = problem("def f(n): return ' '.join(map(str, range(n)))", "f", ((100_000,),), ())

    assert grader.grade(task, "def f(n): return ' '.join(str(i) for i in range(n))").base.passed
    failure = grader.grade(task, "def f(n): return ' '.join(str(i) for i in range(n)) + ' '").base.failure
    assert failure is not None
    assert failure.expected.startswith("'0 1 2 3")
    assert failure.expected.endswith("99998 99999'")
    assert failure.actual.endswith("99998 99999 '")
    assert 3900 < len(failure.actual) < 4100


def test_values_too_large_to_be_sent_are_compared_all_the_same(grader: Grader) -> None:
    task = problem("def f(n): return [(i, 'a') for i in range(n)]", "f", ((800_000,),), ())

    assert grader.grade(task, "def f(n): return list(zip(range(n), 'a' * n))").base.passed
    failure = grader.grade(task, "def f(n): return [(i, 'a') for i in range(n - 1)] + [(0, 'a')]").base.failure
    assert failure is not None
    assert (failure.expected, failure.actual) == ("<list too large to be shown>",) * 2


def test_a_tolerance_lasts_from_the_first_float_on(grader: Grader) -> None:
    task = problem("def f(x): return x", "f", ((0.5,), ([1, 0.25],)), ())

    assert grader.grade(task, "def f(x): return x if isinstance(x, float) else [1, 0.25 + 1e-9]").base.passed


def test_inputs_do_not_share_lists(grader: Grader) -> None:
    shared = [3.0]
    task = problem("def f(x): return len(x)", "f", ((shared,), (shared,)), ((shared,),))

    assert grader.grade(task, "def f(x):\n    x.append(1)\n    return len(x) - 1").plus.passed


def test_inputs_keep_their_types(grader: Grader) -> None:
    values = (1, 2.0, "three", None, True, (4, [5]), {6: {7}}, frozenset([8]), 9j, b"ten", 10**30)
    task = problem("def f(*args): return [type(one).__name__ for one in args]", "f", (values,), ())

    names = ["int", "float", "str", "NoneType", "bool", "tuple", "dict", "frozenset", "complex", "bytes", "int"]
    assert grader.grade(task, f"def f(*args): return {names}").base.passed
