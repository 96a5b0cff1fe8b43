"""Protocols: how feedback is given, each with its leakage class. ``base`` has the contract."""

from __future__ import annotations

import difflib
import importlib
from typing import Final

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.protocols.base import Outcome, Protocol, Settings, Solving

__all__ = ["PROTOCOLS", "Outcome", "Protocol", "Settings", "Solving", "load_protocol"]

_HERE = "opencodeinterpreter.evaluation.protocols."
PROTOCOLS: Final[dict[str, tuple[str, str]]] = {
    "single": ("single", "Single"),
    "runtime": ("runtime", "Runtime"),
    "visible": ("visible", "Visible"),
    "selftest": ("selftest", "Selftest"),
    "select": ("select", "Select"),
    "execution": ("execution", "Execution"),
    "human": ("human", "Human"),
    "human-visible": ("human", "HumanVisible"),
    "oracle": ("human", "Oracle"),
}
"""Name → module and class."""


def load_protocol(name: str) -> Protocol:
    """Return the protocol of a name.

    Raises:
        EvaluationError: if there is none; names the nearest.
    """
    wanted = name.strip().lower().replace("_", "-")
    if wanted not in PROTOCOLS:
        near = difflib.get_close_matches(wanted, PROTOCOLS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(PROTOCOLS)}."
        raise EvaluationError(f"there is no protocol {name!r}: {hint}")
    module, kind = PROTOCOLS[wanted]
    found: Protocol = getattr(importlib.import_module(_HERE + module), kind)()
    return found


def label(name: str, leakage: str, honest: bool) -> str:
    """Return a protocol's name as reports and the terminal show it, never without its class."""
    return f"{name} ({leakage}, {'honest' if honest else 'not honest'})"
