"""Which language a query is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.languages import language_of, language_of_code, mentioned

PYTHON = "import math\n\n\ndef area(radius):\n    if radius < 0:\n        return None\n    return math.pi * radius**2\n"
CODE = {
    "python": PYTHON,
    "javascript": "const add = (a, b) => a + b;\nconsole.log(add(1, 2));\n",
    "typescript": "interface Point { x: number }\nfunction add(a: number, b: number): number {\n  return a + b;\n}\n",
    "java": 'public class Main {\n  public static void main(String[] args) {\n    System.out.println("x");\n  }\n}\n',
    "cpp": "#include <iostream>\nusing namespace std;\nint main() {\n  cout << 1 << endl;\n}\n",
    "c": '#include <stdio.h>\n\nint main(void) {\n  printf("%d", 1);\n  return 0;\n}\n',
    "csharp": 'using System;\nclass A {\n  static void Main(string[] args) { Console.WriteLine("x"); }\n}\n',
    "go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tx := 1\n\tfmt.Println(x)\n}\n',
    "rust": 'fn main() {\n    let mut x = 1;\n    println!("{}", x);\n}\n',
    "php": '<?php\n$x = 1;\necho "x";\n',
    "ruby": "def add(a, b)\n  a + b\nend\n\nputs add(1, 2)\n",
    "bash": '#!/bin/bash\nif [ -f "$1" ]; then\n  echo "$1"\nfi\n',
    "sql": "SELECT name FROM people WHERE age > 3;",
    "html": "<!DOCTYPE html>\n<html><body></body></html>",
}


@pytest.mark.parametrize("language", CODE)
def test_code_is_known_by_its_look(language: str) -> None:
    assert language_of_code(CODE[language]) == language


@pytest.mark.parametrize(
    ("query", "answer", "told", "language"),
    [
        ("Add", "```js\na + b\n```", "python", "javascript"),
        ("Add", "```json\n{}\n```\n```py\na\n```", "", "python"),
        ("Add", "```\na + b\n```", "C++", "cpp"),
        ("Add", "a + b", "Python3", "python"),
        ("```java\nint a;\n```\nMend this", "int b;", "", "java"),
        ("Write a C++ program that adds", "int x;", "", "cpp"),
        ("Write a C program", "", "", "c"),
        ("Is Java faster than JavaScript?", "", "", "java"),
        ("How do I use JavaScript?", "", "", "javascript"),
        ("Add two numbers", PYTHON, "", "python"),
        ("What is a monad?", "A burrito.", "", ""),
        ("```text\nx\n```", "~~~ruby\nputs 1\n~~~", "", "ruby"),
    ],
)
def test_fences_count_first_then_the_field_then_names_then_the_look(
    query: str, answer: str, told: str, language: str
) -> None:
    assert language_of(query, answer, told) == language


@pytest.mark.parametrize("text", ["a go at it", "javascripts", "plan c", "rusty", "a scalar", "vitamin c"])
def test_a_word_that_only_looks_like_a_name_is_none(text: str) -> None:
    assert mentioned(text) == ""


@given(query=st.text(max_size=40), answer=st.text(max_size=40), told=st.text(max_size=5))
def test_any_text_gives_a_language_or_none(query: str, answer: str, told: str) -> None:
    assert isinstance(language_of(query, answer, told), str)
