"""Links that open one file of one session without a key: for a picture in a page, or an answer in another program."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from pathlib import Path
from urllib.parse import quote

from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.serving.secret_files import kept

_FILE = "link-secret"
_SECRET_BYTES = 32


class Links:
    """Makes links and checks them. A link holds as long as the file is there.

    Args:
        secret: whoever has it can make links.
        public: the address under which others reach the server, such as ``https://code.example.org``; empty for the
            one that each request was sent to.
    """

    def __init__(self, secret: bytes, public: str = "") -> None:
        self._secret = secret
        self._public = public

    @classmethod
    def kept_in(cls, folder: Path, public: str = "") -> Links:
        """Return links that outlive the server: the secret is kept in a file that only this user can read.

        Raises:
            ConfigError: the file cannot be read or made, or holds no secret.
        """
        path = folder / _FILE
        try:
            secret = kept(path, lambda: secrets.token_bytes(_SECRET_BYTES))
        except OSError as error:
            raise ConfigError(f"The secret of links in {path} cannot be kept: {error.strerror}.") from error
        if len(secret) != _SECRET_BYTES:
            raise ConfigError(
                f"{path} has {len(secret)} bytes and not the {_SECRET_BYTES} bytes of a secret: delete it, and a new "
                "one is made; links given out before then open nothing."
            )
        return cls(secret, public)

    def base(self, asked: object) -> str:
        """Return what comes before a link for another program, without a "/" at its end.

        Args:
            asked: the address that the request was sent to.
        """
        return self._public or str(asked).rstrip("/")

    def to(self, identity: str, path: str) -> str:
        """Return the link to what lies at ``path`` (such as ``files/a.csv``) of a session."""
        return f"/api/v1/sessions/{identity}/{quote(path)}?sig={self._signature(identity, path)}"

    def holds(self, identity: str, path: str, signature: str) -> bool:
        """Tell whether a signature is the one of this very path."""
        # As bytes: of texts it compares those alone that are ASCII.
        return hmac.compare_digest(self._signature(identity, path).encode(), signature.encode("utf-8", "replace"))

    def sign(self, text: str) -> str:
        """Return what nobody else can write under a text: 43 characters that an address may hold."""
        # Kept apart from the links above by a character that no name of a file has.
        signed = hmac.new(self._secret, f"\0{text}".encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(signed).decode("ascii").rstrip("=")

    def _signature(self, identity: str, path: str) -> str:
        return hmac.new(self._secret, f"{identity}/{path}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
