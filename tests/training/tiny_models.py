"""Tokenizers of every family in small, and models of a few thousand weights, made where they are needed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers

from opencodeinterpreter.dialog import Dialog, Message

TEXTS = [
    "print(sum(range(10)))", "say something short", "the answer is", "Instruction Response user assistant model system",
    "def add(a, b):\n    return a + b", "Execution result: Traceback (most recent call last): Error",
]  # fmt: skip
FAMILIES = {
    "deepseek-coder": ("llama", "<bos>", "<eos>", ["<|EOT|>"]),
    "codellama": ("llama", "<s>", "</s>", ["▁<PRE>"]),
    "starcoder2": ("starcoder2", "<|endoftext|>", "<|endoftext|>", []),
    "gemma": ("gemma", "<bos>", "<eos>", ["<start_of_turn>", "<end_of_turn>"]),
    "chatml": ("qwen2", None, "<|endoftext|>", ["<|im_start|>", "<|im_end|>"]),
    "llama3": (
        "llama", "<|begin_of_text|>", "<|end_of_text|>", ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    ),
    "plain": ("llama", "<s>", "</s>", []),
}  # fmt: skip
"""kind of model, begin, end, and what else the family's vocabulary holds"""
_SPACED = ("codellama", "gemma")
"""Families whose tokens hold their spaces as ``▁``."""


def tiny_tokenizer(family: str = "chatml", template: str | None = None) -> Any:
    """Return a tokenizer trained on a few lines."""
    _, begin, end, more = FAMILIES[family]
    special = list(dict.fromkeys([each for each in (begin, end, "<pad>", *more) if each]))
    if family in _SPACED:
        bpe = tokenizers.Tokenizer(tokenizers.models.BPE(byte_fallback=True, unk_token=None))
        blanks = tokenizers.normalizers.Replace(" ", "▁")
        first = [tokenizers.normalizers.Prepend("▁")] if family == "codellama" else []
        bpe.normalizer = tokenizers.normalizers.Sequence([*first, blanks])
        bpe.decoder = tokenizers.decoders.Sequence(
            [
                tokenizers.decoders.Replace("▁", " "),
                tokenizers.decoders.ByteFallback(),
                tokenizers.decoders.Fuse(),
                *([tokenizers.decoders.Strip(" ", 1, 0)] if first else []),
            ]
        )
        alphabet = [chr(code) for code in range(32, 127)] + ["▁", "\n"]
        special += [f"<0x{byte:02X}>" for byte in range(256)]
    else:
        bpe = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=None))
        bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = tokenizers.decoders.ByteLevel()
        alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=700, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(TEXTS, trainer)
    # Bytes are ordinary tokens there; only the trainer knows no other way to have them.
    row = json.loads(bpe.to_str())
    row["added_tokens"] = [each for each in row["added_tokens"] if not each["content"].startswith("<0x")]
    bpe = tokenizers.Tokenizer.from_str(json.dumps(row))
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=begin, eos_token=end, pad_token="<pad>",
        additional_special_tokens=[each for each in more if each != "▁<PRE>"],
    )  # fmt: skip
    made.chat_template = template
    return made


def tiny_config(kind: str, vocabulary: int, **more: Any) -> Any:
    sizes = {
        "vocab_size": vocabulary, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
        "tie_word_embeddings": False, "attention_dropout": 0.0, **more,
    }  # fmt: skip
    if kind == "gemma":
        sizes["head_dim"] = 16
    if kind == "starcoder2":
        sizes |= {"residual_dropout": 0.0, "embedding_dropout": 0.0, "sliding_window": None}
    return transformers.AutoConfig.for_model(kind, **sizes)


def tiny_checkpoint(folder: Path, family: str = "chatml", template: str | None = None, **more: Any) -> Path:
    """Write a random model with its tokenizer; the same every time."""
    tokenizer = tiny_tokenizer(family, template)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = tiny_config(FAMILIES[family][0], len(tokenizer), eos_token_id=tokenizer.eos_token_id, **more)
    transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    return folder


def dialog(*contents: str | Message, name: str | None = None) -> Dialog:
    """Return a dialog whose messages are the user's and the assistant's in turn."""
    roles = ("user", "assistant")
    messages = [
        each if isinstance(each, Message) else Message(roles[index % 2], each)  # type: ignore[arg-type]
        for index, each in enumerate(contents)
    ]
    return Dialog(tuple(messages), name)


def write_rows(path: Path, dialogs: Iterable[Dialog]) -> Path:
    path.write_text("".join(json.dumps(each.to_json()) + "\n" for each in dialogs), encoding="utf-8")
    return path


def sums(count: int) -> list[Dialog]:
    """Return dialogs that a tiny model can learn by heart."""
    words = ["print", "sum", "range", "def", "return", "answer", "short", "user", "model", "Error"]
    found = []
    for number in range(count):
        answer = f"the answer is {words[(3 * number + 1) % 10]} {number * 7 % 31}"
        found.append(dialog(f"say {words[number % 10]} {number}", answer, name=str(number)))
    return found
