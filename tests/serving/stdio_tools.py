"""The MCP tools over standard input and output, with a scripted model: ``python stdio_tools.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from scripted_server import make_hub

from opencodeinterpreter.serving.mcp_server import make_mcp_server

if __name__ == "__main__":
    with make_hub(Path(sys.argv[1])) as hub:
        make_mcp_server(hub).run("stdio")
