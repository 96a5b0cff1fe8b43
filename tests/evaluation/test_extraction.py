"""Programs out of replies of every shape that models give."""

from __future__ import annotations

import ast
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencodeinterpreter.evaluation.extraction import extract

PROMPT = '''from typing import List
import math


def helper(x: int) -> int:
    """Adds one."""
    return x + 1


def f(x: int) -> int:
    """Adds two.
    >>> f(1)
    3
    """
'''
GOOD = "def f(x):\n    return x + 2"


def result(code: str, argument: int = 1) -> object:
    names: dict[str, object] = {"__name__": "solution"}
    exec(code, names)
    return names["f"](argument)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (f"```python\n{GOOD}\n```", "fence"),
        (f"Sure! Here it is:\n\n```python\n{GOOD}\n```\n\nIt adds 2.", "fence"),
        (f"```\n{GOOD}\n```", "fence"),
        (f"```Python3\n{GOOD}\n```", "fence"),
        (f"```{{.python}}\n{GOOD}\n```", "fence"),
        (f"```\npython\n{GOOD}\n```", "fence"),
        (f"Below is it:\n```python\nHere it is:\n```python\n{GOOD}\n```", "fence"),
        (f"~~~py\n{GOOD}\n~~~", "fence"),
        (f"````markdown\n```python\n{GOOD}\n```\n````", "fence, mended"),
        (f"1. Code:\n   ```python\n   {GOOD.replace(chr(10), chr(10) + '   ')}\n   ```", "fence"),
        (f"Here is the code: ```python\n{GOOD}\n```", "fence"),
        (f"```python\n{GOOD}```", "fence"),
        (f"```python\r\n{GOOD}\r\n```\r\n".replace("\n", "\r\n"), "fence"),
        (f"```python\n{GOOD}", "open fence"),
        (f"```python\n{GOOD}\n\nprint(f(1)", "open fence, mended"),
        (f"```python\n{GOOD}\n\nThis adds two.", "open fence, mended"),
        (f"{GOOD}\n```\n\nThis adds two.", "text, mended"),
        (GOOD, "text"),
        (f"Sure, the function:\n\n{GOOD}\n\nIt works as follows.", "text, mended"),
        (f"# Answer\n\n{GOOD}\n\n# Explanation\nIt adds.", "text, mended"),
        (f"    {GOOD.replace(chr(10), chr(10) + '    ')}\n\nis the answer", "text, mended"),
        (f"<think>\n```python\ndef f(x):\n    return 0\n```\n</think>\n```python\n{GOOD}\n```", "fence"),
        (f"so it is\n```python\ndef f(x): return 0\n```\n</think>\n\n{GOOD}", "text"),
        (f"<think>\nI try\n```python\n{GOOD}\n```\nand", "reasoning, fence"),
        (f"```python\n{GOOD}\n```<|im_end|>\n<|im_start|>user\n```python\ndef f(x): return 0\n```", "fence"),
        ("    return x + 2", "text, body"),
        ("    y = x\n    return y + 2\n", "text, body"),
        ("y = x\n    return y + 2", "text, body"),
        ("return x + 2", "text, body"),
        ("```python\n    y = x\n    return y + 2\n```", "fence, body"),
        ("```python\ny = x\nif y:\n    return y + 2\nreturn 2\n```", "fence, body"),
        ("    return x + 2\n\n\ndef f(x):\n    return 0\n", "text, body"),
        ("    return x + 2\n\n\nprint(f(1))\nThe end.", "text, body"),
        (f"```python\n{PROMPT}    return x + 2\n```", "fence"),
        (f"```python\n{PROMPT}    pass\n```\nFilled in:\n```python\n{GOOD}\n```", "fence"),
        (f"```python\n{GOOD}\n```\nTo be used so:\n```python\nprint(f(1))\n```", "fence"),
        (f"```bash\npip install x\n```\n```python\n{GOOD}\n```\n```text\n3\n```", "fence"),
        (f"The old code was\n```python\ndef f(x):\n    return 0\n```\nMended:\n```python\n{GOOD}\n```", "fence"),
        (f"```python\n{GOOD}\n```\nAgain:\n```python\ndef f(x):\n    retur", "fence"),
        ("```python\ndef g(x):\n    return x + 2\n```\n```python\ndef f(x):\n    return g(x)\n```",
         "fence + other fences"),
        ("Code:\n@staticmethod\n@staticmethod\ndef f(x):\n    return x + 2\nDone.", "text, mended"),
        ("```python\nN = 2\nM = N\n```\nthen\n```python\ndef f(x):\n    return x + M\n```", "fence + other fences"),
        ("```python\ndef f(x: List[int]):\n    return helper(helper(x))\n```", "fence + prompt"),
        ("```python\ndef f(x):\n    return math.floor(x) + 2\n```", "fence + prompt"),
        ("```python\nfrom __future__ import annotations\ndef f(x):\n    return helper(x) + 1\n```",
         "fence + prompt"),
        ("f = lambda x: x + 2", "text"),
        ("The answer:\nf = lambda x: x + 2", "text, mended"),
        ('```python\ndef f(x):\n    """\n    ```\n    f(1)\n    ```\n    """\n    return x + 2\n```', "fence"),
        ('Code:\ndef f(x):\n    """\nNot indented.\n\nAt all.\n    """\n# odd\n    return x + 2\nDone.',
         "text, mended"),
        ("Code:\ndef f(\n    x,\n):\n    return [\n  x + 2\n][0]\nDone.", "text, mended"),
    ],
)  # fmt: skip
def test_shapes(reply: str, rule: str) -> None:
    found = extract(reply, "f", PROMPT)
    assert found.has_entry_point
    assert result(found.code) == 3
    assert found.rule == rule


@pytest.mark.parametrize(
    "code",
    [
        "import functools\n\n@functools.lru_cache(maxsize=None)\ndef f(x):\n    return x + 2",
        "try:\n    import not_there as np\nexcept ImportError:\n    np = None\n\n"
        "def f(x):\n    return x + 2 if np is None else 0",
        "table = []\nfor i in range(9):\n    table.append(i + 2)\n\ndef f(x):\n    return table[x]",
        "memo = {}\nmemo[1] = 3\n\ndef f(x):\n    return memo[x]",
        "a, b = 1, 1\nb += 0\n\ndef f(x):\n    return x + a + b",
        "n: int = 2\ndef g(y): return y + n\ndef f(x):\n    return g(x)",
        "import sys\nsys.setrecursionlimit(5000)\n\ndef g(n):\n    return 0 if n == 0 else 1 + g(n - 1)\n\n"
        "def f(x):\n    return g(2) + x",
        "class A:\n    def __call__(self, x):\n        return x + 2\n\nf = A()",
        "def f(x):\n    return f.two + x\nf.two = 2",
        "if True:\n    def f(x):\n        return x + 2",
        "count = 0\ndef f(x):\n    global count\n    count += 2\n    return x + count",
    ],
)  # fmt: skip
def test_what_the_entry_point_needs_is_kept(code: str) -> None:
    found = extract(f"```python\n{code}\nprint(f(1))\n```", "f", "")
    assert found.has_entry_point
    assert result(found.code) == 3
    assert found.code == code


@pytest.mark.parametrize(
    "behind",
    [
        "print(f(1))",
        "assert f(1) == 4",
        'if __name__ == "__main__":\n    assert f(1) == 4',
        "y = f(1)\nprint(y)",
        "for i in range(3):\n    y = f(i)\n    assert y == 4",
        "def test_f():\n    assert f(1) == 4\n\ntest_f()",
        "import unittest\n\nclass Test(unittest.TestCase):\n    def test(self):\n        self.assertEqual(f(1), 4)\n\n"
        "unittest.main()",
        "from your_module import f",
        "x = input()",
        "x = f(int(input()))",
        "raise SystemExit",
        "def f(x):\n    pass",
        "# Test\nprint(f(1))  # 3",
    ],
)  # fmt: skip
def test_tests_and_prints_are_not_kept(behind: str) -> None:
    found = extract(f"```python\n{GOOD}\n\n{behind}\n```", "f", "")
    assert result(found.code) == 3
    assert found.code.replace("import unittest", "").strip() == GOOD


def test_comments_and_layout_stay() -> None:
    code = f"# adds two\nimport math  # unused\n\n\n# the function\n{GOOD}  # done"
    assert extract(f"```python\n{code}\n\n# a test\nprint(f(1))\n```", "f", "").code == code


def test_the_layout_of_statements_that_share_a_line_is_made_anew() -> None:
    assert extract("```python\na = 2; print(a)\ndef f(x): return x + a\n```", "f", "").code.startswith("a = 2\n")


@pytest.mark.parametrize(
    ("reply", "code", "rule"),
    [
        ("", "", "empty"),
        (" \n\t", "", "empty"),
        ("<think>hm", "", "no code"),
        ("I cannot help with that.", "", "no code"),
        ("The function returns x for example.", "", "no code"),
        ("return policy: none", "", "no code"),
        ("```python\n```", "", "no code"),
        ("```python\ndef g(x):\n    return 1\n```", "def g(x):\n    return 1", "fence, no entry point"),
        ("```python\ndef f(x:\n    return 1\n```", "def f(x:\n    return 1", "fence, no entry point"),
        ("```python\ndef f(x):\n    pass\n```", "def f(x):\n    pass", "fence, no entry point"),
        ("```python\nclass Solution:\n    def f(self, x):\n        return 1\n```",
         "class Solution:\n    def f(self, x):\n        return 1", "fence, no entry point"),
        ("Use\ndef g(x):\n    return 1\nso", "def g(x):\n    return 1", "text, no entry point"),
        ("So: \ndef f(x:\n    return 1", "def f(x:\n    return 1", "text, no entry point"),
        ("```bash\nls\n```\n```python\nprint(1)\n```", "print(1)", "fence, no entry point"),
    ],
)  # fmt: skip
def test_replies_without_the_entry_point(reply: str, code: str, rule: str) -> None:
    found = extract(reply, "f", '"""Write f."""\n')
    assert (found.code, found.rule, found.has_entry_point) == (code, rule, False)


@pytest.mark.parametrize(
    "code",
    [
        "def g(x):\n    return x + 1",
        "import math\n\ndef g(x):\n    return math.floor(x)\n\nprint(g(1))",
        "class Solution:\n    def f(self, x):\n        return x + 2",
        "g = lambda x: (yield x)",
        "def g(x):\n    yield x",
    ],
)
@pytest.mark.parametrize("shape", ["```python\n{}\n```", "```python\n{}", "Use\n{}", "```python\n    {}\n```"])
def test_a_function_of_another_name_is_no_body(shape: str, code: str) -> None:
    found = extract(shape.format(code.replace("\n", "\n    ") if "    {}" in shape else code), "f", PROMPT)
    assert not found.has_entry_point
    assert "body" not in found.rule


@pytest.mark.parametrize("shape", ["```python\n{}\n```", "{}"])
def test_a_body_may_define_helpers_of_its_own(shape: str) -> None:
    found = extract(shape.format("    def g(y):\n        return y + 1\n\n    return g(x) + 1"), "f", PROMPT)
    assert found.has_entry_point
    assert result(found.code) == 3
    assert found.rule.endswith("body")


def test_a_body_needs_a_prompt_with_a_function() -> None:
    assert not extract("    return x + 2", "f", '"""Write f."""\n').has_entry_point


def test_nothing_is_lent_that_is_not_needed() -> None:
    assert extract(f"```python\n{GOOD}\n```", "f", PROMPT).code == GOOD


PIECES = st.sampled_from(
    ["```", "```python\n", "~~~", "\n", "def f(x):", "    ", "return x", "def ", '"""', "'''", "(", "[", "<think>",
     "</think>", "import ", "x = ", "if ", "class A:", "@a\n", "\\", "#", "Sure!", ";", "\0", "\ufeff", "\r", "\t",
     "\\d", "lambda: "]
)  # fmt: skip


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
def test_any_reply_is_read_without_an_error(reply: str) -> None:
    found = extract(reply, "f", PROMPT)
    if found.has_entry_point:
        compile(found.code, "solution", "exec", flags=ast.PyCF_ONLY_AST)


@pytest.mark.parametrize(
    "piece",
    ["def f(x:\n", 'x = """\n', "x = (\n", "```python\n", "```\n", "if f(1):\n", "f = 1\n", "    return 1\n",
     "def f(x):\n  ", "a", " ", "(", "-", "f(", "x = [\n  1,\n", "@f\n", "# Heading\n", "</think>", "<think>",
     'def f(x):\n    """\n'],
)  # fmt: skip
def test_the_time_grows_with_the_length(piece: str) -> None:
    begin = time.process_time()
    extract(piece * (6_000 // len(piece)), "f", PROMPT)
    assert time.process_time() - begin < 5


def test_blank_lines_within_a_text_keep_their_spaces() -> None:
    code = 'def f(x):\n    return """a\n   \nb"""'
    found = extract(f"```python\n{code}\n```", "f", PROMPT)
    names: dict[str, object] = {}
    exec(found.code, names)
    assert names["f"](1) == "a\n   \nb"  # type: ignore[operator]
