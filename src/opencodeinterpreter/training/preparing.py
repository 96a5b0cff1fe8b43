"""From a recipe to tokens: everything that can be found out before a weight is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models import Progress
from opencodeinterpreter.models.cache import no_progress
from opencodeinterpreter.training.base_model import Base, config_of, find_base, libraries, tokenizer_of
from opencodeinterpreter.training.masking import Dropped, Marking, Sample, Turns, encode
from opencodeinterpreter.training.reading import Corpus, read_corpus
from opencodeinterpreter.training.recipe import Recipe
from opencodeinterpreter.training.templates import Chat, chat_for


@dataclass(frozen=True)
class Encoded:
    """Dialogs as tokens, with what was left out."""

    samples: tuple[Sample, ...]
    dropped: Counter[str]
    """how many dialogs, by reason"""

    @property
    def tokens(self) -> int:
        return sum(len(sample.ids) for sample in self.samples)

    @property
    def targets(self) -> int:
        """Tokens that count."""
        return sum(sample.targets for sample in self.samples)

    @property
    def shortened(self) -> int:
        """Dialogs that lost messages at their end."""
        return sum(sample.cut > 0 for sample in self.samples)


@dataclass(frozen=True)
class Prepared:
    """All but the weights."""

    recipe: Recipe
    base: Base
    tokenizer: Any
    config: Any
    chat: Chat
    corpus: Corpus
    train: Encoded
    held_out: Encoded

    @cached_property
    def rows(self) -> list[list[Sample]]:
        """What one epoch goes through: samples, or packs of them."""
        if not self.recipe.packing:
            return [[sample] for sample in self.train.samples]
        from opencodeinterpreter.training.packing import packs

        return packs(self.train.samples, self.recipe.max_tokens)


def prepare(recipe: Recipe, progress: Progress = no_progress) -> Prepared:
    """Read the data, find the model's tokenizer and template, and turn dialogs into tokens.

    Args:
        recipe: what is to be done.
        progress: told how far a download is.

    Raises:
        InputError: if data, template or lengths do not fit.
        ModelError: if the model cannot be had.
        MissingExtraError: if the extra is not installed.
    """
    libraries()
    corpus = read_corpus(recipe)
    base = find_base(recipe.model, progress)
    config = config_of(base)
    check_length(recipe, config, base)
    tokenizer = tokenizer_of(base)
    chat = chat_for(tokenizer, str(config.model_type), recipe.template)
    marking = Marking(cast(Turns, recipe.train_on), recipe.observations)
    train = encode_all(corpus.train, tokenizer, chat, marking, recipe.max_tokens)
    if not train.samples:
        reasons = ", ".join(f"{count} with {reason}" for reason, count in train.dropped.most_common())
        raise InputError(f"nothing is left to train on: of {len(corpus.train)} dialogs, {reasons}")
    held_out = encode_all(corpus.held_out, tokenizer, chat, marking, recipe.max_tokens)
    return Prepared(recipe, base, tokenizer, config, chat, corpus, train, held_out)


def encode_all(dialogs: Iterable[Dialog], tokenizer: Any, chat: Chat, marking: Marking, limit: int) -> Encoded:
    """Turn dialogs into tokens; one that its template refuses is counted and left out."""
    samples, dropped = [], Counter[str]()
    for dialog in dialogs:
        try:
            found = encode(dialog, tokenizer, chat, marking, limit)
        except InputError as error:
            found = Dropped(str(dialog.id), str(error)[:100])
        if isinstance(found, Dropped):
            dropped[found.reason] += 1
        else:
            samples.append(found)
    return Encoded(tuple(samples), dropped)


def check_length(recipe: Recipe, config: Any, base: Base) -> None:
    """Refuse dialogs that are longer than the model can take.

    Raises:
        InputError: naming both lengths.
    """
    longest = getattr(config.get_text_config(), "max_position_embeddings", None)
    if isinstance(longest, int) and recipe.max_tokens > longest:
        raise InputError(
            f"max_tokens in the recipe is {recipe.max_tokens}, and {base.name} reads at most {longest} tokens: "
            f"say max_tokens: {longest} or less"
        )
