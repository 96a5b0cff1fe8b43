"""The form of what goes through a container's stdin and stdout; read on both sides."""

from __future__ import annotations

import struct

HEAD = struct.Struct(">cII")
"""Kind, channel and bytes that follow.

To the container: S start (JSON), O connect (name of a socket), P make a pipe (its name), D data, C close, I interrupt;
the end of its stdin ends it. From it: H how it is confined (text), R the sockets are open, D data, C close, U usage
(JSON), L start-up output, X the kernel's exit status (text).
"""
SOCKETS = ("k-1", "k-2", "k-4")
