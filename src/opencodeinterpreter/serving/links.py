"""Links that open one file of one session without a key: for a picture in a page, or an answer in another program."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from pathlib import Path
from urllib.parse import quote

_FILE = "link-secret"


class Links:
    """Makes links and checks them. A link holds as long as the file is there.

    Args:
        secret: whoever has it can make links.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def kept_in(cls, folder: Path) -> Links:
        """Return links that outlive the server: the secret is kept in a file that only this user can read."""
        path = folder / _FILE
        try:
            secret = path.read_bytes()
        except FileNotFoundError:
            secret = secrets.token_bytes(32)
            path.touch(mode=0o600)
            path.write_bytes(secret)
        return cls(secret)

    def to(self, identity: str, path: str) -> str:
        """Return the link to what lies at ``path`` (such as ``files/a.csv``) of a session."""
        return f"/api/v1/sessions/{identity}/{quote(path)}?sig={self._signature(identity, path)}"

    def holds(self, identity: str, path: str, signature: str) -> bool:
        """Tell whether a signature is the one of this very path."""
        return hmac.compare_digest(self._signature(identity, path), signature.encode("utf-8", "replace").decode())

    def sign(self, text: str) -> str:
        """Return what nobody else can write under a text: 43 characters that an address may hold."""
        # Kept apart from the links above by a character that no name of a file has.
        signed = hmac.new(self._secret, f"\0{text}".encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(signed).decode("ascii").rstrip("=")

    def _signature(self, identity: str, path: str) -> str:
        return hmac.new(self._secret, f"{identity}/{path}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
