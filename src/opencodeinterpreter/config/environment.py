"""What else the environment says: of the terminal, of models, of where to keep things."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import platformdirs

from opencodeinterpreter.config.settings import APP, Config

if TYPE_CHECKING:
    from pathlib import Path

    from opencodeinterpreter.models.settings import ModelSettings


@dataclass(frozen=True)
class Terminal:
    """What the environment says of the terminal."""

    images: Literal["kitty", "iterm2", "sixel", "none"]
    """How it can draw pictures, by what is known of its kind; it is not asked."""
    editor: str | None
    """The editor that the person prefers."""
    light: bool
    """Whether it says that its background is light."""


def read_terminal(environ: Mapping[str, str] = os.environ) -> Terminal:
    """Return what the environment says of the terminal."""
    program, term = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    images: Literal["kitty", "iterm2", "sixel", "none"] = "none"
    if environ.get("TMUX") or term.startswith(("screen", "tmux")):
        images = "none"  # a multiplexer swallows or garbles what it does not know
    elif environ.get("KITTY_WINDOW_ID") or program == "ghostty" or environ.get("KONSOLE_VERSION"):
        images = "kitty"
    elif program in ("iTerm.app", "WezTerm", "mintty"):
        images = "iterm2"
    elif term.startswith(("foot", "mlterm", "contour", "yaft")) or environ.get("WT_SESSION"):
        images = "sixel"
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    editor = environ.get("VISUAL") or environ.get("EDITOR") or None
    return Terminal(images, editor, light=background in ("7", "15"))


def debug(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether tracebacks are to be shown."""
    return environ.get("OCINT_DEBUG", "") not in ("", "0")


def model_settings(config: Config, environ: Mapping[str, str] = os.environ) -> ModelSettings:
    """Return where models come from: the folder that is configured, and the usual variables of hub and index."""
    from opencodeinterpreter.models.settings import settings_from_environment

    settings = settings_from_environment(environ)
    return replace(
        settings,
        sources=replace(settings.sources, folder=config.models_folder),
        endpoint=replace(settings.endpoint, vision=config.vision),
    )


def history_path() -> Path:
    """Return the file that keeps what was typed in conversations."""
    return platformdirs.user_state_path(APP) / "history"
