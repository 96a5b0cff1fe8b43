"""The examples of the documents, run with the real loop and sandbox; a script stands for the model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, Block, blocks

MODEL = "qwen2.5-coder-1.5b"
NOT_RUN = {
    r"^(pip|make|python3? -m venv|~/\S+/pip|\. ~/) ?": "installs",
    r"bin/activate$": "needs what was installed",
    r"^(ollama|vllm|llama-server) ": "starts another program",
    r"^OPENAI_BASE_URL=": "needs that program",
    r" -m \S+": "needs that model",
    r"^ocint models pull|--online": "needs the network",
    r"^ocint eval report": "needs a run, and so a benchmark",
    r"^ocint (web|serve|mcp)\b": "runs until it is ended",
    r"^ocint (data build|train|export)\b": "takes minutes, and the extras; tested in its own place",
    r"--approve|--allow-install": "needs a terminal",
    r"--wheels ": "needs those wheels",
    r"~/envs/|--kernel|bash_kernel": "needs that environment",
    r"^OCINT_MODELS_FOLDER=/srv": "needs that folder",
    r"OCINT_BACKEND=docker|# prints the line that builds the image": "needs an engine for containers and its image",
}
"""Lines of shell examples that a test cannot run, and why."""
ANALYSIS = """\
Let me look.
```python
import pandas as pd
import matplotlib.pyplot as plt
try:
    frame = pd.read_csv("sales.csv")
except FileNotFoundError:  # a task without the file
    frame = pd.DataFrame({"region": ["North"], "sold": [42]})
by_region = frame.groupby("region")["sold"].sum()
print(by_region)
by_region.to_csv("regions.csv")
by_region.plot.bar()
plt.savefig("months.png")
```"""
ANSWER = "North sold most: 42."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the examples speak of."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "sales.csv").write_text("month,region,sold\n2024-01,North,40\n2024-02,North,2\n2024-02,South,7\n")
    (work / "analysis.py").write_text("print(len(open('sales.csv').readlines()))\nopen('made.txt', 'w').write('x')\n")
    (work / ".mcp.json").write_text('{"mcpServers": {}}')
    (work / "script.json").write_text(json.dumps([ANALYSIS, ANSWER, ANALYSIS, ANSWER]))
    return work


def examples(page: str, language: str) -> list[Block]:
    found = [block for block in blocks(ROOT / page) if block.language == language]
    assert found
    return found


def runnable(script: str) -> str:
    """Return a shell example without the lines that a test cannot run."""
    return "\n".join(line for line in script.splitlines() if not any(re.search(each, line) for each in NOT_RUN))


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/user-guide.md"])
def test_shell_examples_run(page: str, folder: Path) -> None:
    home = folder.parent
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
        "OCINT_MODEL": f"scripted:{folder / 'script.json'}",
    }
    ran = 0
    for block in examples(page, "bash"):
        script = runnable(block.text)
        if "ocint" not in script:
            continue
        ran += 1
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, f"{page}:{block.line}\n{script}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    assert ran
    assert (folder / "months.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("page", ["README.md", "docs/user-guide.md"])
def test_python_examples_run(
    page: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    for block in examples(page, "python"):
        source = "\n" * block.line + block.text.replace(f'"{MODEL}"', f'"scripted:{folder / "script.json"}"')
        exec(compile(source, page, "exec"), {"__name__": "__main__"})
    shown = capsys.readouterr().out
    assert ANSWER in shown
    assert "ok" in shown
    if page == "docs/user-guide.md":
        assert "wall time" in shown
        assert (folder / "regions.csv").is_file()
        assert (folder / "summary.csv").is_file()


def test_every_line_left_out_is_in_the_documents() -> None:
    lines = [
        line
        for page in ("README.md", "docs/user-guide.md")
        for block in examples(page, "bash")
        for line in block.text.splitlines()
    ]
    unused = [each for each in NOT_RUN if not any(re.search(each, line) for line in lines)]
    assert not unused
