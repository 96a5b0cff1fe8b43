"""Old solution files: taken apart, made Python 3, completed, and their complexities read."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.methods.completing import completed, missing_lines
from opencodeinterpreter.codefeedback.methods.complexity import complexity, growth
from opencodeinterpreter.codefeedback.methods.python2 import to_python3
from opencodeinterpreter.codefeedback.methods.variants import variants
from opencodeinterpreter.codefeedback.rows import Solution

TWO = """\
# Time:  O(n^2)
# Space: O(1)

import itertools

# pairs of numbers
class Solution(object):
    def pairs(self, nums, k):
        return sum(1 for a, b in itertools.combinations(nums, 2) if a + b == k)


# Time:  O(n), n is the number of numbers
# Space: O(n)
import collections


def key(x):
    return x


# hash table
class Solution2(object):
    def pairs(self, nums, k):
        seen, result = collections.Counter(), 0
        for i in xrange(len(nums)):
            result += seen[key(k - nums[i])]
            seen[nums[i]] += 1
        return result
"""
CPP = """\
// Time:  O(n^2)
// Space: O(1)

class Solution {
public:
    int pairs(vector<int>& nums, int k) { return 1; }
};

// Time:  O(n)
// Space: O(n)
// hash table
class Solution2 {
public:
    int pairs(vector<int>& nums, int k) { return Solution2::one(); }
};
"""


def test_each_class_becomes_a_program_with_what_it_needs():
    one, two = variants(Solution(TWO, "python"))
    assert (one.time, one.space, one.note) == ("O(n^2)", "O(1)", "pairs of numbers")
    assert (two.time, two.space, two.note) == ("O(n)", "O(n)", "hash table")
    assert "import itertools" in one.code
    assert "collections" not in one.code
    assert "import collections" in two.code
    assert "def key(x)" in two.code
    assert "class Solution(object)" in two.code
    assert "Solution2" not in two.code
    for each in (one, two):
        space: dict = {}
        exec(each.code, space)
        assert space["Solution"]().pairs([1, 3, 2, 2], 4) == 2


def test_variants_in_cpp():
    one, two = variants(Solution(CPP, "cpp"))
    assert one.time == "O(n^2)"
    assert one.code.endswith("};")
    assert (two.time, two.space, two.note) == ("O(n)", "O(n)", "hash table")
    assert "Solution2" not in two.code


def test_a_single_solution_keeps_its_own_layout_and_facts():
    code = "# Time: O(1)\nclass Solution:\n    def f(self):\n        return 1"
    (only,) = variants(Solution(code, "python", text="a reply", note="a note"))
    assert only == Solution(code, "python", "O(1)", "", "a reply", "a note")
    plain = Solution("def f():\n    return 1", "python", "O(n)", "O(1)")
    assert variants(plain) == (plain,)
    assert variants(Solution("fn main() {}", "rust")) == (Solution("fn main() {}", "rust"),)
    assert variants(Solution("def f(:", "python")) == (Solution("def f(:", "python"),)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("for i in xrange(3): pass", "for i in range(3): pass"),
        ("x = d.iteritems()  # xrange", "x = d.items()  # xrange"),
        ("for a, b in itertools.izip(x, y): pass", "for a, b in zip(x, y): pass"),
        ("m = sys.maxint", "m = sys.maxsize"),
        ("def xrange(n): return n\nxrange(3)", "def xrange(n): return n\nxrange(3)"),
        ("s = 'xrange'", "s = 'xrange'"),
        ("f(long=3)", "f(long=3)"),
        ("x = long(3) + long(4)", "x = int(3) + int(4)"),
        ("reduce(f, x)", "from functools import reduce\n\nreduce(f, x)"),
        ("from functools import reduce\nreduce(f, x)", "from functools import reduce\nreduce(f, x)"),
        ("functools.reduce(f, x)", "functools.reduce(f, x)"),
    ],
)
def test_idioms_of_python_2(old, new):
    assert to_python3(old) == new


@given(st.text(max_size=120))
def test_any_text_is_converted_or_left(text):
    assert isinstance(to_python3(text), str)
    assert all(each.code is not None for each in variants(Solution(text, "python")))


def test_python_3_stays_as_it_is():
    code = "import itertools\n\n\ndef f(values):\n    return [x for x in range(3)], itertools.zip_longest(values)\n"
    assert to_python3(code) == code


def test_what_a_solution_needs_is_put_above_it():
    code = (
        "class Solution:\n    def f(self, head: Optional[ListNode], x: List[int]) -> int:\n        return math.gcd(*x)"
    )
    program = completed(code)
    assert program.startswith("import math\nfrom typing import List, Optional\n\n\nclass ListNode:")
    assert program.endswith(code)
    ast.parse(program)
    assert completed(program) == program
    assert missing_lines("from typing import *\nx: List[int] = []") == ""
    assert missing_lines("def f(List): return List") == ""
    assert missing_lines("def f(:") == ""
    assert missing_lines("print(bisect.bisect_left([1], 1))") == "import bisect"
    assert missing_lines("print(bisect([1], 1))") == "from bisect import bisect"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("O(n), n is the length", "O(n)"),
        ("_O(n * (m + k))_", "O(n * (m + k))"),
        ("  O(nlogn) ~ O(n^2)", "O(nlogn)"),
        ("fast", ""),
        ("O(n", ""),
    ],
)
def test_the_complexity_in_a_text(text, found):
    assert complexity(text) == found


def test_complexities_are_put_in_order():
    order = [
        "O(1)", "O(logn)", "O(sqrt(n))", "O(n)", "O(n * log n)", "O(n * sqrt(n))", "O(n^2)", "O(n^2 * logn)", "O(n^3)",
        "O(2^n)", "O(n * 2^n)", "O(n!)",
    ]  # fmt: skip
    values = [growth(each) for each in order]
    assert None not in values
    assert values == sorted(values)
    assert len(set(values)) == len(values)
    assert growth("O(n + m)") == growth("O(n)")
    assert growth("O(|V| + |E|)") == growth("O(n)")
    assert growth("O(n choose k)") is None or growth("O(n choose k)") >= 0
    assert growth("nothing") is None


@given(st.text("On()^*+/ logm!2k|,", max_size=30))
def test_any_expression_is_read_or_refused(text):
    found = growth(f"O({text})")
    assert found is None or found >= 0
