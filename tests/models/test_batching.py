"""Replies that are generated side by side by the transformers back-end."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import chi2

torch = pytest.importorskip("torch", reason="the transformers extra is not installed: make test")
transformers = pytest.importorskip("transformers", reason="the transformers extra is not installed")

from test_transformers import TEMPLATE, make_checkpoint  # noqa: E402

from opencodeinterpreter.dialog import Message  # noqa: E402
from opencodeinterpreter.models import ChatModel, Generation, load_model  # noqa: E402
from opencodeinterpreter.models.passes import LibraryPasses  # noqa: E402
from opencodeinterpreter.models.stops import StopFilter  # noqa: E402

pytestmark = [
    pytest.mark.transformers,
    # Remarks of torch and transformers about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

QUESTIONS = [[Message("user", "print " * count + "the answer")] for count in (1, 40, 3, 17, 90, 2, 25, 60, 5, 11)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in 32 bits, in which sums in another order do not change which token is the likeliest."""
    return Path(make_checkpoint(tmp_path_factory.mktemp("batched"), TEMPLATE))


@pytest.fixture(autouse=True)
def exact_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencodeinterpreter.models.checkpoint._BFLOAT16", ())


@pytest.fixture
def model(folder: Path) -> Iterator[ChatModel]:
    model = load_model(f"transformers:{folder}", parallel=4)
    yield model
    model.close()


def replies(model: ChatModel, questions: Sequence[list[Message]], generation: Generation) -> list[str]:
    """Ask everything at once."""
    said = [""] * len(questions)

    def ask(index: int) -> None:
        with model.stream(questions[index], generation) as reply:
            said[index] = "".join(reply)

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def by_the_library(folder: Path, questions: Sequence[list[Message]], tokens: int) -> list[str]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    # Not the penalty that this checkpoint asks for.
    model.generation_config = transformers.GenerationConfig()
    said = []
    for question in questions:
        prompt = tokenizer.apply_chat_template(
            [message.to_json() for message in question],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        config = transformers.GenerationConfig(max_new_tokens=tokens, eos_token_id=0, pad_token_id=1, do_sample=False)
        found = model.generate(**prompt, generation_config=config)
        said.append(tokenizer.decode(found[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
    return said


def test_replies_side_by_side_are_those_of_the_library_one_by_one(model: ChatModel, folder: Path) -> None:
    # More than there are slots, of different lengths: texts end, move and make room while others go on.
    wanted = by_the_library(folder, QUESTIONS, 30)
    assert len(set(wanted)) > 5
    assert replies(model, QUESTIONS, Generation(max_tokens=30)) == wanted
    assert replies(model, QUESTIONS[::-1], Generation(max_tokens=30)) == wanted[::-1]


def test_a_drawn_reply_does_not_depend_on_the_others(model: ChatModel) -> None:
    drawn = Generation(max_tokens=20, temperature=1.0, top_p=0.9, seed=5)
    alone = replies(model, QUESTIONS[3:4], drawn)
    assert replies(model, QUESTIONS, drawn)[3:4] == alone
    other = Generation(max_tokens=20, temperature=1.0, top_p=0.9, seed=6)
    assert replies(model, QUESTIONS[3:4], other) != alone


@pytest.mark.parametrize("top_p", [1.0, 0.9])
@pytest.mark.parametrize("temperature", [1e-7, 1e-40, 5e-324])
def test_a_temperature_next_to_nothing_draws_the_likeliest_token(
    model: ChatModel, temperature: float, top_p: float
) -> None:
    greedy = replies(model, QUESTIONS[:2], Generation(max_tokens=20))
    tiny = Generation(max_tokens=20, temperature=temperature, top_p=top_p, seed=5)
    assert replies(model, QUESTIONS[:2], tiny) == greedy


@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_tokens_are_drawn_as_often_as_they_are_likely(model: ChatModel, folder: Path, top_p: float) -> None:
    question, temperature = QUESTIONS[0], 0.05  # of this model nearly all tokens are as likely at higher ones
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    library = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(
        [message.to_json() for message in question], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        ordered, tokens = torch.softmax(library(**prompt).logits[0, -1] / temperature, -1).sort(descending=True)
        ordered = ordered.where(ordered.cumsum(-1) - ordered < top_p, 0.0)
    likely = Counter[str]()
    for chance, token in zip((ordered / ordered.sum()).tolist(), tokens.tolist(), strict=True):
        likely[tokenizer.decode([token], skip_special_tokens=True)] += chance

    draws = 400
    drawn = Counter[str]()
    for seed in range(draws):
        wanted = Generation(max_tokens=1, temperature=temperature, top_p=top_p, seed=seed)
        drawn.update(replies(model, [question], wanted))
    assert all(likely[text] > 0 for text in drawn)
    # Pearson's statistic over what is expected often enough, and over the rest as one. A wrong distribution of this
    # many draws is far beyond the limit; a right one is below it in all but one of ten thousand cases.
    common = [text for text, chance in likely.items() if chance * draws >= 5]
    seen = [drawn[text] for text in common]
    expected = [likely[text] * draws for text in common]
    cells = [*zip(seen, expected, strict=True), (draws - sum(seen), max(draws - sum(expected), 1e-9))]
    assert len(common) > 5
    assert chi2.sf(sum((one - other) ** 2 / other for one, other in cells), len(cells) - 1) > 1e-4


@pytest.mark.parametrize("likeliest", [1024, 2], ids=["the likeliest are enough", "they are not"])
def test_top_p_draws_from_the_likeliest_tokens_only(
    model: ChatModel, likeliest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencodeinterpreter.models.batching._LIKELIEST", likeliest)
    greedy = replies(model, QUESTIONS[:2], Generation(max_tokens=20))
    assert replies(model, QUESTIONS[:2], Generation(max_tokens=20, temperature=1.0, top_p=1e-6, seed=5)) == greedy
    assert replies(model, QUESTIONS[:2], Generation(max_tokens=20, temperature=1.0, top_p=0.99, seed=5)) != greedy


def test_a_dialog_that_goes_on_is_read_from_where_it_was(model: ChatModel, folder: Path) -> None:
    question = QUESTIONS[4]
    with model.stream(question, Generation(max_tokens=15)) as reply:
        first = "".join(reply)
    longer = [*question, Message("assistant", first), Message("user", "And now?")]
    with model.stream(longer, Generation(max_tokens=15)) as reply:
        second = "".join(reply)
    assert reply.usage is not None
    assert reply.usage.cached_prompt_tokens is not None
    assert model.count_tokens(question) <= reply.usage.cached_prompt_tokens < model.count_tokens(longer)
    assert second == by_the_library(folder, [longer], 15)[0]


def test_a_prompt_that_is_answered_several_times_is_read_once(model: ChatModel, folder: Path) -> None:
    question = QUESTIONS[4]
    with ExitStack() as block:
        asked = [block.enter_context(model.stream(question, Generation(max_tokens=30))) for _ in range(4)]
        said = ["".join(reply) for reply in asked]
    assert said == by_the_library(folder, [question], 30) * 4
    known = sorted(reply.usage.cached_prompt_tokens or 0 for reply in asked if reply.usage)
    assert known == [0] + [model.count_tokens(question) - 1] * 3


def test_a_long_prompt_is_read_in_pieces(model: ChatModel, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencodeinterpreter.models.passes._PIECE_TOKENS", 7)
    assert replies(model, QUESTIONS[:5], Generation(max_tokens=20)) == by_the_library(folder, QUESTIONS[:5], 20)


def test_nothing_is_left_of_a_closed_model(folder: Path) -> None:
    model = load_model(f"transformers:{folder}", parallel=4)
    begun = [model.stream(question, Generation(max_tokens=400)) for question in QUESTIONS[:6]]
    model.close()
    assert [list(reply) for reply in begun] == [[]] * 6
    assert not [thread for thread in threading.enumerate() if thread.name in {"batch", "reply"}]


def test_one_that_is_cancelled_makes_room(model: ChatModel) -> None:
    endless = [model.stream(question, Generation(max_tokens=400)) for question in QUESTIONS[:6]]
    for reply in endless:
        reply.cancel()
    assert [list(reply) for reply in endless] == [[]] * 6
    assert all(replies(model, QUESTIONS[:2], Generation(max_tokens=5)))


def looking_back_16_tokens() -> Any:
    config = transformers.MistralConfig(
        vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=512, sliding_window=16, eos_token_id=0,
    )  # fmt: skip
    torch.manual_seed(1)
    return transformers.MistralForCausalLM(config)


@pytest.mark.parametrize("piece", [2048, 7])
def test_a_model_that_looks_back_only_so_far_goes_one_by_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr("opencodeinterpreter.models.passes._PIECE_TOKENS", piece)
    looking_back_16_tokens().save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    model = load_model(f"transformers:{tmp_path}", parallel=4)
    wanted = by_the_library(tmp_path, QUESTIONS[:4], 20)
    assert replies(model, QUESTIONS[:4], Generation(max_tokens=20)) == wanted
    model.close()


@pytest.mark.parametrize("piece", [7, 24])  # shorter and longer than what a layer looks back at
def test_pieces_of_a_prompt_give_the_logits_of_one_pass(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr("opencodeinterpreter.models.passes._PIECE_TOKENS", piece)
    model = looking_back_16_tokens().eval()
    shapes: list[tuple[int, int]] = []
    forward = model.forward

    # Under its own signature, by which the passes see what the model can be asked for.
    @functools.wraps(forward)
    def watched(**given: Any) -> Any:
        output = forward(**given)
        shapes.append((given["input_ids"].shape[1], output.logits.shape[1]))
        return output

    monkeypatch.setattr(model, "forward", watched)
    tokens = torch.randint(1, 400, (60,)).tolist()
    with torch.inference_mode():
        whole = forward(input_ids=torch.tensor([[*tokens, 3]])).logits[0]
        passes = LibraryPasses(model)
        after, _ = passes.prefill(0, tokens)
        torch.testing.assert_close(after, whole[-2], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(passes.decode([3])[0], whole[-1], rtol=1e-4, atol=1e-5)
    assert all(read <= piece and kept == 1 for read, kept in shapes)
    assert sum(read for read, _ in shapes) == len(tokens) + 1


def test_a_fault_of_the_model_reaches_everyone_who_waits(model: ChatModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no good")

    inside = model._checkpoint.model  # type: ignore[attr-defined]
    monkeypatch.setattr(inside, "forward", fails)
    for question in QUESTIONS[:2]:
        with pytest.raises(RuntimeError, match="no good"), model.stream(question, Generation(max_tokens=5)) as reply:
            list(reply)
    monkeypatch.undo()
    assert replies(model, QUESTIONS[:1], Generation(max_tokens=5))[0]


def test_a_fault_of_one_reply_ends_that_one_alone(model: ChatModel, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replies(model, QUESTIONS[:3], Generation(max_tokens=20))
    feed = StopFilter.feed

    def fails(stops: StopFilter, text: str) -> str:
        if "broken" in stops._stops:
            raise RuntimeError("no good")
        return feed(stops, text)

    monkeypatch.setattr(StopFilter, "feed", fails)
    failed = []

    def ask_broken() -> None:
        with model.stream(QUESTIONS[4], Generation(max_tokens=20, stop=("broken",))) as reply:
            try:
                list(reply)
            except RuntimeError as error:
                failed.append(error)

    beside = threading.Thread(target=ask_broken)
    beside.start()
    said = replies(model, QUESTIONS[:3], Generation(max_tokens=20))
    beside.join()
    assert (said, len(failed)) == (wanted, 1)
