"""Every setting, where it came from, and the one place that reads the environment."""

from opencodeinterpreter.config.environment import Terminal, debug, history_path, model_settings, read_terminal
from opencodeinterpreter.config.loading import config_path, load_config
from opencodeinterpreter.config.mcp_servers import mcp_tables
from opencodeinterpreter.config.settings import SETTINGS, Config, Setting

__all__ = [
    "SETTINGS",
    "Config",
    "Setting",
    "Terminal",
    "config_path",
    "debug",
    "history_path",
    "load_config",
    "mcp_tables",
    "model_settings",
    "read_terminal",
]
