"""The transformers back-end: tiny models made here, and the smallest one of the catalog."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the transformers extra is not installed: make test")
transformers = pytest.importorskip("transformers", reason="the transformers extra is not installed")

from opencodeinterpreter.dialog import Message  # noqa: E402
from opencodeinterpreter.errors import (  # noqa: E402
    ConfigError,
    ContextLengthError,
    DownloadError,
    ModelError,
    ModelFileError,
)
from opencodeinterpreter.models import ChatModel, Generation, ModelSettings, Sources, load_model  # noqa: E402

pytestmark = [
    pytest.mark.transformers,
    # Remarks of torch and transformers about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

ASK = [Message("system", "Be short."), Message("user", "Say something.")]
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|EOT|>' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + TEMPLATE
)


def make_checkpoint(folder: Path, template: str | None) -> str:
    """Write a random Llama of a few thousand weights, with a tokenizer trained on a few lines."""
    import tokenizers

    bpe = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=None))
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|EOT|>", "<|pad|>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(["print(sum(range(10)))", "say something short", "the answer is"], trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|EOT|>", pad_token="<|pad|>")
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=False,
    )
    model = transformers.LlamaForCausalLM(config)
    # A penalty that a checkpoint asks for by itself must not make greedy something else.
    model.generation_config.repetition_penalty = 1.5
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatModel]:
    model = load_model(f"transformers:{make_checkpoint(tmp_path_factory.mktemp('tiny'), TEMPLATE)}")
    yield model
    model.close()


def read(model: ChatModel, messages: list[Message] = ASK, generation: Generation | None = None) -> str:
    with model.stream(messages, generation or Generation(max_tokens=20)) as reply:
        return "".join(reply)


def test_a_reply_by_the_checkpoints_own_template(tiny: ChatModel) -> None:
    with tiny.stream(ASK, Generation(max_tokens=20)) as reply:
        text = "".join(reply)
    assert text
    assert "<|" not in text
    assert reply.finish_reason == "length"
    usage = reply.usage
    assert usage is not None
    assert usage.prompt_tokens == tiny.count_tokens(ASK)
    assert (usage.completion_tokens, usage.cached_prompt_tokens) == (20, 0)
    assert usage.total_seconds is not None
    assert tiny.context_tokens == 512
    assert read(tiny) == text, "greedy is the same every time"


def test_sampling_follows_its_seed(tiny: ChatModel) -> None:
    said = [read(tiny, generation=Generation(20, temperature=1.0, seed=seed)) for seed in (1, 1, 2)]
    assert said[0] == said[1] != said[2]


def test_a_stop_text_ends_the_reply_and_is_not_part_of_it(tiny: ChatModel) -> None:
    whole = read(tiny)
    stop = whole[8:11]
    with tiny.stream(ASK, Generation(max_tokens=20, stop=(stop,))) as reply:
        assert "".join(reply) == whole[: whole.index(stop)]
    assert reply.finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.completion_tokens is not None
    assert reply.usage.completion_tokens < 20


def test_the_end_token_of_the_tokenizer_ends_the_reply(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, TEMPLATE)
    model = transformers.LlamaForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.weight[0] = model.model.norm.weight * 0
    # All weights are equal, so the first token, which is the end, is the most likely one.
    model.save_pretrained(folder)
    loaded = load_model(f"transformers:{folder}")
    with loaded.stream(ASK, Generation(max_tokens=20)) as reply:
        assert "".join(reply) == ""
    assert reply.finish_reason == "stop"
    loaded.close()


def test_text_of_every_script_comes_whole(tiny: ChatModel) -> None:
    from opencodeinterpreter.models.detokenizer import Detokenizer

    tokenizer = tiny._checkpoint.tokenizer  # type: ignore[attr-defined]
    text = " Größe 你好 😀\n    x = 1  # two  spaces"
    detokenizer = Detokenizer(tokenizer)
    pieces = [detokenizer.feed(token) for token in tokenizer(text)["input_ids"]]
    assert "".join(pieces) + detokenizer.rest() == text
    assert not any("\ufffd" in piece for piece in pieces)
    assert sum(bool(piece) for piece in pieces) > 20


def test_cancel_stops_the_generation(tiny: ChatModel) -> None:
    reply = tiny.stream(ASK, Generation(max_tokens=480))
    pieces = iter(reply)
    next(pieces)
    reply.cancel()
    assert list(pieces) == []
    assert reply.finish_reason == "cancelled"
    assert reply.usage is not None
    assert reply.usage.completion_tokens is not None
    assert reply.usage.completion_tokens < 480
    started = time.monotonic()
    read(tiny, generation=Generation(max_tokens=1))
    assert time.monotonic() - started < 60


def test_threads_take_turns(tiny: ChatModel) -> None:
    alone = read(tiny)
    said: list[str] = []
    threads = [threading.Thread(target=lambda: said.append(read(tiny))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [alone] * 3


def test_a_dialog_that_is_too_long_names_both_lengths(tiny: ChatModel) -> None:
    long = [Message("user", "xyz " * 600)]
    with pytest.raises(ContextLengthError, match=f"{tiny.count_tokens(long)} tokens long, .* at most 512"):
        read(tiny, long)


def test_a_template_without_system_messages(tmp_path: Path) -> None:
    model = load_model(f"transformers:{make_checkpoint(tmp_path, NO_SYSTEM)}")
    assert read(model)
    with pytest.raises(ModelError, match="chat template refuses the dialog: System role not supported"):
        read(model, ASK[:1])
    model.close()
    model.close()
    with pytest.raises(ModelError, match="has been closed"):
        model.stream(ASK)


def test_a_checkpoint_without_a_template_gets_a_plain_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = load_model(make_checkpoint(tmp_path, None))
    assert "has no chat template" in caplog.text
    assert read(model)
    model.close()


def test_a_reply_goes_on_from_one_that_is_begun(tiny: ChatModel) -> None:
    whole = read(tiny)
    begun = [*ASK, Message("assistant", whole[:12])]
    assert whole[:12] + read(tiny, begun, Generation(max_tokens=4)) in whole
    assert tiny.count_tokens(begun) > tiny.count_tokens(ASK)


def test_the_smallest_model_of_the_catalog_as_gguf(capfd: pytest.CaptureFixture[str]) -> None:
    model = load_model("transformers:smollm2-135m")
    capfd.readouterr()
    with model.stream([Message("user", "What is the capital of France?")], Generation(max_tokens=12)) as reply:
        assert "Paris" in "".join(reply)
    assert reply.finish_reason == "stop"
    model.close()


def test_what_cannot_be_loaded_is_one_clear_sentence(tmp_path: Path) -> None:
    nowhere = ModelSettings(Sources(tmp_path, hub_url=None))
    with pytest.raises(DownloadError, match="nobody/nothing is not on this machine, and the hub is switched off"):
        load_model("transformers:nobody/nothing", settings=nowhere)
    with pytest.raises(ModelFileError, match=r"no config\.json"):
        load_model(f"transformers:{tmp_path}")
    broken = make_checkpoint(tmp_path / "broken", TEMPLATE)
    weights = tmp_path / "broken" / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    with pytest.raises(ModelFileError, match="cannot be used"):
        load_model(f"transformers:{broken}")
    with pytest.raises(ConfigError, match="takes no adapters"):
        load_model(f"transformers:{broken}", adapters=[tmp_path])
