"""What a probe is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["files", "secrets", "network", "processes", "resources", "privilege"]
Severity = Literal["escape", "secret", "harm", "hardening"]
"""escape: acts outside; secret: learns what it should not; harm: takes more than its share; hardening: gets nearer."""


@dataclass(frozen=True)
class Probe:
    """A program that runs inside, in a process of its own.

    It finds ``W`` (facts of the world: where to look), ``MARK`` (a name for what it leaves behind),
    ``syscall(name, *arguments)`` and the usual modules, and calls ``got(evidence)`` when it succeeds. An exception
    means that it did not. What it does to the world is judged from outside, whatever it says.
    """

    name: str
    group: Group
    severity: Severity
    code: str
    secret: bool = False
    """Only evidence with the world's canary in it counts."""
    outside_only: bool = False
    """What it says counts for nothing: inside, the same act is allowed on something private."""
    alone: bool = False
    """Needs a jail of its own."""


def family(group: Group, severity: Severity, table: dict[str, str], **options: bool) -> list[Probe]:
    """Return one probe for each name and program of a table."""
    return [Probe(name, group, severity, code.strip(), **options) for name, code in table.items()]
