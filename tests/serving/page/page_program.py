"""Runs ``ocint web`` so that it is killed, with all that it starts, when any of it asks for an Internet socket.

The socket that it listens on is made before; what comes in over it needs no other.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import typer

from opencodeinterpreter.cli import web
from opencodeinterpreter.serving import server

E2E = Path(__file__).parents[2] / "e2e"

if __name__ == "__main__":
    listener = server.listen("127.0.0.1", 0)
    server.listen = lambda _host, _port: listener
    runpy.run_path(str(E2E / "no_internet.py"))["forbid_internet"]()
    app = typer.Typer()
    web.add_to(app)
    app.callback()(lambda: None)
    app()
