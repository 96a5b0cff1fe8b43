"""Leaves the program in time, whatever it is in the middle of."""

from __future__ import annotations

import os
import threading
import time
from typing import NoReturn

_GRACE_SECONDS = 5.0
"""How long the putting away of sandbox, session and model may take before the program ends without it."""


def leave(code: int) -> NoReturn:
    """End with this exit code, by unwinding, so that sandboxes are closed; at the latest after the grace time.

    An engine that is busy cannot be made to return. What ends without being put away is safe: a jail dies with the
    program, every event of a session is on the disk already, and the next start removes folders left behind.
    """
    threading.Thread(target=_leave_anyway, args=(code,), name="leaving", daemon=True).start()
    raise SystemExit(code)


def _leave_anyway(code: int) -> NoReturn:
    time.sleep(_GRACE_SECONDS)
    os._exit(code)
