"""Who may use a server, and how much of it: one token, or a file of API keys with limits."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from opencodeinterpreter.errors import ConfigError

_SHORTEST_KEY = 16


@dataclass(frozen=True)
class Key:
    """What one key may do."""

    name: str
    """Its sessions bear it; empty for the server's own token, which also sees the sessions of the command line."""
    digest: str = field(repr=False)
    """SHA-256 of the key, in hexadecimal."""
    sessions: int | None = None
    """Sessions at most, stored ones included."""
    running: int | None = None
    """Sessions that may run something at the same time."""
    body_mb: float | None = None
    """Size of one request at most; None for the server's."""
    turn_seconds: float | None = None
    """One turn may take so long; None for as long as it takes."""
    listeners: int | None = 200
    """Event streams that may be open at the same time; None for as many as the server has room for."""


class Keys:
    """The keys of a server.

    Args:
        keys: at least one.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)
        if not self._keys:
            raise ConfigError("A server needs at least one key.")

    def find(self, presented: str) -> Key | None:
        """Return the key that was presented; takes as long for a wrong one as for a right one."""
        digest = digest_of(presented)
        found = None
        for key in self._keys:
            if hmac.compare_digest(digest, key.digest):
                found = key
        return found

    def named(self, name: str) -> Key | None:
        return next((key for key in self._keys if key.name == name), None)


def digest_of(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def new_token() -> str:
    """Return a fresh random token."""
    return secrets.token_urlsafe(24)


def token_key(token: str) -> Key:
    """Return the key of the server's own token, which has no limits but the server's."""
    return Key("", digest_of(token), listeners=None)


def read_keys(path: Path) -> Keys:
    """Read a TOML file with a table for each key: ``[keys.NAME]``, with ``key`` or ``sha256`` and its limits.

    Raises:
        ConfigError: it cannot be read, or says something unknown.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("keys")
    except OSError as error:
        raise ConfigError(f"The keys in {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {str(error)[:200]}.") from error
    if not isinstance(table, dict) or not table:
        raise ConfigError(f"{path} has no [keys.NAME] with a key.")
    return Keys(_key(path, name, row) for name, row in table.items())


def _key(path: Path, name: str, row: Any) -> Key:
    where = f"{path}: keys.{name}"
    if not isinstance(row, dict) or ("key" in row) == ("sha256" in row):
        raise ConfigError(f"{where} needs either key or sha256.")
    if not name or not name.isprintable() or "/" in name:
        raise ConfigError(f"{where} is not a name.")
    row = dict(row)
    if "key" in row:
        key = row.pop("key")
        if not isinstance(key, str) or len(key) < _SHORTEST_KEY:
            raise ConfigError(f"{where}.key must be a text of at least {_SHORTEST_KEY} characters.")
        digest = digest_of(key)
    else:
        digest = str(row.pop("sha256")).lower()
        if len(digest) != 64 or any(character not in "0123456789abcdef" for character in digest):
            raise ConfigError(f"{where}.sha256 must be 64 hexadecimal digits.")
    known = {part.name for part in fields(Key)} - {"name", "digest"}
    for limit, value in row.items():
        if limit not in known:
            raise ConfigError(f"{where}.{limit} is no limit; known are {', '.join(sorted(known))}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise ConfigError(f"{where}.{limit} must be a number above 0.")
    return Key(name, digest, **row)
