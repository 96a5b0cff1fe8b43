"""Text from tokens, piece by piece."""

from __future__ import annotations

from typing import Any


class Detokenizer:
    """Turns tokens into text one by one, holding back characters of which only some bytes are there."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._start = self._given = 0

    def feed(self, token: int) -> str:
        """Return the text that the token completes."""
        self._tokens.append(token)
        return self._new(whole=True)

    def rest(self) -> str:
        """Return what was held back."""
        return self._new(whole=False)

    def _new(self, *, whole: bool) -> str:
        # Decoded together with the tokens before, because a tokenizer may treat the first one differently.
        before = self._text(self._tokens[self._start : self._given])
        now = self._text(self._tokens[self._start :])
        if len(now) <= len(before) or (whole and now.endswith("\ufffd")):
            return ""
        self._start, self._given = self._given, len(self._tokens)
        return now[len(before) :]

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))
