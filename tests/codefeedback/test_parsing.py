"""Fenced blocks of messages, and syntax errors in their code."""

from __future__ import annotations

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.verification.code_blocks import Block, blocks, code_of, language_name
from opencodeinterpreter.codefeedback.verification.parsing import PARSED, check_syntax
from opencodeinterpreter.errors import MissingExtraError

GOOD = {
    "python": "def f(x):\n    return x + 1\n",
    "javascript": "const f = async (x) => { const {a, ...rest} = x; return a ?? `${rest}`; };",
    "typescript": "interface A { x: number }\nfunction f<T extends A>(a: T): number { return a.x as number; }",
    "tsx": "const A = (p: {x: number}) => <div className='a'>{p.x}</div>;",
    "java": "public class A { record P(int x) {} static int f(List<String> a) { return a.size(); } }",
    "c": "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", 1); return 0; }",
    "cpp": "#include <vector>\nstruct S { auto f(std::vector<int>& v) { return [&](int x) { return v[x]; }; } };",
    "csharp": "using System;\nclass A { static void Main() { Console.WriteLine($\"{1 + 1}\"); } }",
    "go": "package main\nimport \"fmt\"\nfunc main() { for i := range 3 { fmt.Println(i) } }",
    "rust": "fn main() { let v: Vec<i32> = vec![1]; if let Some(x) = v.first() { println!(\"{x}\"); } }",
    "php": "<?php\nfunction f(int $x): int { return $x + 1; }\necho f(1);",
    "ruby": "def f(x)\n  x.map { |y| y + 1 }\nend\n",
    "bash": "for f in *.txt; do\n  echo \"$f\" | wc -l\ndone\n",
}  # fmt: skip
BAD = {
    language: code.replace("(", "((", 1) for language, code in GOOD.items() if language not in ("ruby", "bash", "tsx")
}
BAD |= {"ruby": "def f(x\n  x +\nend end", "bash": "for f in *.txt; do\n echo 'x\n", "tsx": "const A = <div>{x</div>;"}


@pytest.mark.parametrize("language", sorted(PARSED))
def test_right_and_broken_code_of_each_language(language: str) -> None:
    assert check_syntax(GOOD[language], language).status == "ok"
    assert check_syntax(BAD[language], language).status == "error"


def test_an_error_says_where_it_is() -> None:
    assert check_syntax("x = 1\ny = = 2\n", "py").line == 2
    found = check_syntax("int f() {\n  return 1\n}\n", "c++")
    assert (found.status, found.line, found.detail) == ("error", 2, "; is missing")


def test_what_has_no_grammar_is_not_parsed() -> None:
    assert check_syntax("SELECT FROM WHERE", "sql").status == "not parsed"
    assert check_syntax("<p", "html").status == "not parsed"
    assert check_syntax("???", "").status == "not parsed"


def test_php_without_its_tag_is_php() -> None:
    assert check_syntax("$x = [1, 2];\necho count($x);", "php").status == "ok"
    assert check_syntax("$x = [1, 2;\necho count($x", "php").status == "error"


def test_odd_python_gives_neither_warnings_nor_exceptions() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_syntax(r'x = "\d"', "python").status == "ok"
    assert check_syntax("\0", "python").status == "error"
    assert check_syntax("(" * 5000, "python").status == "error"


def test_threads_parse_at_once() -> None:
    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(lambda each: check_syntax(*each).status, [(GOOD[k], k) for k in GOOD] * 8))
    assert set(results) == {"ok"}


def test_without_the_grammars_a_sentence_says_what_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_go", None)
    with ThreadPoolExecutor(1) as fresh, pytest.raises(MissingExtraError, match=r"opencodeinterpreter\[data\]"):
        fresh.submit(check_syntax, "x", "go").result()


@given(st.sampled_from(sorted(PARSED)), st.text(max_size=60))
def test_any_text_can_be_looked_at(language: str, text: str) -> None:
    assert check_syntax(text, language).status in ("ok", "error")


# Blocks


def test_blocks_have_their_language_and_say_whether_they_are_closed() -> None:
    text = (
        "Here:\n```Python3\nx = 1\n```\nthen\n\n1. a list\n   ~~~ js\n   let x\n   ~~~\n"
        "```\nno tag\n```\n```text\noutput\n```\n````md\n```\nwithin\n```\n````\n```c++ title=x\nint x;"
    )
    found = blocks(text)
    assert found[0] == Block("python3", "x = 1\n")
    assert [block.language for block in found] == ["python", "javascript", "", "text", "md", "cpp"]
    assert [block.closed for block in found] == [True, True, True, True, True, False]
    assert found[1].code == "let x\n"
    assert found[4].code == "```\nwithin\n```\n"
    assert [block.tag for block in code_of(text)] == ["python3", "js", "", "md", "c++"]
    assert blocks("no fence `x`") == []


def test_names_of_languages() -> None:
    assert [language_name(name) for name in (" Py", "C#", "golang", "Haskell", "")] == [
        "python",
        "csharp",
        "go",
        "haskell",
        "",
    ]


@given(st.lists(st.tuples(st.sampled_from(["python", "", "js"]), st.text("abc \n", max_size=20)), max_size=4))
def test_what_is_fenced_is_found(parts: list[tuple[str, str]]) -> None:
    text = "\n".join(f"Some words.\n\n```{tag}\n{code}\n```\n" for tag, code in parts)
    assert [(block.tag, block.code) for block in blocks(text)] == [(tag, code + "\n") for tag, code in parts]
