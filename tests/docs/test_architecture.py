"""What the architecture page says of the code is so."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
from pages import ROOT

PACKAGE = ROOT / "src" / "opencodeinterpreter"
PAGE = ROOT / "docs" / "architecture.md"
MAY_USE = {
    "dialog": {"errors"},
    "errors": set(),
    "pages": set(),
    "models": {"dialog", "errors"},
    "sandbox": {"dialog", "errors"},
    "interpreter": {"models", "sandbox", "pages", "dialog", "errors"},
    "evaluation": {"models", "sandbox", "pages", "dialog", "errors"},
    "codefeedback": {"evaluation", "interpreter", "models", "sandbox", "pages", "dialog", "errors"},
    "serving": {"interpreter", "models", "sandbox", "pages", "dialog", "config", "errors"},
    "training": {"models", "sandbox", "dialog", "errors"},
    "config": {"models", "sandbox", "errors"},
}
HEAVY = ("openai", "httpx", "xllamacpp", "jupyter_client", "pandas", "matplotlib", "torch", "transformers")


def used_by(part: str) -> dict[str, str]:
    """Return the parts of the package that ``part`` imports, each with a file that does so."""
    folder = PACKAGE / part
    found = {}
    for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("opencodeinterpreter."):
                found[str(node.module).split(".")[1]] = str(file.relative_to(PACKAGE))
    found.pop(part, None)
    return found


@pytest.mark.parametrize("part", MAY_USE)
def test_imports_point_downwards(part: str) -> None:
    wrong = {other: file for other, file in used_by(part).items() if other not in MAY_USE[part]}
    assert not wrong


def test_every_file_that_the_page_names_is_there() -> None:
    named = r"`((?:models|sandbox|interpreter|evaluation|codefeedback|training|serving|pages|cli)/[\w./]*|\w+\.py)`"
    spans = re.findall(named, PAGE.read_text(encoding="utf-8"))
    assert len(spans) > 30
    for span in spans:
        assert (PACKAGE / span).exists(), span


def test_every_part_is_in_the_picture() -> None:
    picture = (ROOT / "docs" / "images" / "layers.svg").read_text(encoding="utf-8")
    parts = {path.stem for path in PACKAGE.iterdir() if path.name[0] not in "._" and path.suffix in {"", ".py"}}
    assert not [part for part in parts - {"config"} if f">{part}" not in picture and f"· {part}" not in picture]


def test_importing_costs_nothing() -> None:
    program = (
        "import sys, opencodeinterpreter\n"
        "from opencodeinterpreter import interpreter, models, sandbox, cli\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
