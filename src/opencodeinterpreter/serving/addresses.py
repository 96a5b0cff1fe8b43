"""Names and addresses of the server and of pages: those that requests bear, and those that whoever runs it gives."""

from __future__ import annotations

import ipaddress
import re

from opencodeinterpreter.errors import ConfigError

_NAME = r"\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+"
_HOST = re.compile(rf"({_NAME})(?::[0-9]{{1,5}})?")
_URL = re.compile(rf"([a-zA-Z][a-zA-Z0-9+.-]*)://({_NAME})(?::([0-9]{{1,5}}))?(/[a-zA-Z0-9._~%/-]*)?")
_USUAL = {"http": 80, "https": 443}


def host_name(host: str) -> str | None:
    """Return the name or address that a ``Host`` header bears, in lower case; None for what is no host."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    name = found[1].lower()
    if not name.startswith("["):
        return name
    try:
        return str(ipaddress.IPv6Address(name[1:-1]))
    except ValueError:
        return None


def public_base(url: str) -> str:
    """Return the address under which a server is reached, as links begin with it: without a "/" at its end.

    Raises:
        ConfigError: it is no address, or has more than scheme, host, port and path.
    """
    found = _taken_apart(url)
    if found is None or found[0] not in _USUAL:
        raise ConfigError(
            "--public-url is the address of this server as a browser has it, such as https://code.example.org: "
            "http or https, a host, and no name, password or query."
        )
    return found[0] + "://" + found[1] + found[2].rstrip("/")


def origin_of(base: str) -> str:
    """Return the origin of what ``public_base`` returned."""
    return "/".join(base.split("/")[:3])


def page_origin(url: str) -> str:
    """Return the origin of a page as a browser writes it.

    Raises:
        ConfigError: it is none.
    """
    found = _taken_apart(url)
    if found is None or found[2] not in ("", "/"):
        raise ConfigError("--allow-origin is where a page is from, such as https://chat.example.org, without a path.")
    return found[0] + "://" + found[1]


def _taken_apart(url: str) -> tuple[str, str, str] | None:
    """Return scheme, host with what port needs naming, and path; None for what is no address."""
    found = _URL.fullmatch(url)
    if found is None or host_name(found[2]) is None or int(found[3] or 0) > 65535:
        return None
    scheme, host = found[1].lower(), found[2].lower()
    port = f":{int(found[3])}" if found[3] and int(found[3]) != _USUAL.get(scheme) else ""
    return scheme, host + port, found[4] or ""
