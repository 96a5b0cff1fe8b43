"""Whole runs on the processor: a tiny model made here learns by heart, and goes on where it was stopped."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
transformers = pytest.importorskip("transformers", reason="the training extra is not installed")
pytest.importorskip("peft", reason="the training extra is not installed")

from tiny_models import dialog, sums, tiny_checkpoint, write_rows  # noqa: E402

from opencodeinterpreter.dialog import Dialog, Message  # noqa: E402
from opencodeinterpreter.errors import InputError  # noqa: E402
from opencodeinterpreter.models import Generation, load_model  # noqa: E402
from opencodeinterpreter.training.checking import check, estimated  # noqa: E402
from opencodeinterpreter.training.preparing import Prepared, prepare  # noqa: E402
from opencodeinterpreter.training.recipe import DataRecipe, LoraRecipe, Recipe  # noqa: E402
from opencodeinterpreter.training.running import Finished, train  # noqa: E402
from opencodeinterpreter.training.watching import NoProgress, RisingLoss, Step  # noqa: E402

pytestmark = [
    pytest.mark.transformers,
    # Remarks of torch and transformers about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


class Told(NoProgress):
    """Remembers what it is told; stops a run as a person would."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[Step] = []
        self.judged: list[tuple[int, float]] = []
        self.notes: list[str] = []
        self._stop_after = stop_after

    def step(self, step: Step) -> None:
        self.steps.append(step)
        if step.step == self._stop_after:
            raise KeyboardInterrupt

    def evaluated(self, step: int, loss: float) -> None:
        self.judged.append((step, loss))

    def note(self, text: str) -> None:
        self.notes.append(text)


def recipe_for(folder: Path, dialogs: Sequence[Dialog], **more: Any) -> Recipe:
    model = folder / "tiny"
    if not model.exists():
        tiny_checkpoint(model)
    rows = write_rows(folder / "rows.jsonl", dialogs)
    settings: dict[str, Any] = {
        "model": str(model), "output": str(folder / "out"), "data": DataRecipe((str(rows),), held_out=0), "epochs": 1.0,
        "max_tokens": 256, "batch_size": 4, "learning_rate": 1e-3, "dtype": "float32", "save_steps": 1000, **more,
    }  # fmt: skip
    return Recipe(**settings)


def run(recipe: Recipe, told: Told | None = None) -> Finished:
    return train(prepare(recipe), told or Told())


def answers(name: str, dialogs: Sequence[Dialog]) -> list[str]:
    model = load_model(name, context_tokens=256)
    found = []
    for each in dialogs:
        with model.stream(each.messages[:1], Generation(max_tokens=30)) as reply:
            found.append("".join(reply))
    model.close()
    return found


def test_a_tiny_model_learns_twenty_dialogs_by_heart_and_answers_them(tmp_path: Path) -> None:
    dialogs = sums(20)
    recipe = recipe_for(tmp_path, dialogs, epochs=80.0, batch_size=10, learning_rate=1e-2, micro_batch_size=10)
    told = Told()
    finished = run(recipe, told)
    assert finished.losses[0][1] > 5
    assert finished.losses[-1][1] < 0.1
    assert answers(str(finished.model), dialogs) == [each.messages[1].content for each in dialogs]
    last = told.steps[-1]
    assert (last.step, last.steps, last.left_seconds) == (160, 160, 0.0)
    assert last.tokens_per_second > 0
    card = (finished.model / "README.md").read_text()
    assert "Trained on 20 dialogs" in card
    assert "rows.jsonl" in card
    assert (tmp_path / "out" / "loss.svg").read_text().count("<polyline") == 3
    assert list((tmp_path / "out" / "logs").glob("events.*"))
    with pytest.raises(InputError, match="holds a finished run: --restart begins anew"):
        run(recipe)


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(next(folder.glob("*.safetensors"))))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_run_that_was_stopped_goes_on_to_the_same_result(tmp_path: Path, method: str) -> None:
    settings: dict[str, Any] = {"method": method, "save_steps": 3, "epochs": 2.0, "lora": LoraRecipe(dropout=0.1)}
    settings["data"] = DataRecipe((str(tmp_path / "rows.jsonl"),), held_out=4)
    whole = run(recipe_for(tmp_path, sums(24), **settings, output=str(tmp_path / "whole")))
    stopped = recipe_for(tmp_path, sums(24), **settings)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, Told(stop_after=5))
    # As if it had been killed while it wrote: what is torn is not gone on from.
    (tmp_path / "out" / "checkpoint-5").mkdir()
    told = Told()
    gone_on = run(stopped, told)
    assert told.notes == ["goes on after step 3 of 10"]
    assert [step.step for step in told.steps] == [4, 5, 6, 7, 8, 9, 10]
    assert gone_on.losses == whole.losses
    assert gone_on.held_out == whole.held_out
    assert [step for step, _ in whole.held_out] == [3, 6, 9, 10]
    first, second = weights(whole.model), weights(gone_on.model)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert sorted(path.name for path in (tmp_path / "out").glob("checkpoint-*")) == ["checkpoint-10", "checkpoint-9"]
    other = dataclasses.replace(stopped, output=str(tmp_path / "whole"), seed=3)
    with pytest.raises(InputError, match="holds a finished run"):
        run(other)


def test_a_folder_of_another_run_is_not_gone_on_from(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, sums(8), epochs=3.0)
    with pytest.raises(KeyboardInterrupt):
        run(recipe, Told(stop_after=1))
    with pytest.raises(InputError, match="holds a run with another learning_rate: --restart begins anew"):
        run(dataclasses.replace(recipe, learning_rate=2e-3))
    write_rows(tmp_path / "rows.jsonl", sums(9))
    with pytest.raises(InputError, match="holds a run with another content of its data"):
        run(recipe)
    assert train(prepare(recipe), Told(), restart=True).steps == 9
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(InputError, match="is not empty and holds no run of ours"):
        run(dataclasses.replace(recipe, output=str(tmp_path / "full")))


def first_step(folder: Path, **more: Any) -> dict[str, Any]:
    """Return the weights after one step on the same eight dialogs of very different lengths."""
    long = [dialog("say", "the answer is " + "print " * (1 + 6 * number), name=str(number)) for number in range(8)]
    recipe = recipe_for(folder, long, batch_size=8, max_steps=1, output=str(folder / json.dumps(more)), **more)
    return weights(run(recipe).model)


def test_the_loss_is_that_of_all_tokens_of_the_step_however_it_is_divided(tmp_path: Path) -> None:
    whole = first_step(tmp_path, micro_batch_size=8)
    for more in ({"micro_batch_size": 1}, {"micro_batch_size": 2}):
        divided = first_step(tmp_path, **more)
        # Adam's first step is the sign of the gradient: an average of averages would turn some of them.
        assert max(float((whole[name] - divided[name]).abs().max()) for name in whole) < 2e-5


def test_packed_dialogs_give_the_step_that_padded_ones_give(tmp_path: Path) -> None:
    padded = first_step(tmp_path, micro_batch_size=8)
    # All eight lie in one or two packs, of which a step takes all.
    packed = first_step(tmp_path, packing=True, max_tokens=512)
    assert max(float((padded[name] - packed[name]).abs().max()) for name in padded) < 2e-5


def test_the_evaluation_loss_is_that_of_all_held_out_tokens(tmp_path: Path) -> None:
    long = [dialog("say", "the answer is " + "print " * (1 + 6 * number), name=str(number)) for number in range(8)]
    recipe = recipe_for(
        tmp_path, long, data=DataRecipe((str(tmp_path / "rows.jsonl"),), held_out=4), micro_batch_size=2
    )
    prepared = prepare(recipe)
    finished = train(prepared, Told())
    model = transformers.AutoModelForCausalLM.from_pretrained(finished.model)
    total = count = 0.0
    for sample in prepared.held_out.samples:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([sample.ids])).logits[0, :-1]
        wanted = torch.tensor(sample.labels[1:])
        total += float(torch.nn.functional.cross_entropy(logits, wanted, reduction="sum"))
        count += float((wanted >= 0).sum())
    assert count == prepared.held_out.targets
    assert finished.held_out[-1][1] == pytest.approx(total / count, rel=1e-4)


def test_a_loss_that_is_not_a_number_ends_the_run_with_advice(tmp_path: Path) -> None:
    from opencodeinterpreter.errors import ModelError

    broken = transformers.AutoModelForCausalLM.from_pretrained(tiny_checkpoint(tmp_path / "tiny"))
    with torch.no_grad():
        broken.lm_head.weight[5] = math.nan
    broken.save_pretrained(tmp_path / "tiny")
    with pytest.raises(ModelError, match=r"the loss is not a number at step 1: .* try a lower learning_rate"):
        run(recipe_for(tmp_path, sums(8)))


def test_a_rising_loss_is_told_early_and_once() -> None:
    rising = RisingLoss()
    falling = [rising.add(step, 2.0 - step / 50) for step in range(50)]
    assert not any(falling)
    said = [text for step in range(50, 90) if (text := rising.add(step, 1.0 + (step - 50) / 20))]
    assert len(said) == 1
    assert said[0].startswith("the loss rises: ")
    assert "lower learning_rate" in said[0]


def test_the_estimate_of_memory_is_near_what_a_run_keeps(tmp_path: Path) -> None:
    """What autograd keeps for the backward pass, counted, against what was foretold; weights, exactly."""
    talk = dialog("say", "the answer is " + "print sum " * 12)
    for method in ("full", "lora"):
        prepared = prepare(recipe_for(tmp_path, [talk] * 4, method=method))
        found = estimated(prepared)
        kept = _kept_by(prepared)
        assert 0.5 * kept < found.activations < 2 * kept
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "tiny")
    full = estimated(prepare(recipe_for(tmp_path, [talk] * 4)))
    count = sum(each.numel() for each in model.parameters())
    assert (full.parameters, full.trained, full.weights, full.optimiser) == (count, count, 4 * count, 8 * count)
    assert full.steps == 1
    assert full.seconds > 0


def _kept_by(prepared: Prepared) -> int:
    from opencodeinterpreter.training.devices import this_device
    from opencodeinterpreter.training.masking import IGNORED
    from opencodeinterpreter.training.packing import padded_rows
    from opencodeinterpreter.training.running import _model

    model = _model(prepared, this_device())
    model.train()
    kept: dict[int, int] = {}

    def note(tensor: Any) -> Any:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    rows = padded_rows(prepared.train.samples[:1], 0)
    labels = rows.pop("labels")
    with (
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=this_device().bfloat16),
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
    ):
        logits = model(**rows, use_cache=False).logits.float()[:, :-1]
        wanted = labels[:, 1:]
        torch.nn.functional.cross_entropy(logits[wanted != IGNORED], wanted[wanted != IGNORED], reduction="sum")
    own = {each.untyped_storage().data_ptr() for each in model.parameters()}
    return sum(size for place, size in kept.items() if place not in own)


def test_whether_packed_dialogs_stay_apart_is_found_out_before_a_weight_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where several processes share the weights, only one of them has them then."""
    whole = transformers.Qwen2ForCausalLM.forward
    monkeypatch.setattr(
        transformers.Qwen2ForCausalLM, "forward", lambda self, position_ids=None, **more: whole(self, **more)
    )
    prepared = prepare(recipe_for(tmp_path, sums(4), packing=True))
    (tmp_path / "tiny" / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"packing: true cannot be had with .*tiny: its attention mixes"):
        train(prepared, Told())
    assert not (tmp_path / "out").exists()


def test_packs_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opencodeinterpreter.training import packing

    calls = []
    whole = packing.packs
    monkeypatch.setattr(packing, "packs", lambda *given: calls.append(1) or whole(*given))
    prepared = prepare(recipe_for(tmp_path, sums(4), packing=True))
    check(prepared, estimated(prepared))
    train(prepared, Told())
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("processes", "batch", "micro", "takes"),
    [(3, 32, 1, "30 or 33"), (8, 4, 1, "8"), (2, 4, 4, "8"), (4, 36, 6, "24 or 48")],
)
def test_a_step_that_devices_cannot_share_evenly_is_refused(
    tmp_path: Path, processes: int, batch: int, micro: int, takes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare(recipe_for(tmp_path, sums(4), batch_size=batch, micro_batch_size=micro))
    found = estimated(prepared)
    check(prepared, found)
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    with pytest.raises(InputError, match=f"batch_size: {batch} .*{processes} devices.*: take {takes}$"):
        check(prepared, found)


def test_four_bits_are_not_taken_from_a_gguf_file(tmp_path: Path) -> None:
    prepared = prepare(recipe_for(tmp_path, sums(4), method="qlora"))
    found = estimated(prepared)
    file = dataclasses.replace(prepared.base, gguf=tmp_path / "it.gguf")
    with pytest.raises(InputError, match=r"method: qlora cannot begin from a GGUF file, and .*tiny is one: .* lora"):
        check(dataclasses.replace(prepared, base=file), found)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            {"max_tokens": 4096},
            "max_tokens in the recipe is 4096, and .* reads at most 512 tokens: say max_tokens: 512",
        ),
        ({"method": "qlora"}, "method: qlora needs a GPU that bitsandbytes knows; here, take method: lora"),
        ({"attention": "flash_attention_2"}, "attention: flash_attention_2 needs a GPU"),
        ({"template": "deepseek-coder"}, "does not fit the model: its token '<|EOT|>' is not in the vocabulary"),
        ({"method": "lora", "lora": LoraRecipe(targets=("qq_proj",))}, "fits no layer of the model"),
    ],
)
def test_what_cannot_succeed_is_refused_before_a_weight_is_loaded(
    tmp_path: Path, more: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    recipe = recipe_for(tmp_path, sums(4), **more)
    (tmp_path / "tiny" / "model.safetensors").unlink()
    with pytest.raises(InputError, match=sentence.replace("|", r"\|")):
        check(prepared := prepare(recipe), estimated(prepared))


def test_too_little_memory_or_disk_names_what_would_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(recipe_for(tmp_path, sums(8), micro_batch_size=4))
    found = estimated(prepared)
    sparse = dataclasses.replace(found, free=100)
    with pytest.raises(InputError, match=r"needs about 0\.0 GB of memory and 0\.0 GB are free: with "):
        check(prepared, sparse)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(InputError, match=r"of disk space and 0\.0 GB are free: take another folder"):
        check(prepared, found)


def test_data_without_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing to learn from: no assistant turn in rows\.jsonl"):
        prepare(recipe_for(tmp_path, [Dialog((Message("user", "Hello."),))]))
    with pytest.raises(InputError, match="nothing is left to train on: of 2 dialogs, 2 with the first answer does not"):
        prepare(recipe_for(tmp_path, sums(2), max_tokens=5))
