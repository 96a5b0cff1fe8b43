"""What an endpoint's failures mean for a user, and which of them may pass."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from opencodeinterpreter.errors import (
    ContextLengthError,
    ModelAuthError,
    ModelConnectionError,
    ModelError,
    RateLimitError,
)

if TYPE_CHECKING:
    import openai

_OVERLONG = re.compile(
    r"context.{0,3}(length|window|size)|maximum context|prompt is too long|"
    r"too many (input )?tokens|exceed.{0,40}tokens",
    re.IGNORECASE,
)
_LONGEST_PAUSE = 30.0


def may_pass(error: openai.APIError) -> bool:
    """Whether the same request may succeed a little later."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return False
    if isinstance(error, openai.APIConnectionError):
        return True
    if isinstance(error, openai.APIStatusError):
        spent = "quota" in f"{error.code} {error.type}"
        return error.status_code >= 500 or error.status_code in {408, 409} or (error.status_code == 429 and not spent)
    return False


def pause_before(error: openai.APIError, attempt: int) -> float:
    """Return the seconds to wait before the next try: what the endpoint asks for, else ever longer."""
    import openai

    if isinstance(error, openai.APIStatusError):
        asked = error.response.headers.get("retry-after", "")
        if asked.replace(".", "", 1).isdigit():
            return min(float(asked), _LONGEST_PAUSE)
    spread = 0.75 + random.random() / 2  # noqa: S311 - keeps many clients from trying at once
    return float(min(0.5 * 2**attempt, 8.0) * spread)


def adapted(request: dict[str, Any], error: openai.APIError) -> dict[str, Any] | None:
    """Return the request without what this endpoint does not know; None if the failure is another one."""
    import openai

    if not isinstance(error, openai.APIStatusError) or error.status_code not in {400, 404, 422}:
        return None
    said = f"{error.param or ''} {said_by(error)}".lower()
    if "stream_options" in request and "stream_options" in said:
        return {key: value for key, value in request.items() if key != "stream_options"}
    if "max_tokens" in request and "max_completion_tokens" in said:
        rest = {key: value for key, value in request.items() if key != "max_tokens"}
        return {**rest, "max_completion_tokens": request["max_tokens"]}
    for name in ("temperature", "top_p", "seed"):
        if name in request and name in said and "support" in said:
            return {key: value for key, value in request.items() if key != name}
    return None


def said_by(error: openai.APIError) -> str:
    """Return the endpoint's own words, on one line and not too many."""
    body = error.body
    text = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(text or error.message).split())[:300]


def translated(error: openai.APIError, model: str, host: str, tries: int) -> ModelError:
    """Return the error to raise; the key is never part of it.

    Args:
        error: what the SDK raised.
        model: the model's name at the endpoint.
        host: the endpoint, without credentials.
        tries: how often it was asked.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelConnectionError(f"the endpoint {host} did not answer in time")
    if isinstance(error, openai.APIConnectionError):
        return ModelConnectionError(f"the endpoint {host} cannot be reached: is the server running? ({tries} tries)")
    said = said_by(error)
    if not isinstance(error, openai.APIStatusError):
        return _overlong(error, said) or ModelError(f"the endpoint {host} failed while it answered: {said}")
    if error.status_code == 401:
        return ModelAuthError(f"the endpoint {host} refuses the key: set OPENAI_API_KEY to one that is valid there")
    if error.status_code == 403:
        return ModelAuthError(f"the endpoint {host} does not let this key use {model}")
    if error.status_code == 429:
        return RateLimitError(f"the endpoint {host} asks to wait, after {tries} tries: {said}")
    if error.status_code >= 500:
        return ModelConnectionError(f"the endpoint {host} failed ({error.status_code}) {tries} times: {said}")
    return _overlong(error, said) or ModelError(f"the endpoint {host} refuses the request: {said}")


def _overlong(error: openai.APIError, said: str) -> ContextLengthError | None:
    body = error.body if isinstance(error.body, dict) else {}
    prompt, limit = body.get("n_prompt_tokens"), body.get("n_ctx")
    if prompt and limit:
        return ContextLengthError(f"the dialog is {prompt} tokens long, and the model reads at most {limit}")
    if error.code == "context_length_exceeded" or _OVERLONG.search(said):
        return ContextLengthError(f"the dialog is longer than the model reads: {said}")
    return None
