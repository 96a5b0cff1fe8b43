"""Chat formats: how a dialog becomes one text, for each family of base models, and the token that ends a turn.

A format is used as it is for generation too, so that a tuned model is asked in the words that it was trained on. A
model that brings a template of its own keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models.catalog import suggestion

_FOLDED: Final = (
    "{% if messages[0]['role'] == 'system' %}{% set system, rest = messages[0]['content'], messages[1:] %}"
    "{% else %}{% set system, rest = '', messages %}{% endif %}"
)
"""For families that were never shown a system message: its text opens the first user message."""


@dataclass(frozen=True)
class ChatFormat:
    """How dialogs are written for one family of models."""

    name: str
    template: str
    """Jinja, as the ``transformers`` library and llama.cpp render it"""
    end: str
    """the token that ends an assistant's turn; empty for the tokenizer's own end of text"""
    about: str = ""


FORMATS: Final = {
    each.name: each
    for each in (
        ChatFormat(
            "deepseek-coder",
            "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] + '\\n' }}"
            "{% elif m['role'] == 'user' %}{{ '### Instruction:\\n' + m['content'] + '\\n' }}"
            "{% else %}{{ '### Response:\\n' + m['content'] + '\\n<|EOT|>\\n' }}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}",
            "<|EOT|>",
            "DeepSeek-Coder, as its Instruct models are asked, without their system text",
        ),
        ChatFormat(
            "codellama",
            _FOLDED + "{% for m in rest %}{% if m['role'] == 'assistant' %}{{ ' ' + m['content'] + ' ' + eos_token }}"
            "{% else %}{{ bos_token + '[INST] ' }}"
            "{% if loop.first and system %}{{ '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' }}{% endif %}"
            "{{ m['content'] + ' [/INST]' }}{% endif %}{% endfor %}",
            "</s>",
            "CodeLlama, as Llama 2 chat models are asked",
        ),
        ChatFormat(
            "starcoder2",
            "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] + '\\n\\n' }}"
            "{% elif m['role'] == 'user' %}{{ '### Instruction\\n' + m['content'] + '\\n\\n' }}"
            "{% else %}{{ '### Response\\n' + m['content'] + '<|endoftext|>' }}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '### Response\\n' }}{% endif %}",
            "<|endoftext|>",
            "StarCoder2, as its Instruct model is asked, without its system text",
        ),
        ChatFormat(
            "gemma",
            "{{ bos_token }}" + _FOLDED + "{% for m in rest %}"
            "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else 'user') + '\\n' }}"
            "{% if loop.first and system %}{{ system + '\\n\\n' }}{% endif %}"
            "{{ m['content'] + '<end_of_turn>\\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}",
            "<end_of_turn>",
            "Gemma",
        ),
        ChatFormat(
            "chatml",
            "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}"
            "{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
            "<|im_end|>",
            "Qwen2.5-Coder and others that know its marks",
        ),
        ChatFormat(
            "llama3",
            "{{ bos_token }}{% for m in messages %}"
            "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] + '<|eot_id|>' }}"
            "{% endfor %}{% if add_generation_prompt %}"
            "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
            "<|eot_id|>",
            "Llama 3",
        ),
        ChatFormat(
            "plain",
            "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] + '\\n' }}"
            "{% elif m['role'] == 'user' %}{{ '### Instruction:\\n' + m['content'] + '\\n' }}"
            "{% else %}{{ '### Response:\\n' + m['content'] + eos_token + '\\n' }}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}",
            "",
            "any other base model; a turn ends with the token that ends its texts",
        ),
    )
}
_BY_KIND: Final = {"starcoder2": "starcoder2", "gemma": "gemma", "gemma2": "gemma"}
_BY_TOKEN: Final = (
    ("<|EOT|>", "deepseek-coder"),
    ("<|eot_id|>", "llama3"),
    ("<start_of_turn>", "gemma"),
    ("<|im_end|>", "chatml"),
    ("▁<PRE>", "codellama"),
)
_PROBE: Final = (
    {"role": "user", "content": "How much is 6 times 7?"},
    {"role": "assistant", "content": "It is 42."},
    {"role": "user", "content": "And 7 times 7?"},
    {"role": "assistant", "content": "It is 49."},
)


@dataclass(frozen=True)
class Chat:
    """A format that has been found to fit a tokenizer."""

    name: str
    template: str
    end: str

    def render(self, tokenizer: Any, rows: Sequence[dict[str, str]], *, cue: bool = False) -> str:
        """Return the text of the messages; with ``cue``, what a model that is to answer is shown.

        Raises:
            InputError: if the template refuses them.
        """
        try:
            text = tokenizer.apply_chat_template(
                list(rows), chat_template=self.template, tokenize=False, add_generation_prompt=cue
            )
        except Exception as error:
            if type(error).__module__.startswith("jinja2"):
                raise InputError(f"the chat template refuses it: {error}") from error
            raise
        return str(text)


def chat_for(tokenizer: Any, kind: str, asked: str = "auto") -> Chat:
    """Return the format for a model.

    Args:
        tokenizer: of the model.
        kind: the model's kind, as its configuration calls it: ``llama``, ``qwen2``.
        asked: ``auto`` (the model's own template, or else its family's), ``own``, a name of ``FORMATS``, or a file with
            a Jinja template.

    Raises:
        InputError: if there is no such format, or it does not fit the tokenizer.
    """
    own = tokenizer.chat_template
    if asked == "auto" and isinstance(own, str) and own:
        asked = "own"
    elif asked == "auto":
        asked = _family(tokenizer, kind)
    if asked == "own":
        if not isinstance(own, str) or not own:
            raise InputError("the model brings no chat template of its own: say template: auto, or name one")
        return _fitting(tokenizer, Chat("own", own, ""))
    if asked in FORMATS:
        known = FORMATS[asked]
        return _fitting(tokenizer, Chat(known.name, known.template, known.end or str(tokenizer.eos_token or "")))
    path = Path(asked).expanduser()
    if path.is_file():
        return _fitting(tokenizer, Chat(path.name, path.read_text(encoding="utf-8"), ""))
    raise InputError(f"there is no chat template {asked!r}: {suggestion(asked, ('auto', 'own', *FORMATS))}")


def _family(tokenizer: Any, kind: str) -> str:
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    vocabulary = tokenizer.get_vocab()
    return next((name for token, name in _BY_TOKEN if token in vocabulary), "plain")


def _fitting(tokenizer: Any, chat: Chat) -> Chat:
    """Return the format with the token by which it ends a turn, after trying it on a few words."""
    rows = list(_PROBE)
    whole = chat.render(tokenizer, rows)
    prompt = chat.render(tokenizer, rows[:3], cue=True)
    if not whole.startswith(prompt):
        raise InputError(
            f"the chat template {chat.name!r} does not fit training: what it shows a model that is to answer is not "
            f"how the whole dialog begins; name another one (known are {', '.join(FORMATS)})"
        )
    tail = whole[len(prompt) :]
    said = tail.find("49.")
    end = chat.end or (_first_mark(tokenizer, tail[said + 3 :]) if said >= 0 else "")
    vocabulary = tokenizer.get_vocab()
    if not end or end not in vocabulary or end not in tail:
        missing = f"its token {end!r} is not in the vocabulary" if end else "no token ends a turn in it"
        raise InputError(
            f"the chat template {chat.name!r} does not fit the model: {missing}; name another one "
            f"(known are {', '.join(FORMATS)})"
        )
    encoded = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
    ids, shown = list(encoded["input_ids"]), tokens_of(tokenizer, prompt)
    before = sum(start < len(prompt) for start, _ in encoded["offset_mapping"])
    if vocabulary[end] not in ids or ids[: len(shown)] != shown or before != len(shown):
        raise InputError(
            f"the chat template {chat.name!r} does not fit the tokenizer: the tokens of a dialog are not those that "
            f"the model is shown when it is to answer"
        )
    return Chat(chat.name, chat.template, end)


def _first_mark(tokenizer: Any, tail: str) -> str:
    """Return the first special token of what a template writes below an answer."""
    marks = {str(token) for token in tokenizer.added_tokens_decoder.values()} | set(tokenizer.all_special_tokens)
    found = [(tail.find(mark), -len(mark), mark) for mark in marks if mark and mark in tail]
    return min(found)[2] if found else ""


def tokens_of(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of a rendered text, to which nothing is added."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
