"""The embedded engine with a real model."""

from __future__ import annotations

import gc
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ContextLengthError, ModelError, ModelFileError
from opencodeinterpreter.models import ChatModel, Generation, ModelSettings, Sources, load_model

pytestmark = pytest.mark.model

SYSTEM = Message("system", "You write Python.")
TASK = [SYSTEM, Message("user", "Print the sum of the first 50 square numbers. Answer with one code block.")]
LONG = [Message("user", "Count from 1 to 500, with commas.")]


def read(model: ChatModel, messages: list[Message], generation: Generation | None = None) -> str:
    with model.stream(messages, generation or Generation(max_tokens=16)) as reply:
        return "".join(reply)


def test_a_reply_comes_in_pieces_with_its_usage(small_model: ChatModel) -> None:
    with small_model.stream(TASK, Generation(max_tokens=120)) as reply:
        pieces = list(reply)
    assert len(pieces) > 10
    assert "```" in "".join(pieces)
    usage = reply.usage
    assert usage is not None
    assert usage.prompt_tokens == small_model.count_tokens(TASK)
    assert usage.completion_tokens is not None
    assert usage.completion_tokens >= len(pieces)
    assert usage.completion_seconds is not None
    assert usage.total_seconds is not None
    assert 0 < usage.completion_seconds <= usage.total_seconds
    assert reply.finish_reason == "stop"


def test_a_reply_goes_on_from_one_that_is_begun(small_model: ChatModel) -> None:
    begun = "The capital of Austria, by the way, is called"
    ask = [Message("user", "Which city is the capital of Austria?"), Message("assistant", begun)]
    assert read(small_model, ask).startswith(" Vienna")
    assert small_model.count_tokens(ask) > small_model.count_tokens(ask[:1])


def test_greedy_is_the_same_every_time(small_model: ChatModel) -> None:
    assert read(small_model, TASK) == read(small_model, TASK)


def test_sampling_follows_its_seed(small_model: ChatModel) -> None:
    ask = [Message("user", "Tell me a story.")]
    read(small_model, ask, Generation(1))  # so that all that follow find the same prompt cached: its last bits differ
    told = [read(small_model, ask, Generation(12, temperature=1.5, seed=seed)) for seed in (1, 1, 2)]
    assert told[0] == told[1] != told[2]


def test_length_and_stop_end_a_reply(small_model: ChatModel) -> None:
    with small_model.stream(LONG, Generation(max_tokens=5)) as reply:
        list(reply)
    assert (reply.finish_reason, reply.usage and reply.usage.completion_tokens) == ("length", 5)
    assert "5" not in read(small_model, LONG, Generation(max_tokens=60, stop=("5",)))


def test_a_refinement_evaluates_only_what_is_new(small_model: ChatModel) -> None:
    with small_model.stream(TASK, Generation(max_tokens=300)) as reply:
        said = ""
        for text in reply:
            said += text
            if said.count("```") == 2:
                break
    assert reply.finish_reason == "cancelled"
    feedback = [Message("assistant", said), Message("user", "Execution feedback: NameError: name 'x' is not defined")]
    longer = [*TASK, *feedback]
    with small_model.stream(longer, Generation(max_tokens=5)) as second:
        list(second)
    assert second.usage is not None
    assert second.usage.prompt_tokens is not None
    assert second.usage.cached_prompt_tokens is not None
    evaluated = second.usage.prompt_tokens - second.usage.cached_prompt_tokens
    new = small_model.count_tokens(longer) - small_model.count_tokens([*TASK, feedback[0]])
    assert evaluated <= new + 32


def seconds_for(model: ChatModel, messages: list[Message]) -> float:
    started = time.monotonic()
    read(model, messages, Generation(max_tokens=1))
    return time.monotonic() - started


def test_cancel_from_another_thread_stops_the_engine(small_model: ChatModel) -> None:
    reply = small_model.stream(LONG, Generation(max_tokens=1000))
    pieces = iter(reply)
    started = time.monotonic()
    for _ in range(5):
        next(pieces)
    whole = (time.monotonic() - started) * 200
    threading.Timer(0.1, reply.cancel).start()
    started = time.monotonic()
    list(pieces)
    assert reply.finish_reason == "cancelled"
    assert reply.usage is not None
    assert reply.usage.completion_tokens is not None
    assert 0 < reply.usage.completion_tokens < 500
    seconds_for(small_model, LONG)
    assert time.monotonic() - started < whole / 4, "the engine goes on with the cancelled reply"


def test_a_long_prompt_can_be_cancelled_while_it_is_read(small_model: ChatModel) -> None:
    short = [Message("user", "some more words " * 170)]
    pace = seconds_for(small_model, short) / small_model.count_tokens(short)
    long = [Message("user", "other words " * 2500)]
    reply = small_model.stream(long)
    threading.Timer(0.2, reply.cancel).start()
    started = time.monotonic()
    assert list(reply) == []
    seconds_for(small_model, TASK)
    whole = pace * small_model.count_tokens(long)
    assert time.monotonic() - started < whole / 2, "the engine reads the cancelled prompt to its end"


def test_a_reply_that_nobody_reads_any_more_is_given_up(small_model: ChatModel) -> None:
    small_model.stream(LONG, Generation(max_tokens=1000))
    gc.collect()
    assert seconds_for(small_model, TASK) < 20, "1,000 tokens take longer"


def test_a_dialog_that_is_too_long_names_both_lengths(small_model: ChatModel) -> None:
    too_long = [Message("user", "word " * 9000)]
    count = small_model.count_tokens(too_long)
    with pytest.raises(ContextLengthError, match=f"{count} tokens long, and the model reads at most 8192"):
        read(small_model, too_long)


def test_threads_may_share_a_model(small_model: ChatModel) -> None:
    asked = {number: [Message("user", f"Say the number {number} and nothing else.")] for number in (3, 7, 11)}
    said: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda n=number: said.update({n: read(small_model, asked[n])})) for number in asked
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(str(number) in said[number] for number in asked)


def test_text_of_every_script_comes_whole(small_model: ChatModel) -> None:
    said = read(small_model, [Message("user", "Repeat exactly: Größe 你好 😀")])
    assert "�" not in said
    assert "你好" in said


def test_nothing_is_written_to_the_terminal(small_model_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = load_model(str(small_model_path), context_tokens=512)
    read(model, TASK, Generation(max_tokens=3))
    model.close()
    assert capfd.readouterr() == ("", "")


def test_closing_frees_the_memory_and_ends_replies(small_model_path: Path) -> None:
    own = psutil.Process()
    before = own.memory_info().rss
    sockets = set(psutil.Process().net_connections("inet"))
    model = load_model("qwen2.5-coder-0.5b", context_tokens=512)
    assert set(own.net_connections("inet")) == sockets, "the engine may not listen on the network"
    reply = model.stream(LONG)
    next(iter(reply))
    assert own.memory_info().rss > before + 200e6
    model.close()
    model.close()
    list(reply)
    assert own.memory_info().rss < before + 150e6
    with pytest.raises(ModelError, match="has been closed"):
        model.stream(TASK)
    with pytest.raises(ModelError, match="has been closed"):
        model.count_tokens(TASK)


def test_the_context_is_no_longer_than_the_model_was_trained_for(small_model_path: Path) -> None:
    model = load_model("qwen2.5-coder-0.5b", context_tokens=40_000)
    assert model.context_tokens == 32_768
    model.close()


def test_a_broken_file_is_named_and_takes_nothing_down(small_model_path: Path, tmp_path: Path) -> None:
    settings = ModelSettings(Sources(tmp_path))
    with small_model_path.open("rb") as file:
        head = file.read(30_000_000)
    broken = {
        "empty": (b"", "is not a model: it is empty"),
        "page": (b"<!DOCTYPE html><title>404</title>", "it is a web page"),
        "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        "noise": (bytes(range(256)) * 100, "does not begin as a GGUF file does"),
        "version": (b"GGUF" + struct.pack("<I", 99) + head[8:500], "GGUF file of version 99"),
        "cut": (head, "cut short or damaged"),
        "head": (head[:3_000_000], "cut short or damaged"),
        "mixed": (head[:24] + bytes(range(256)) * 100, "cannot be used"),
    }
    for name, (data, says) in broken.items():
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(data)
        with pytest.raises(ModelFileError, match=says) as caught:
            load_model(str(path), settings=settings)
        assert path.name in str(caught.value)
    for path in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(ModelFileError, match=str(path)):
            load_model(str(path), settings=settings)


def test_a_file_from_elsewhere_is_tried_out_once_only(small_model_path: Path, tmp_path: Path) -> None:
    link = tmp_path / "my model ü.gguf"
    link.hardlink_to(small_model_path) if link.parent.stat().st_dev == small_model_path.stat().st_dev else (
        link.symlink_to(small_model_path)
    )
    settings = ModelSettings(Sources(tmp_path / "models"))
    noted = []
    for _ in range(2):
        model = load_model(str(link), context_tokens=512, settings=settings)
        model.close()
        noted += [(each.name, each.stat().st_mtime_ns) for each in (tmp_path / "models" / "opened").iterdir()]
    assert len(noted) == 2
    assert noted[0] == noted[1], "the note of the first time served the second time"


def test_an_adapter_changes_what_the_model_says(small_model_path: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter.gguf"
    write_adapter(adapter, width=896, rank=1)
    with_adapter = load_model("qwen2.5-coder-0.5b", context_tokens=512, adapters=[adapter])
    plain = load_model("qwen2.5-coder-0.5b", context_tokens=512)
    assert read(with_adapter, TASK) != read(plain, TASK)
    with_adapter.close()
    plain.close()
    (tmp_path / "none.gguf").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"none\.gguf is not a model"):
        load_model("qwen2.5-coder-0.5b", context_tokens=512, adapters=[tmp_path / "none.gguf"])


def write_adapter(path: Path, width: int, rank: int) -> None:
    """Write a LoRA of one layer's query projection, as llama.cpp reads it."""

    def text(value: str) -> bytes:
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    values = {"general.type": "adapter", "general.architecture": "qwen2", "adapter.type": "lora"}
    meta = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in values.items())
    meta += text("adapter.lora.alpha") + struct.pack("<If", 6, 64.0)
    shapes = {"blk.0.attn_q.weight.lora_a": (width, rank), "blk.0.attn_q.weight.lora_b": (rank, width)}
    infos, data = b"", b""
    for name, shape in shapes.items():
        infos += text(name) + struct.pack("<IQQIQ", 2, *shape, 0, len(data))
        data += struct.pack(f"<{width * rank}f", *([0.5] * (width * rank)))
        data += b"\0" * (-len(data) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(values) + 1) + meta + infos
    path.write_bytes(head + b"\0" * (-len(head) % 32) + data)


def test_the_folder_of_a_program_that_was_killed_is_removed_by_the_next(small_model_path, monkeypatch) -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # short enough for a socket's address
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, kept = folder / f"ocint-engine-{ended.pid}-x", folder / f"ocint-engine-{os.getpid()}-x"
    left.mkdir()
    kept.mkdir()
    with load_model("qwen2.5-coder-0.5b", context_tokens=256):
        assert not left.exists()
        assert kept.exists()
    assert list(folder.iterdir()) == [kept]
    shutil.rmtree(folder)
