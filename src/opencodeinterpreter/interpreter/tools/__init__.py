"""Tools of MCP servers, offered to the code that runs in the sandbox."""

from opencodeinterpreter.interpreter.tools.settings import ToolServer, tool_servers
from opencodeinterpreter.interpreter.tools.toolbox import Toolbox

__all__ = ["ToolServer", "Toolbox", "tool_servers"]
