"""Several people doing the same thing at once, each in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Person = TypeVar("Person")
Found = TypeVar("Found")


def at_once(people: Sequence[Person], act: Callable[[Person, int], Found], errors: list[str]) -> list[Found]:
    """Let all act at the same moment, and return what those found who did not fail.

    Args:
        act: is given the person and their number.
        errors: gets a line for each who failed.
    """
    gate = threading.Barrier(len(people))
    found: list[Found] = []

    def live(person: Person, number: int) -> None:
        gate.wait()
        try:
            found.append(act(person, number))
        except Exception as error:  # counted, whatever it is, and the others go on
            errors.append(f"session {number}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=live, args=(person, number)) for number, person in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
