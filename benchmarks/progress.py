"""What a benchmark tells of its progress while it runs."""

from __future__ import annotations

import sys
import time


def tell(text: str) -> None:
    """Write a text to stderr, a single line with the time; results alone go to stdout."""
    if "\n" not in text:
        text = f"{time.strftime('%H:%M:%S')} {text}"
    print(text, file=sys.stderr, flush=True)
