"""The vocabulary of a GGUF file: carried over from the file that training began from, or written from a tokenizer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import InputError

_KEPT: Final = "tokenizer."
_TEMPLATE: Final = "tokenizer.chat_template"
_END: Final = "tokenizer.ggml.eos_token_id"


def write_vocabulary(writer: Any, tokenizer: Any, source: Path | None, size: int) -> None:
    """Add tokens, merges and the chat template.

    Args:
        writer: a ``gguf.GGUFWriter``.
        tokenizer: of the model.
        source: a GGUF file with the same vocabulary, which is then taken as it is.
        size: how many rows the model's embedding has.

    Raises:
        InputError: if the tokenizer is of a kind that is not known.
    """
    if source is not None and _carried(writer, source, size):
        if tokenizer.eos_token_id is not None:
            writer.add_eos_token_id(tokenizer.eos_token_id)
    else:
        _written(writer, tokenizer, size)
    if isinstance(tokenizer.chat_template, str) and tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def _carried(writer: Any, source: Path, size: int) -> bool:
    import gguf

    reader = gguf.GGUFReader(source)
    tokens = reader.fields.get("tokenizer.ggml.tokens")
    if tokens is None or len(tokens.data) != size:
        return False
    for name, each in reader.fields.items():
        if not name.startswith(_KEPT) or name in (_TEMPLATE, _END):
            continue
        kinds = each.types
        inner = kinds[-1] if kinds[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, each.contents(), kinds[0], inner)
    return True


def _written(writer: Any, tokenizer: Any, size: int) -> None:
    import gguf

    row = json.loads(tokenizer.backend_tokenizer.to_str())
    model = row["model"]
    if model.get("type") != "BPE":
        raise InputError(f"a tokenizer of the kind {model.get('type')} cannot be written to a GGUF file here")
    spaced = bool(model.get("byte_fallback"))
    texts = {number: token for token, number in tokenizer.get_vocab().items()}
    added = dict(tokenizer.added_tokens_decoder)
    tokens, kinds, scores = [], [], []
    for number in range(max(size, len(texts))):
        text = texts.get(number)
        kind = gguf.TokenType.NORMAL
        if text is None:
            text, kind = f"[PAD{number}]", gguf.TokenType.UNUSED
        elif number in added:
            kind = gguf.TokenType.CONTROL if added[number].special else gguf.TokenType.USER_DEFINED
        elif spaced and text.startswith("<0x") and len(text) == 6:
            kind = gguf.TokenType.BYTE
        tokens.append(text)
        kinds.append(kind)
        scores.append(-float(number))
    writer.add_tokenizer_model("llama" if spaced else "gpt2")
    writer.add_tokenizer_pre("default" if spaced else splitting(row))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if spaced:
        writer.add_token_scores(scores)
        writer.add_add_space_prefix(_prefixes(row))
    else:
        writer.add_token_merges([each if isinstance(each, str) else " ".join(each) for each in model["merges"]])
    for name in ("bos", "eos", "pad", "unk"):
        number = getattr(tokenizer, f"{name}_token_id")
        if number is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    # What a text begins with is said by the chat template; an engine that adds it again would show it twice.
    writer.add_add_bos_token(False)


def _prefixes(row: Mapping[str, Any]) -> bool:
    """Return whether a text gets a blank before it, also behind a special token, as the engine then does."""
    # A tokenizer that does so only where a text begins never does, since rendered dialogs begin with a special token.
    text = json.dumps([row.get("normalizer"), row.get("pre_tokenizer")])
    return '"Prepend"' in text or '"prepend_scheme": "always"' in text


def splitting(row: Mapping[str, Any]) -> str:
    """Return what llama.cpp calls the way in which a tokenizer splits a text into words."""
    text = json.dumps(row.get("pre_tokenizer"))
    if r"\\p{N}{1,3}" in text:
        return "llama-bpe"
    if r"\\s?\\p{L}+" in text:
        return "deepseek-coder"
    if r"\\p{N}|" in text or r"|\\p{N}" in text:
        return "qwen2"
    if '"Digits"' in text:
        return "smollm"
    return "gpt-2"
