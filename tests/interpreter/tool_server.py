"""An MCP server for tests: ``python tool_server.py [PORT]``, over standard input and output, or HTTP."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import BlobResourceContents, CallToolResult, EmbeddedResource, TextContent
from pydantic import Field

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082".replace(" ", "")
)
server: MCPServer[Any] = MCPServer("test", log_level="ERROR")


@server.tool()
def search(query: str, limit: int = 3) -> dict[str, Any]:
    """Search the catalogue."""
    return {"query": query, "hits": [f"{query} {number}" for number in range(limit)]}


@server.tool()
def add(a: float, b: Annotated[float, Field(description="The second one.")] = 1) -> float:
    """Add two numbers.

    More than one line.
    """
    return a + b


@server.tool(structured_output=False)
def say(text: str) -> str:
    """Say something."""
    return f"You said {text}"


@server.tool()
def picture() -> Image:
    """Draw."""
    return Image(data=PNG, format="png")


@server.tool()
def papers() -> CallToolResult:
    """Give a text and a file."""
    resource = BlobResourceContents(uri="file:///far/../../report.bin", blob="AAEC", mime_type="application/x-y")
    return CallToolResult(content=[TextContent(text="Here it is."), EmbeddedResource(resource=resource)])


@server.tool(name="odd-name.of tool")
def odd(kind: str = "x") -> str:
    """Have a name that Python does not know."""
    return kind


@server.tool()
def fail(why: str) -> str:
    """Fail."""
    raise ToolError(f"no luck: {why}")


@server.tool()
def sleep(seconds: float) -> str:
    """Take a while."""
    time.sleep(seconds)
    return "slept"


@server.tool()
def die() -> str:
    """End the server."""
    os._exit(3)


@server.tool()
def large(size: int) -> str:
    """Return much."""
    return "x" * size


@server.tool()
def environment(name: str) -> str:
    """Return a variable."""
    return os.environ.get(name, "")


@server.tool()
def header(name: str, context: Context[Any, Any]) -> str:
    """Return a header of the request."""
    return (context.headers or {}).get(name, "")


@server.tool()
def count(file: str) -> int:
    """Count the calls."""
    with Path(file).open("a") as calls:
        calls.write("x")
    return len(Path(file).read_text())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
