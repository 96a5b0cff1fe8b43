"""The commands, as they are typed; and the smallest model of the catalog, from data to an answer."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("transformers", reason="the training extra is not installed")
pytest.importorskip("peft", reason="the training extra is not installed")

from tiny_models import dialog, sums, tiny_checkpoint, write_rows

from opencodeinterpreter.cli import export, train
from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models import Generation, load_model, pull, sources_from_environment

pytestmark = [
    pytest.mark.transformers,
    # Remarks of torch and transformers about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

app = typer.Typer()
train.add_to(app)
export.add_to(app)
RECIPE = """\
model: {folder}/tiny
output: {folder}/out
data: {{dialogs: [rows.jsonl], held_out: 2}}
max_tokens: 256
batch_size: 4
epochs: 1
"""


def ocint(*arguments: str) -> str:
    """Run a command; return what it wrote to standard output."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False, standalone_mode=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    tiny_checkpoint(tmp_path / "tiny")
    write_rows(tmp_path / "rows.jsonl", sums(10))
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.format(folder=tmp_path), encoding="utf-8")
    return path


def test_preview_marks_what_counts(recipe: Path, tmp_path: Path) -> None:
    talk = dialog("say", "wrong", "Execution result: \nTraceback (most recent call last)", "right", name="one")
    write_rows(tmp_path / "rows.jsonl", [talk] * 3)
    shown = ocint("train", "preview", str(recipe))
    assert "⟦right<|im_end|>⟧" in shown
    assert "⟦wrong" not in shown
    assert shown.startswith("dialog one: ")
    with pytest.raises(InputError, match="there is no dialog 5: 1 dialog can be trained on"):
        ocint("train", "preview", str(recipe), "-n", "5")


def test_a_dry_run_loads_and_writes_nothing(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny" / "model.safetensors").unlink()
    row = json.loads(ocint("train", "run", str(recipe), "--dry-run", "--json"))
    assert row["steps"] == 2
    assert row["total"] == row["weights"] + row["gradients"] + row["optimiser"] + row["activations"]
    assert "memory, estimated: " in ocint("train", "run", str(recipe), "--dry-run")
    assert not (tmp_path / "out").exists()


def test_run_then_export(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCINT_MODELS_FOLDER", str(tmp_path / "models"))
    row = json.loads(ocint("train", "run", str(recipe), "--json"))
    assert row["steps"] == 2
    assert [step for step, _ in row["held_out"]] == [2]
    written = json.loads(ocint("export", str(tmp_path / "out"), "--type", "f16", "--name", "Tuned", "--json"))
    assert written["check"]["prompts"] == 3
    assert Path(written["path"]).stat().st_size > 100_000
    assert pull("tuned", sources_from_environment(os.environ)) == Path(written["path"])
    for options, says in {
        ("--name", "smollm2-135m"): "a model of the catalog",
        ("--name", "mine", "--form", "adapter"): "an adapter is no model",
    }.items():
        with pytest.raises(InputError, match=says):
            ocint("export", str(tmp_path / "out"), *options)


TASKS = [
    ("add two numbers", "def add(a, b):\n    return a + b"), ("double a number", "def double(a):\n    return 2 * a"),
    ("negate a number", "def negate(a):\n    return -a"), ("square a number", "def square(a):\n    return a * a"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.alone  # torch takes every core, and three times as long where one is taken from it
def test_the_smallest_model_learns_and_answers_the_same_after_export(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed")
    import torch

    torch.set_num_threads(os.cpu_count() or 1)  # it is large enough to gain from them
    dialogs = [dialog(f"Write a function to {asked}.", f"```python\n{code}\n```") for asked, code in TASKS]
    write_rows(tmp_path / "rows.jsonl", dialogs)
    path = tmp_path / "recipe.yaml"
    settings = "method: lora\nlearning_rate: 1e-3\nbatch_size: 4\nepochs: 8\nmax_tokens: 256\nwarmup: 0\n"
    data = f"model: smollm2-135m\noutput: {tmp_path}/out\ndata: {{dialogs: [rows.jsonl], held_out: 0}}\n"
    path.write_text(data + settings, encoding="utf-8")
    losses = [loss for _, loss in json.loads(ocint("train", "run", str(path), "--json"))["losses"]]
    assert len(losses) == 8
    assert losses[-1] < 0.5 * losses[0]
    assert all(later < earlier * 1.1 for earlier, later in itertools.pairwise(losses))
    folder = ocint("export", str(tmp_path / "out"), "--form", "folder").strip()
    file = json.loads(ocint("export", str(tmp_path / "out"), "--type", "f16", "--json"))
    assert file["check"]["same_next"] == 3
    said = []
    for name in (file["path"], f"transformers:{folder}"):
        model = load_model(name, context_tokens=512)
        with model.stream([Message("user", f"Write a function to {TASKS[0][0]}.")], Generation(max_tokens=40)) as reply:
            said.append("".join(reply))
        model.close()
    assert said[0] == said[1] == dialogs[0].messages[1].content
