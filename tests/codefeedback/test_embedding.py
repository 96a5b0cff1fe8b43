"""Texts as vectors, and the store that keeps them. The tests of real weights need the extra ``embeddings``."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from opencodeinterpreter.codefeedback.similarity.embedding import BLOCK, EmbeddingStore, Vectors, unit
from opencodeinterpreter.codefeedback.similarity.embedding_models import load_embedder
from opencodeinterpreter.errors import ConfigError, MissingExtraError, ModelError
from opencodeinterpreter.models import sources_from_environment

TEXTS = [
    "Write a function that sorts a list of numbers in ascending order.",
    "Write a function which orders a list of numbers, the smallest first.",
    "Create an SQL query that joins the tables of customers and orders.",
    "Fetch the rows of customers with their orders by an SQL join.",
    "How do I center a div with CSS?",
    "Draw a histogram with matplotlib.",
]


class Counting:
    """A real embedder that writes down what it was asked for, and can fail as if it were killed."""

    def __init__(self, fit: Sequence[str] = TEXTS, fails_after: int | None = None) -> None:
        self._real = load_embedder("tfidf", fit)
        self._fails_after = fails_after
        self.asked: list[str] = []

    @property
    def identity(self) -> str:
        return self._real.identity

    @property
    def dimensions(self) -> int:
        return self._real.dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self._fails_after is not None and len(self.asked) >= self._fails_after:
            raise KeyboardInterrupt
        self.asked += texts
        return self._real.embed(texts)


def test_tfidf_puts_like_beside_like() -> None:
    vectors = load_embedder("tfidf", TEXTS).embed(TEXTS)
    near = vectors @ vectors.T - 2 * np.eye(len(TEXTS))
    assert near[:4].argmax(axis=1).tolist() == [1, 0, 3, 2]


def test_tfidf_gives_vectors_of_length_one_and_the_same_ones_each_time() -> None:
    one, other = (load_embedder("tfidf", TEXTS) for _ in range(2))
    assert one.identity == other.identity
    vectors = one.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (vectors == other.embed(TEXTS)).all()
    assert load_embedder("tfidf", TEXTS[:3]).identity != one.identity


def test_tfidf_takes_any_text() -> None:
    embedder = load_embedder("tfidf", ["one text"])
    found = embedder.embed(["", "\ud800 lone", "x" * 100_000, "列表排序"])
    assert found.shape == (4, embedder.dimensions)
    assert np.isfinite(found).all()


def test_tfidf_needs_texts_to_learn_from() -> None:
    with pytest.raises(ConfigError, match="no texts"):
        load_embedder("tfidf")


def test_a_text_is_embedded_once(tmp_path: Path) -> None:
    embedder = Counting()
    store = EmbeddingStore(tmp_path, embedder)
    first = store.embed([*TEXTS[:3], TEXTS[0]])
    assert embedder.asked == TEXTS[:3]
    assert (first[3] == first[0]).all()
    again = EmbeddingStore(tmp_path, embedder).embed(reversed(TEXTS))
    assert embedder.asked == TEXTS[:3] + TEXTS[:2:-1]
    assert (again[::-1][:3] == first[:3]).all()


def test_vectors_of_another_embedder_are_not_taken(tmp_path: Path) -> None:
    EmbeddingStore(tmp_path, Counting()).embed(TEXTS)
    other = Counting(TEXTS[:4])
    EmbeddingStore(tmp_path, other).embed(TEXTS)
    assert other.asked == TEXTS


def test_after_a_kill_the_rest_is_embedded_and_nothing_differs(tmp_path: Path) -> None:
    texts = [f"Add {number} to the list of numbers." for number in range(2 * BLOCK + 10)]
    whole = EmbeddingStore(tmp_path / "whole", Counting()).embed(texts)
    with pytest.raises(KeyboardInterrupt):
        EmbeddingStore(tmp_path / "killed", Counting(fails_after=BLOCK)).embed(texts)
    embedder = Counting()
    again = EmbeddingStore(tmp_path / "killed", embedder).embed(texts)
    assert embedder.asked == texts[BLOCK:]
    assert again.tobytes() == whole.tobytes()


@pytest.mark.parametrize(("name", "cut"), [("keys", 7), ("vectors", 3), ("keys", 16), ("vectors", 100)])
def test_a_torn_end_is_cut_off(tmp_path: Path, name: str, cut: int) -> None:
    embedder = Counting()
    whole = EmbeddingStore(tmp_path, embedder).embed(TEXTS)
    (file,) = tmp_path.glob(f"*/{name}")
    file.write_bytes(file.read_bytes()[:-cut])
    assert (EmbeddingStore(tmp_path, embedder).embed(TEXTS) == whole).all()


def test_two_at_once_leave_a_whole_store(tmp_path: Path) -> None:
    texts = [f"text number {number} of all" for number in range(200)]
    embedder = Counting(texts)
    expected = embedder.embed(texts)
    results: list[Vectors] = []

    def embed() -> None:
        results.append(EmbeddingStore(tmp_path, embedder).embed(texts))

    threads = [threading.Thread(target=embed) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert all(np.allclose(result, expected, atol=1e-6) for result in results)


def test_no_texts_give_no_vectors(tmp_path: Path) -> None:
    assert EmbeddingStore(tmp_path, Counting()).embed([]).shape[0] == 0


def test_a_row_of_zeros_stays_one() -> None:
    assert unit(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], [pytest.approx(0.6), pytest.approx(0.8)]]


def test_without_the_extra_the_way_to_it_is_named() -> None:
    try:
        import sentence_transformers  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r'pip install "opencodeinterpreter\[embeddings\]"'):
            load_embedder("minilm")
    else:
        pytest.skip("the extra is installed")


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
class TestRealWeights:
    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("sentence_transformers", reason="the embeddings extra is not installed")

    def test_minilm_puts_like_beside_like(self) -> None:
        embedder = load_embedder("minilm")
        assert embedder.dimensions == 384
        vectors = embedder.embed(TEXTS)
        near = vectors @ vectors.T - 2 * np.eye(len(TEXTS))
        assert near[:4].argmax(axis=1).tolist() == [1, 0, 3, 2]
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)

    def test_a_folder_is_a_model_by_its_path(self) -> None:
        folder = sources_from_environment(os.environ).folder / "all-minilm-l6-v2"
        named, pathed = load_embedder("minilm"), load_embedder(str(folder))
        assert (named.embed(TEXTS[:1]) == pathed.embed(TEXTS[:1])).all()

    def test_a_plain_checkpoint_is_pooled_by_the_mean(self, tmp_path: Path) -> None:
        import torch
        import transformers

        vocabulary = tmp_path / "vocab.txt"
        vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sort", "a", "list"]))
        tokenizer = transformers.BertTokenizer(vocab=str(vocabulary))
        config = transformers.BertConfig(
            vocab_size=8, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        )
        model = transformers.BertModel(config).eval()
        model.save_pretrained(tmp_path / "bert")
        tokenizer.save_pretrained(tmp_path / "bert")
        found = load_embedder(str(tmp_path / "bert")).embed(["sort a list"])
        with torch.no_grad():
            states = model(**tokenizer("sort a list", return_tensors="pt")).last_hidden_state[0]
        mean = states.mean(0).numpy()
        assert found[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)

    def test_a_name_that_is_no_model_is_one_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(ModelError, match="cannot be used to embed texts"):
            load_embedder(str(tmp_path / "nothing"))
