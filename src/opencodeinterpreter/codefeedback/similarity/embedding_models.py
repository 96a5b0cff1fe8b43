"""The models that embed texts: by name or path with ``sentence-transformers``, or ``tfidf``, which needs no weights."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from opencodeinterpreter.codefeedback.similarity.embedding import Embedder, Vectors, unit
from opencodeinterpreter.codefeedback.similarity.minilm import WEIGHTS_SHA256, pull_minilm
from opencodeinterpreter.errors import ConfigError, MissingExtraError, ModelError
from opencodeinterpreter.models import sources_from_environment
from opencodeinterpreter.models.settings import Sources

TFIDF: Final = "tfidf"
MINILM: Final = "minilm"
_FEATURES: Final = 1 << 16
_DIMENSIONS: Final = 256
_FIT_TEXTS: Final = 20_000
_CHARACTERS: Final = 4_000
"""Of a text, so that one pasted log does not cost as much as a thousand queries; MiniLM reads about a quarter of it."""


def load_embedder(name: str, fit: Iterable[str] = (), sources: Sources | None = None) -> Embedder:
    """Return an embedder.

    Args:
        name: ``minilm``, ``tfidf``, or a checkpoint by its name on the hub or its folder (``bert-base-uncased``): one
            that says nothing about pooling is pooled by the mean of its token vectors, as BERT-base is in the paper.
        fit: what ``tfidf`` learns the weights of words from; the texts to be embedded, as a rule.
        sources: where weights come from and are kept; None reads the environment.

    Raises:
        ConfigError: if ``tfidf`` is given nothing to learn from.
        MissingExtraError: if the extra ``embeddings`` is needed and not installed.
        ModelError: if the weights cannot be had or used.
    """
    if name.strip().lower() == TFIDF:
        return TfidfEmbedder(fit)
    sources = sources or sources_from_environment(os.environ)
    if name.strip().lower() == MINILM:
        _sentence_transformers()
        return CheckpointEmbedder(str(pull_minilm(sources)), f"{MINILM}:{WEIGHTS_SHA256}")
    return CheckpointEmbedder(name, _identity_of(name))


class CheckpointEmbedder:
    """A checkpoint that ``sentence-transformers`` runs.

    Args:
        path: a folder, or a name on the hub.
        identity: what tells its vectors from those of others.

    Raises:
        MissingExtraError: if the extra is not installed.
        ModelError: if the checkpoint cannot be had or used.
    """

    def __init__(self, path: str, identity: str) -> None:
        library = _sentence_transformers()
        try:
            self._model = library.SentenceTransformer(path)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"{path!r} cannot be used to embed texts: {str(error).splitlines()[0][:200]}") from error
        self._identity = f"{identity}:{self._model.max_seq_length} tokens"
        self._dimensions = int(self.embed(["one"]).shape[1])

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector of length one for each text; what is longer than the model reads is cut."""
        short = [text[:_CHARACTERS].encode("utf-8", "replace").decode() for text in texts]
        found = self._model.encode(short, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
        return unit(np.asarray(found, dtype=np.float32))


@dataclass(frozen=True)
class _Fitted:
    words: Any
    characters: Any
    weights: Any
    reduction: Any
    seen: Any


class TfidfEmbedder:
    """Words, pairs of words and runs of characters, weighted by their rarity and reduced to some hundred dimensions.

    Latent semantic analysis (Deerwester et al. 1990) over hashed features, so that memory does not grow with the
    vocabulary. The same texts to learn from give the same vectors.

    Args:
        fit: the texts to learn from; of more than 20,000 an evenly spread part is used.

    Raises:
        ConfigError: if there is none.
    """

    def __init__(self, fit: Iterable[str]) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

        texts = _evenly([text for text in fit if text.strip()], _FIT_TEXTS)
        if not texts:
            raise ConfigError("tfidf has no texts to learn from")
        shared = {"n_features": _FEATURES, "alternate_sign": False, "norm": None, "dtype": np.float32}
        pattern = r"(?u)[^\W_]+|[^\w\s]"
        words = HashingVectorizer(analyzer="word", token_pattern=pattern, ngram_range=(1, 2), **shared)
        characters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)
        weights = TfidfTransformer(sublinear_tf=True)
        counts = _counts(words, characters, texts)
        weighted = weights.fit_transform(counts)
        # One more would be more than the texts can tell apart.
        dimensions = max(1, min(_DIMENSIONS, len(texts) - 1))
        # Features that occur in none of these texts have no part in any component.
        seen = np.flatnonzero(weighted.getnnz(axis=0))
        with np.errstate(invalid="ignore"):  # one text alone has no variance to explain
            reduction = TruncatedSVD(min(dimensions, len(seen)), random_state=0).fit(weighted[:, seen])
        self._fitted = _Fitted(words, characters, weights, reduction, seen)
        digest = hashlib.sha256()
        for text in texts:
            digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        self._dimensions, self._identity = len(reduction.components_), f"{TFIDF}:1:{digest.hexdigest()}"

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector of length one for each text; zero for a text that has nothing in common with the known."""
        if not texts:
            return np.empty((0, self._dimensions), np.float32)
        fitted = self._fitted
        weighted = fitted.weights.transform(_counts(fitted.words, fitted.characters, texts))
        return unit(fitted.reduction.transform(weighted[:, fitted.seen]))


def _counts(words: Any, characters: Any, texts: Sequence[str]) -> Any:
    from scipy.sparse import hstack

    # Half a surrogate pair, as broken sources have it, cannot be hashed.
    short = [text[:_CHARACTERS].encode("utf-8", "replace").decode() for text in texts]
    return hstack([words.transform(short), characters.transform(short)], format="csr")


def _evenly(texts: list[str], most: int) -> list[str]:
    if len(texts) <= most:
        return texts
    return [texts[number * len(texts) // most] for number in range(most)]


def _identity_of(name: str) -> str:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return name
    # The weights may be large: size and time of each file tell another training from this one.
    files = sorted(
        (str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    )
    return f"{folder.name}:{hashlib.sha256(repr(files).encode()).hexdigest()}"


def _sentence_transformers() -> Any:
    try:
        import sentence_transformers
        import transformers
    except ImportError as error:
        raise MissingExtraError("Embedding by a model (tfidf works without)", "embeddings") from error
    # Progress is told by whoever embeds, not drawn by the library.
    transformers.utils.logging.disable_progress_bar()
    return sentence_transformers
