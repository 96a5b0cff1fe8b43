"""The options of ``ocint serve`` and ``ocint web``, each defined once. A value of None means "not given"."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_SERVER, _SESSIONS = "Server", "Sessions"


def _of_server(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_SERVER, **more)


def _of_sessions(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_SESSIONS, **more)


Host = Annotated[str, _of_server("--host", help="Address to listen on; others than loopback are open to the network.")]
Port = Annotated[int, _of_server("--port", min=0, max=65535, help="0 takes a free one.")]
KeyFile = Annotated[
    Path | None,
    _of_server(
        "--keys", metavar="FILE", help="API keys and their limits; without it one token is made.", readable=False
    ),
]
TokenFile = Annotated[
    Path | None,
    _of_server("--token-file", metavar="FILE", help="Keep the token here, so that it stays the same.", readable=False),
]
AllowHost = Annotated[
    list[str] | None, _of_server("--allow-host", metavar="NAME", help="A name under which the server is reached.")
]
AllowOrigin = Annotated[
    list[str] | None, _of_server("--allow-origin", metavar="URL", help="A page whose scripts may send requests.")
]
PublicUrl = Annotated[
    str | None,
    _of_server("--public-url", metavar="URL", help="The server's address behind a proxy; links begin with it."),
]
MaxBody = Annotated[float, _of_server("--max-body-mb", min=0.001, help="Of one request without files.")]
Drain = Annotated[float, _of_server("--drain-seconds", min=0, help="For what runs, when the server is ended.")]
Browser = Annotated[bool, _of_server("--browser/--no-browser", help="Open the page in a browser.")]
Offer = Annotated[list[str] | None, _of_sessions("--offer", metavar="NAME", help="A further model that can be chosen.")]
Parallel = Annotated[
    int, _of_sessions("--parallel", min=1, max=64, help="Replies the embedded model writes side by side.")
]
Kernels = Annotated[int, _of_sessions("--kernels", min=1, help="Sessions that have a kernel at a time.")]
Waiting = Annotated[int, _of_sessions("--waiting", min=1, help="Replies that may wait for the model.")]
Park = Annotated[float, _of_sessions("--park-seconds", min=1, help="Unused for so long, a session loses its kernel.")]
Expire = Annotated[
    float | None, _of_sessions("--expire-days", min=0.001, help="Unused for so long, a session is deleted.")
]
Replay = Annotated[
    bool, _of_sessions("--replay/--no-replay", help="Run earlier code again when a session gets a new kernel.")
]
