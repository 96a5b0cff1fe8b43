"""What a preview is, over HTTP and from the jail; what comes from the jail is checked against it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Reason = Literal[
    "",
    "broken",
    "encrypted",
    "old office",
    "too large",
    "too long",
    "package",
    "binary",
    "empty",
    "nothing",
]
"""Why there is none."""

Kind = Literal["text", "picture", "table", "pages", "document", "none"]

Short = Annotated[str, Field(max_length=200)]


class Part(BaseModel):
    """One thing after the other; all of it is data, to be shown as text and pictures."""

    type: Literal["paragraph", "heading", "item", "slide", "note", "markdown", "code", "output", "table", "picture"]
    text: str = Field(default="", description="Of a picture: what it shows, or the text of the page.")
    level: int = Field(default=0, ge=0, le=9, description="Of a heading from 1, of an item from 0.")
    language: Short = Field(default="", description="Of code.")
    title: str = Field(default="", description="Of a table: the name of its sheet.")
    columns: list[str] = Field(default_factory=list, description="Empty where a table has no header.")
    rows: list[list[str]] = Field(default_factory=list)
    total: int = Field(default=0, description="Rows of the table, with those that are not here.")
    media: Literal["", "image/png", "image/jpeg"] = ""
    data: str = Field(default="", description="The picture, in base64.")


class Converted(BaseModel):
    """What the jail says."""

    reason: Reason = ""
    parts: list[Part] = Field(default_factory=list, max_length=2000)
    total: int = Field(default=0, ge=0)
    cut: bool = False


class Preview(BaseModel):
    """What is in a file, as far as it is shown."""

    path: str
    size: int
    kind: Kind
    reason: Reason = Field(default="", description="Why there is none.")
    message: str = Field(default="", description="The reason as a sentence.")
    media: str = Field(default="", description="Of a picture; the file itself is what is to be shown.")
    start: int = Field(default=0, description="The first page, or row of a table, counted from 0.")
    step: int = Field(default=0, description="How many of them come at a time; 0 where there is no more to ask for.")
    total: int = Field(default=0, description="Pages, rows, slides, sheets or cells in all.")
    cut: bool = Field(default=False, description="Whether something is left out.")
    parts: list[Part] = Field(default_factory=list)


SENTENCES: dict[Reason, str] = {
    "broken": "The file is broken, or it is not what its name says.",
    "encrypted": "The file is protected by a password, and can be shown only without.",
    "old office": "This is the form that Office had before 2007; saved as .docx, .xlsx or .pptx it can be shown.",
    "too large": "The file is too large to be shown.",
    "too long": "It takes too long to read the file.",
    "package": "What reads this kind of file is not installed on the server: {package}",
    "binary": "There is no preview of this kind of file.",
    "empty": "The file is empty.",
    "nothing": "There is nothing in the file that can be shown.",
}
