"""Whether the embedded engine and the ``transformers`` library see the same tokens and foretell the same next one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import InputError, ModelError
from opencodeinterpreter.training.templates import tokens_of

_NEXT: Final = 10
"""How many of the likeliest next tokens are compared."""
_TOLERANCE: Final = {"f32": 0.15, "f16": 0.15, "bf16": 0.3, "q8_0": 0.6}
"""Difference of log-probabilities of the likeliest token that rounding explains; the engine computes in 16 bits or
fewer. Fewer bits change a model on purpose, and are only reported."""
PROBES: Final = (
    ({"role": "user", "content": "Write a function that adds two numbers."},),
    (
        {"role": "user", "content": "Sort  [3, 1, 2].\n\n\tThen print it: naïve, 你好, 😀 1234567890"},
        {"role": "assistant", "content": "```python\nprint(sorted([3, 1, 2]))\n```"},
        {"role": "user", "content": "Execution result: \n[1, 2, 3]\n"},
    ),
    ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "def f(x):\n    return x ** 2  # ??"}),
)


@dataclass(frozen=True)
class Agreement:
    """What was found."""

    prompts: int
    tokens: int
    """of all prompts, the same on both sides"""
    same_next: int
    """prompts after which both find the same token the likeliest"""
    difference: float
    """the largest difference of the log-probability of the likeliest token"""


def agreement(path: Path, model: Any, tokenizer: Any, kind: str, adapters: Sequence[Path] = ()) -> Agreement:
    """Compare a GGUF file with the model that it was written from.

    Args:
        path: the file.
        model: in memory.
        tokenizer: of the model, with its chat template.
        kind: of the file's weights: ``q8_0`` …
        adapters: to be applied to the file.

    Raises:
        InputError: if tokens differ, or next tokens differ by more than rounding explains.
        ModelError: if the engine cannot open the file.
    """
    tokens, same, largest = 0, 0, 0.0
    letter = tokens_of(tokenizer, "a")[-1]
    with _Engine(path, adapters) as engine:
        for rows in PROBES:
            text = tokenizer.apply_chat_template(list(rows), tokenize=False, add_generation_prompt=True)
            ours, theirs = tokens_of(tokenizer, text), engine.prompt(rows)
            if ours != theirs:
                place = next(
                    (at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]),
                    min(len(ours), len(theirs)),
                )
                raise InputError(
                    f"{path} would be asked in other tokens than it was trained on: at token {place} the engine has "
                    f"{theirs[place : place + 3]}, the tokenizer {ours[place : place + 3]}"
                )
            tokens += len(ours)
            best, difference = _compared(engine.next(ours, letter), model, ours)
            same += best
            largest = max(largest, difference)
    limit = _TOLERANCE.get(kind)
    if limit is not None and largest > limit:
        raise InputError(
            f"{path} does not foretell what the model foretells: log-probabilities differ by {largest:.2f}"
        )
    return Agreement(len(PROBES), tokens, same, largest)


def _compared(theirs: Sequence[tuple[int, float]], model: Any, tokens: list[int]) -> tuple[bool, float]:
    import torch

    with torch.no_grad():
        scores = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0, -1].float().log_softmax(-1)
    best = int(scores.argmax())
    known = dict(theirs)
    return theirs[0][0] == best, abs(known.get(best, -100.0) - float(scores[best]))


class _Engine:
    """The embedded engine, asked for tokens and probabilities instead of replies."""

    def __init__(self, path: Path, adapters: Sequence[Path]) -> None:
        import httpx
        import xllamacpp

        self._folder = Path(tempfile.mkdtemp(prefix="ocint-check-"))
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.verbosity, params.ui = 1024, 1, -1, False
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
        params.hostnames = [str(self._folder / "engine.sock")]
        params.lora_adapters = [self._adapter(xllamacpp, each) for each in adapters]
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise ModelError(f"the embedded engine cannot open {path}: {error}") from error
        transport = httpx.HTTPTransport(uds=str(self._folder / "engine.sock"))
        self._http = httpx.Client(transport=transport, base_url="http://engine", timeout=300)

    @staticmethod
    def _adapter(xllamacpp: Any, path: Path) -> Any:
        info = xllamacpp.CommonAdapterLoraInfo()
        info.path, info.scale = str(path), 1.0
        return info

    def __enter__(self) -> _Engine:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()
        self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def prompt(self, rows: Sequence[dict[str, str]]) -> list[int]:
        """Return the tokens that the engine makes of messages."""
        text = self._ask("/apply-template", {"messages": list(rows)})["prompt"]
        found = self._ask("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
        return [int(each) for each in found]

    def next(self, tokens: list[int], drawn: int) -> list[tuple[int, float]]:
        """Return the likeliest next tokens with their log-probabilities, the likeliest first; ``drawn`` is a letter."""
        # An end, or a part of a character, would be given without probabilities. They are those before anything is
        # drawn, so that it changes nothing which token is.
        request = {"prompt": tokens, "n_predict": 1, "n_probs": _NEXT, "temperature": 0.0, "logit_bias": [[drawn, 1e4]]}
        first = self._ask("/completion", request)["completion_probabilities"][0]
        return [(int(each["id"]), float(each["logprob"])) for each in first["top_logprobs"]]

    def _ask(self, where: str, body: dict[str, Any]) -> Any:
        response = self._http.post(where, json=body)
        if response.status_code != 200:
            raise ModelError(f"the embedded engine does not answer: {response.text[:200]}")
        return response.json()
