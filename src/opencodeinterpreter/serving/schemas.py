"""What the plain API takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=1_000_000)]
Title = Annotated[str, Field(max_length=200)]


class Body(BaseModel):
    """What a request may hold; what is not known is refused, so that a typing error does not go unnoticed."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(BaseModel):
    message: str
    """One sentence that a user can act on."""
    type: str


class ErrorAnswer(BaseModel):
    """Every refusal has this form."""

    error: ErrorBody


class NewSession(Body):
    title: Title = ""
    model: str | None = Field(None, description="One of those that /info names; without one, the first.")
    approve: bool | None = Field(None, description="Ask before code runs.")


class SessionChange(Body):
    title: Title | None = None
    model: str | None = None
    approve: bool | None = None


class MessageBody(Body):
    text: Text = Field(description="A task, or feedback on what was done.")
    files: list[str] = Field(
        default_factory=list, max_length=100, description="Names of files in the workspace, of which the model is told."
    )


class EditBody(Body):
    turn: int = Field(ge=0, le=1_000_000, description="The turn to take back, with all after it; 0 is the first.")
    text: Text


class CellBody(Body):
    code: Text
    replaces: int | None = Field(
        None, ge=1, le=2**53, description="seq of the code_action_started that this code was made from."
    )


class CommentBody(Body):
    text: Text
    cell: int | None = Field(None, ge=1, le=2**53, description="seq of the code_action_started that it is about.")
    run: bool = Field(False, description="Let the model act on it now, instead of with the next message.")


class RatingBody(Body):
    rating: Literal["good", "bad"] | None = Field(description="null takes back what was said before.")
    turn: int | None = Field(None, ge=0, le=1_000_000, description="0 is the first; null, or none, is the last one.")


class ForkBody(Body):
    turn: int | None = Field(
        None, ge=0, le=1_000_000, description="The last turn taken over; 0 is the first. null, or none, takes over all."
    )
    title: Title | None = Field(None, description="null, or none, for that of the session.")


class DecisionBody(Body):
    decision: Literal["approve", "edit", "reject"]
    text: Text = Field("", description='The code to run for "edit", the reason for "reject".')


class Origin(BaseModel):
    """Where a fork comes from."""

    session: str
    turn: int = Field(description="The last one taken over; 0 is the first.")


class SessionRow(BaseModel):
    """A line of the list of sessions."""

    id: str
    title: str
    created: float = Field(description="Seconds since 1970.")
    updated: float
    turns: int
    model: str
    state: Literal["parked", "idle", "running", "waiting"]
    running: bool
    fork: Origin | None = Field(description="Of a session that is a fork of another one.")


class Tokens(BaseModel):
    """What the session's replies cost so far."""

    prompt: int
    cached: int = Field(description="Of the prompt tokens, those that were not evaluated again.")
    completion: int
    model_seconds: float
    code_seconds: float
    context_used: int = Field(description="Tokens of the last prompt and its reply.")
    context: int | None = Field(description="Tokens that the model reads at most; null while it is not loaded.")


class SandboxState(BaseModel):
    isolation: str
    network: bool
    alive: bool = Field(description="Whether a kernel runs.")
    limits: dict[str, float | None]
    workspace_bytes: int


class ModelArrival(BaseModel):
    """How far a model is on its way here."""

    step: Literal["loading", "fetching", "checking", "waiting"] = Field(
        description="What is done; waiting: another program fetches the same model."
    )
    source: str = Field(description="The host it is fetched from, or what is done with its file; empty: it is loaded.")
    done: int = Field(description="Bytes.")
    total: int = Field(description="Bytes; 0 if nobody knows.")


class SessionState(SessionRow):
    """All of a session that is not in its events."""

    approve: bool
    max_rounds: int
    pending: dict[str, Any] | None = Field(
        description="The approval_request, install_request or tool_request that waits."
    )
    queue: int = Field(description="The place in the queue for the model; 0 if it does not wait.")
    arriving: ModelArrival | None = Field(description="How far the model is that the run waits for, if it is not here.")
    seq: int = Field(description="The number of the last event.")
    fault: str | None = Field(description="Why the last run could not be saved to its end, as on a full disk.")
    state_lost: bool = Field(description="Variables of earlier code are gone; the next turn, or a replay, brings back.")
    tokens: Tokens
    sandbox: SandboxState


class Started(BaseModel):
    """A run has begun; what happens comes as events."""

    id: str
    seq: int = Field(description="The number of the last event before it.")


class Rated(BaseModel):
    """What is said of an answer now."""

    turn: int
    rating: Literal["good", "bad"] | None


class Stopped(BaseModel):
    stopped: bool = Field(description="Whether anything ran.")


class FileRow(BaseModel):
    path: str
    size: int
    modified: float
    url: str = Field(description="Opens this file without a key.")


class UploadedFile(FileRow):
    preview: str = Field(description="What the model is told of the file: size, columns, first rows.")


class FirstRows(BaseModel):
    """The beginning of a table."""

    columns: list[str]
    rows: list[list[str]]
    preview: str


class ModelRow(BaseModel):
    name: str
    default: bool
    loaded: bool
    waiting: int


class Info(BaseModel):
    version: str
    models: list[ModelRow]
    isolation: str
    network: bool
    approve: bool
    max_rounds: int
    limits: dict[str, float | None]
    upload_bytes: int
    body_bytes: int
    sessions_open: int
    closing: bool
