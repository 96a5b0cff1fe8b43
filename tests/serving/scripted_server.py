"""A real server with a scripted model, as a program: ``python scripted_server.py FOLDER [JSON]``.

The model does what it is told: "run: CODE" makes it write that code, "say: TEXT" makes it say that, and after code has
run it says "Done.".
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from opencodeinterpreter import Limits, Message, Sandbox, ScriptedModel
from opencodeinterpreter.errors import ModelConnectionError
from opencodeinterpreter.interpreter import SessionStore
from opencodeinterpreter.models import ChatModel, Endpoint, ModelSettings, load_model
from opencodeinterpreter.models.cache import Progress
from opencodeinterpreter.serving.access import Keys, digest_of, token_key
from opencodeinterpreter.serving.app import create_app
from opencodeinterpreter.serving.guard import GuardSettings
from opencodeinterpreter.serving.hub import Hub, HubSettings
from opencodeinterpreter.serving.logs import log_to_stderr
from opencodeinterpreter.serving.server import listen, serve
from opencodeinterpreter.serving.shelf import ModelShelf

TOKEN = "a-token-for-the-tests"


def reply(messages: Sequence[Message]) -> str:
    last = messages[-1].content
    told = re.search(r"(?:.*\n|^)(run|say): (.*)\Z", last, re.DOTALL)  # the last one, where messages were joined
    if told is None:
        return "Done." if "Execution result" in last else "Hello."
    return f"Running it.\n```python\n{told[2]}\n```" if told[1] == "run" else told[2]


def dies(_messages: Sequence[Message]) -> str:
    raise ModelConnectionError("The model's server does not answer; is it running?")


def load(name: str) -> ChatModel:
    options = {"slow": {"delay_seconds": 0.05}}.get(name, {})
    return ScriptedModel([dies if name == "dying" else reply] * 100_000, name=name, **options)


def make_hub(
    folder: Path, slots: int = 4, limits: Limits | None = None, endpoint: str | None = None, **settings
) -> Hub:
    """Return a hub; with the address of an endpoint its model "remote" is offered too."""
    limits = limits or Limits(wall_seconds=20)

    def sandbox(session) -> Sandbox:
        logs = session.folder / "logs" / "1"
        logs.mkdir(parents=True, exist_ok=True)
        return Sandbox(workspace=session.workspace, limits=limits, logs=logs)

    def loaded(name: str, _told: Progress) -> ChatModel:
        if name == "remote":
            return load_model("openai:small", settings=ModelSettings(endpoint=Endpoint(endpoint, retries=0)))
        return load(name)

    names = ["scripted", "slow", "dying", *(["remote"] if endpoint is not None else [])]
    shelf = ModelShelf(names, loaded, lambda _name: slots)
    return Hub(SessionStore(folder), shelf, sandbox, HubSettings(limits=limits, **settings))


def main() -> None:
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    drain = options.pop("drain", 0.5)
    keys = Keys([token_key(TOKEN), *(Key_(name, row) for name, row in options.pop("keys", {}).items())])
    guard = GuardSettings(**options.pop("guard", {}))
    limits = Limits(**{"wall_seconds": 20, **options.pop("limits", {})})
    log_to_stderr()
    if file_bytes := options.pop("file_bytes", None):
        # The hard limit stays: a test may lift the other one, as if there were space again.
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with listen("127.0.0.1", 0) as listener, make_hub(folder, limits=limits, **options) as hub:
        address = listener.getsockname()

        def told() -> None:
            print(f"http://{address[0]}:{address[1]}", flush=True)

        serve(create_app(hub, keys, guard=guard, on_start=told), hub, listener, drain)
    print("ended", flush=True)


def Key_(name: str, row: dict):  # noqa: N802
    from opencodeinterpreter.serving.access import Key

    row = dict(row)
    return Key(name, digest_of(row.pop("key")), **row)


if __name__ == "__main__":
    main()
