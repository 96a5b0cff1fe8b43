"""The interpreter for programs and for many users: the hub of sessions, the HTTP API, MCP, the web page."""
