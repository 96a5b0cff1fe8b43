"""The options that several commands share, each defined once. A value of None means "not given"."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_MODEL, _SANDBOX, _LIMITS, _LOOP = "Model", "Sandbox", "Limits", "Loop"

Files = Annotated[
    list[Path] | None,
    # Whether it can be read is checked with the other things that can be wrong with it.
    typer.Option(
        "--file", "-f", metavar="FILE", readable=False, help="A file for the task; can be given several times."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", metavar="NAME", help="Catalog name, FILE.gguf, hf:…, openai:… or transformers:….",
        rich_help_panel=_MODEL,
    ),
]  # fmt: skip
Adapter = Annotated[
    list[Path] | None,
    typer.Option(
        "--adapter", metavar="FILE", readable=False, rich_help_panel=_MODEL,
        help="What ocint export --form adapter wrote, for the embedded model; can be given several times.",
    ),
]  # fmt: skip
Context = Annotated[
    str | None,
    typer.Option("--context", metavar="TOKENS", help="What the model reads at most.", rich_help_panel=_MODEL),
]
MaxTokens = Annotated[
    str | None,
    typer.Option("--max-tokens", metavar="N", help="Tokens of one reply at most.", rich_help_panel=_MODEL),
]
Temperature = Annotated[
    str | None,
    typer.Option("--temperature", metavar="T", help="0 takes the likeliest token always.", rich_help_panel=_MODEL),
]
Seed = Annotated[
    str | None,
    typer.Option("--seed", metavar="N", help="Makes a temperature above 0 repeatable.", rich_help_panel=_MODEL),
]
Vision = Annotated[
    bool | None,
    typer.Option(
        "--vision/--no-vision", help="Show figures to the model, an openai: one that sees.", rich_help_panel=_MODEL
    ),
]
MaxRounds = Annotated[
    str | None,
    typer.Option("--max-rounds", metavar="N", help="Executions that a task may take.", rich_help_panel=_LOOP),
]
Approve = Annotated[
    bool | None,
    typer.Option("--approve/--no-approve", help="Ask before code is run.", rich_help_panel=_LOOP),
]
UseSandbox = Annotated[
    bool | None,
    typer.Option(
        "--sandbox/--no-sandbox", help="--no-sandbox runs code with all your rights.", rich_help_panel=_SANDBOX
    ),
]
Network = Annotated[
    bool | None,
    typer.Option("--network/--no-network", help="Let code use the network.", rich_help_panel=_SANDBOX),
]
AllowInstall = Annotated[
    bool | None,
    typer.Option(
        "--allow-install/--no-allow-install",
        help="Offer to fetch packages that the code misses.",
        rich_help_panel=_SANDBOX,
    ),
]
Wheels = Annotated[
    str | None,
    typer.Option(
        "--wheels", metavar="FOLDER", help="Take packages that the code misses from here.", rich_help_panel=_SANDBOX
    ),
]
Mcp = Annotated[
    list[Path] | None,
    typer.Option(
        "--mcp",
        metavar="FILE",
        readable=False,
        help="Offer the tools of the MCP servers of a file (mcpServers) to the code; can be given several times.",
        rich_help_panel=_LOOP,
    ),
]
Python = Annotated[
    str | None,
    typer.Option(
        "--python", metavar="PATH", help="Interpreter or virtual environment for the code.", rich_help_panel=_SANDBOX
    ),
]
Kernel = Annotated[
    str | None,
    typer.Option("--kernel", metavar="NAME", help="Jupyter kernelspec for the code.", rich_help_panel=_SANDBOX),
]
WallSeconds = Annotated[
    str | None,
    typer.Option("--wall-seconds", metavar="N|none", help="Time for one run.", rich_help_panel=_LIMITS),
]
CpuSeconds = Annotated[
    str | None,
    typer.Option("--cpu-seconds", metavar="N|none", help="Processor time for one run.", rich_help_panel=_LIMITS),
]
MemoryMb = Annotated[
    str | None,
    typer.Option("--memory-mb", metavar="N|none", help="Memory of all processes.", rich_help_panel=_LIMITS),
]
Processes = Annotated[
    str | None,
    typer.Option("--processes", metavar="N|none", help="Processes and threads.", rich_help_panel=_LIMITS),
]
WorkspaceMb = Annotated[
    str | None,
    typer.Option("--workspace-mb", metavar="N|none", help="Size of the workspace.", rich_help_panel=_LIMITS),
]


def flags(**given: Any) -> dict[str, Any]:
    """Return the flags that were given, under the keys of the configuration."""
    limits = ("wall_seconds", "cpu_seconds", "memory_mb", "processes", "workspace_mb")
    found = {
        ("limits." + name if name in limits else name): value for name, value in given.items() if value is not None
    }
    for flag, key in (("mcp", "mcp_files"), ("adapter", "adapters")):
        if files := found.pop(flag, None):
            found[key] = files
    sandbox = found.pop("sandbox", None)
    if sandbox is not None:
        found["backend"] = "bubblewrap" if sandbox else "none"
    return found
