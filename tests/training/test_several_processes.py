"""Several processes, started by the launcher with the configuration that ships, train as one does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("accelerate", reason="the training extra is not installed")
pytest.importorskip("transformers", reason="the training extra is not installed")

from tiny_models import dialog, tiny_checkpoint, write_rows  # noqa: E402

pytestmark = [pytest.mark.transformers, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "examples" / "training"
SCRIPT = "import typer\nfrom opencodeinterpreter.cli import train\napp = typer.Typer()\ntrain.add_to(app)\napp()\n"
RECIPE = """\
model: ./tiny
output: {name}
data: {{dialogs: [rows.jsonl], held_out: 2}}
max_tokens: 256
batch_size: 2
epochs: 2
learning_rate: 1e-3
dtype: float32
gradient_checkpointing: false
"""


def trained(folder: Path, name: str, *launcher: str, more: str = "") -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    (folder / f"{name}.yaml").write_text(RECIPE.format(name=name) + more, encoding="utf-8")
    command = [sys.executable, *launcher, str(folder / "train.py"), "train", "run", f"{name}.yaml"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name}/model"], "one of them speaks"
    return dict(load_file(folder / name / "model" / "model.safetensors"))


def free_port() -> int:
    """Return a port that nobody uses: all launchers have the same one by default."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


PLAIN = {"distributed_type": "MULTI_CPU"}
FSDP2 = yaml.safe_load((EXAMPLES / "fsdp2.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("packing", "launchers"),
    [(False, {"plain": PLAIN, "fsdp2": FSDP2}), (True, {"fsdp2": FSDP2})],
    ids=["padded", "packed"],
)
def test_two_processes_give_the_weights_of_one(
    tmp_path: Path, packing: bool, launchers: dict[str, dict[str, object]]
) -> None:
    tiny_checkpoint(tmp_path / "tiny")
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    # Of very different lengths: an average of the processes' averages would be another loss.
    talks = [dialog("say", "the answer is " + "print " * (1 + 6 * number), name=str(number)) for number in range(8)]
    write_rows(tmp_path / "rows.jsonl", talks)
    more = "packing: true\n" if packing else ""
    one = trained(tmp_path, "one", more=more)
    for name, config in launchers.items():
        here = {"num_processes": 2, "mixed_precision": "no", "use_cpu": True, "main_process_port": free_port()}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**config, **here}), encoding="utf-8")
        launcher = ("-m", "accelerate.commands.launch", "--config_file", str(tmp_path / f"{name}.yaml"))
        several = trained(tmp_path, f"by-{name}", *launcher, more=more)
        assert max(float((one[key] - several[key]).abs().max()) for key in one) < 1e-6
