"""Packed samples see only themselves."""

from __future__ import annotations

import random
import time

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
transformers = pytest.importorskip("transformers", reason="the training extra is not installed")

from tiny_models import tiny_config  # noqa: E402

from opencodeinterpreter.errors import InputError  # noqa: E402
from opencodeinterpreter.training.masking import IGNORED, Sample  # noqa: E402
from opencodeinterpreter.training.packing import packed_row, packs, padded_rows  # noqa: E402
from opencodeinterpreter.training.separation import check_separation, separates  # noqa: E402

pytestmark = [
    pytest.mark.transformers,
    # Remarks of torch and transformers about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


def samples(*lengths: int) -> list[Sample]:
    chance = torch.Generator().manual_seed(5)
    found = []
    for length in lengths:
        ids = torch.randint(0, 90, (length,), generator=chance).tolist()
        found.append(Sample(ids, [IGNORED, *ids[1:]]))
    return found


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma", "starcoder2"])
def test_logits_of_a_packed_sample_are_those_of_it_alone(kind: str, attention: str) -> None:
    torch.manual_seed(1)
    config = tiny_config(kind, 100)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()
    drawn = samples(9, 5, 17)
    row = packed_row(drawn)
    row.pop("labels")
    with torch.no_grad():
        packed = model(**row, use_cache=False).logits[0]
        alone = torch.cat([model(input_ids=torch.tensor([each.ids])).logits[0] for each in drawn])
        row["position_ids"] = torch.arange(31)[None]
        mixed = model(**row, use_cache=False).logits[0]
    assert torch.allclose(packed, alone, atol=1e-5)
    assert not torch.allclose(mixed, alone, atol=1e-2), "the comparison would show a mixture"
    assert separates(model, 100)


def test_a_model_that_mixes_packed_samples_is_found_out() -> None:
    torch.manual_seed(1)

    class Mixing(transformers.LlamaForCausalLM):  # type: ignore[misc, name-defined]
        def forward(self, position_ids: object = None, **more: object) -> object:
            return super().forward(**more)

    assert not separates(Mixing(tiny_config("llama", 100)), 100)


@pytest.mark.parametrize(
    ("kind", "attention"),
    [("llama", "sdpa"), ("qwen2", "eager"), ("gemma", "auto"), ("starcoder2", "auto"), ("gemma2", "auto")],
)
def test_a_kind_of_model_is_proved_on_a_small_one(kind: str, attention: str) -> None:
    # As large as no test could hold: nothing of this size is made.
    large = {"hidden_size": 256, "num_hidden_layers": 200, "intermediate_size": 100_000}
    check_separation(tiny_config(kind, 5_000_000, **large), attention, torch.device("cpu"), "it")


@pytest.mark.parametrize("width", [64, 256])
def test_a_kind_of_model_that_mixes_packed_samples_is_refused(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = transformers.LlamaForCausalLM.forward
    monkeypatch.setattr(
        transformers.LlamaForCausalLM, "forward", lambda self, position_ids=None, **more: whole(self, **more)
    )
    config = tiny_config("llama", 100, hidden_size=width)
    with pytest.raises(InputError, match="packing: true cannot be had with it: its attention mixes packed dialogs"):
        check_separation(config, "auto", torch.device("cpu"), "it")


def test_attention_that_is_not_installed_is_one_clear_sentence() -> None:
    with pytest.raises(InputError, match="attention: flash_attention_3 cannot be had with it: "):
        check_separation(tiny_config("llama", 100), "flash_attention_3", torch.device("cpu"), "it")


def test_a_packed_row_and_padded_rows_hold_the_same_labels() -> None:
    drawn = samples(3, 5)
    packed, padded = packed_row(drawn), padded_rows(drawn, 7)
    assert packed["position_ids"].tolist() == [[0, 1, 2, 0, 1, 2, 3, 4]]
    assert "attention_mask" not in packed
    assert padded["input_ids"].tolist()[0][3:] == [7, 7]
    assert padded["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert padded["labels"].tolist()[0][3:] == [IGNORED, IGNORED]
    counted = [label for label in packed["labels"][0].tolist() if label != IGNORED]
    assert counted == [label for row in padded["labels"].tolist() for label in row if label != IGNORED]


def best_fit(lengths: list[int], limit: int) -> list[int]:
    """Return how full the rows are, by the definition: each sample, the longest first, to where least room is left."""
    free: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [left for left in free if left >= length]
        if fitting:
            free[free.index(min(fitting))] -= length
        else:
            free.append(limit - length)
    return sorted(limit - left for left in free)


@pytest.mark.parametrize("seed", range(40))
def test_packs_are_those_of_the_slow_definition(seed: int) -> None:
    chance = random.Random(seed)
    limit = chance.choice([16, 64, 300, 4096])
    lengths = [chance.randint(1, max(1, limit // chance.choice([1, 2, 9]))) for _ in range(chance.randint(0, 300))]
    rows = packs([Sample([1] * length, [1] * length) for length in lengths], limit)
    assert sorted(sum(len(sample.ids) for sample in row) for row in rows) == best_fit(lengths, limit)
    assert sorted(len(sample.ids) for row in rows for sample in row) == sorted(lengths)


def test_packing_takes_no_longer_a_sample_where_there_are_many() -> None:
    chance = random.Random(3)
    shared = [[1] * length for length in range(1, 4097)]
    seconds = []
    for count in (2_000, 32_000):
        drawn = [Sample(shared[min(4095, int(chance.lognormvariate(6.5, 0.8)))], []) for _ in range(count)]
        began = time.process_time()
        packs(drawn, 4096)
        seconds.append(time.process_time() - began)
    # Sixteen times as many: quadratic would be 256 times as long.
    assert seconds[1] < 64 * max(seconds[0], 0.01)


def test_packs_hold_everything_once_and_no_more_than_fits() -> None:
    drawn = samples(*range(1, 60, 3))
    rows = packs(drawn, 64)
    assert sorted(id(sample) for row in rows for sample in row) == sorted(map(id, drawn))
    assert max(sum(len(sample.ids) for sample in row) for row in rows) <= 64
    assert len(rows) <= 1 + sum(len(sample.ids) for sample in drawn) // 48
