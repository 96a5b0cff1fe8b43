"""Replies out of the records of earlier runs, for a response cache that does not have them: on another machine, say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.identity import Identity
from opencodeinterpreter.evaluation.protocols.prompts import CODE_END, opening
from opencodeinterpreter.evaluation.records import Attempt, RunConfig
from opencodeinterpreter.evaluation.run_folder import Run
from opencodeinterpreter.models import Generation
from opencodeinterpreter.models.asking import for_want_of_context
from opencodeinterpreter.models.response_cache import Reply, ResponseCache, response_key

_FENCE: Final = CODE_END.rstrip()


def keep_replies(run: Run, model: Identity, cache: ResponseCache) -> int:
    """Put the replies of a run into a response cache, where they are not there yet.

    What was drawn is left out where the record does not say by which seed, as older ones do not, and so is what ended
    because the context was full.

    Args:
        run: of the same model.
        model: whose cache it is.
        cache: takes the replies.

    Returns:
        How many were put in.

    Raises:
        EvaluationError: if the run is of another model.
    """
    config = run.config
    if config.settings.get("endpoint", model.endpoint) != model.endpoint:
        raise EvaluationError(f"the replies in {run.path} are of another server than {model.endpoint or 'this one'}")
    if (config.model, config.model_sha256) != (model.name, model.sha256):
        raise EvaluationError(
            f"the replies in {run.path} are of {config.model} ({config.model_sha256[:12] or 'no hash'}), "
            f"not of {model.name} ({model.sha256[:12] or 'no hash'})"
        )
    kept = 0
    for messages, generation, reply in _replies(run, config):
        key = response_key(model.key, messages, generation)
        if cache.get(key) is None and not for_want_of_context(reply, generation):
            cache.put(key, reply)
            kept += 1
    return kept


def _replies(run: Run, config: RunConfig) -> Iterator[tuple[tuple[Message, ...], Generation, Reply]]:
    for record in run.records:
        for attempt in record.attempts:
            temperature = attempt.notes.get("temperature", config.temperature)
            if temperature and "seed" not in attempt.notes:
                continue
            generation = Generation(
                config.max_tokens, temperature, config.top_p, attempt.notes.get("seed", config.seed)
            )
            if opening(attempt.messages):
                generation = replace(generation, stop=(CODE_END,))
            yield attempt.messages, generation, _reply(attempt)


def _reply(attempt: Attempt) -> Reply:
    """Return the reply as the model gave it, without what was begun for it and the fence that ended it."""
    begun = opening(attempt.messages)
    finish = str(attempt.notes.get("finish", "stop"))
    text = attempt.reply.removeprefix(begun)
    if begun and finish == "stop" and "\n```" not in text.removesuffix(_FENCE):
        text = text.removesuffix(_FENCE)
    return Reply(text, finish, attempt.tokens, attempt.seconds)
