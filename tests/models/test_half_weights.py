"""Layers whose weights are kept in 16 bits."""

from __future__ import annotations

import gc
import weakref

import pytest

torch = pytest.importorskip("torch", reason="the transformers extra is not installed: make test")

from opencodeinterpreter.models.half_weights import pack_linears  # noqa: E402

pytestmark = [
    pytest.mark.transformers,
    pytest.mark.skipif(
        torch.backends.quantized.engine not in ("fbgemm", "x86"), reason="torch has the kernel for x86 only"
    ),
]


class Pair(torch.nn.Module):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = torch.nn.Linear(96, 130)
        self.inner = torch.nn.Sequential(torch.nn.GELU(), torch.nn.Linear(130, 33, bias=False))

    def forward(self, rows: object) -> object:
        return self.inner(self.first(rows))


def test_the_weights_of_32_bits_are_let_go() -> None:
    model = Pair()
    weights = [weakref.ref(each) for each in model.parameters() if each.dim() == 2]
    pack_linears(model)
    gc.collect()
    assert [each() for each in weights] == [None, None]


@pytest.mark.parametrize("shape", [(1, 96), (48, 96), (2, 7, 96)])
def test_the_same_comes_out_but_for_the_rounding_of_weights(shape: tuple[int, ...]) -> None:
    model, rows = Pair(), torch.randn(shape)
    with torch.inference_mode():
        plain = model(rows)
        rounded = Pair()
        for weights in rounded.parameters():
            if weights.dim() == 2:  # biases stay as they are
                weights.copy_(weights.half().float())
        expected = rounded(rows)
        assert pack_linears(model) == 2
        packed = model(rows)
    assert packed.shape == plain.shape
    torch.testing.assert_close(packed, expected, rtol=1e-5, atol=1e-5)
    assert not torch.equal(packed, plain)


def test_what_16_bits_cannot_hold_stays_as_it_is() -> None:
    model = Pair()
    with torch.no_grad():
        model.first.weight[3, 4] = -70_000.0
    model.inner[1] = model.inner[1].to(torch.bfloat16)
    assert pack_linears(model) == 0


def test_layers_of_another_kind_are_left_alone() -> None:
    class Other(torch.nn.Linear):  # type: ignore[misc,name-defined]
        """Does something more in its forward, perhaps."""

    model = torch.nn.Sequential(Other(8, 8), torch.nn.Embedding(4, 8))
    assert pack_linears(model) == 0
