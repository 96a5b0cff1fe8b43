"""How many tokens messages take, where no tokenizer is at hand."""

from __future__ import annotations

from collections.abc import Sequence

from opencodeinterpreter.dialog import Message

_BYTES_A_TOKEN = 3.5
"""Code and English are above it, Chinese a little below."""
_TOKENS_A_MESSAGE = 4
_TOKENS_A_PICTURE = 800
"""Of 768 by 768 pixels: 765 by OpenAI's way of counting, 784 in the patches of 28 pixels that Qwen's models have."""


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return an estimate that is rather too high than too low."""
    size = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in messages)
    pictures = sum(len(message.pictures) for message in messages)
    return round(size / _BYTES_A_TOKEN) + _TOKENS_A_MESSAGE * len(messages) + _TOKENS_A_PICTURE * pictures
