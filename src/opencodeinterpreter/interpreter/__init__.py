"""The loop and its events; code actions; feedback texts; sessions and their export."""

from opencodeinterpreter.interpreter.code_actions import CodeAction, CodeActionReader
from opencodeinterpreter.interpreter.events import (
    Answer,
    ApprovalRequest,
    CodeActionStarted,
    Event,
    ExecutionFinished,
    Failure,
    InstallRequest,
    Notice,
    OutputDelta,
    Round,
    RoundFinished,
    RoundStarted,
    TextDelta,
    ToolCalled,
    ToolRequest,
    TurnStarted,
)
from opencodeinterpreter.interpreter.export import FORMS, export
from opencodeinterpreter.interpreter.history import Rating
from opencodeinterpreter.interpreter.interpreter import Interpreter
from opencodeinterpreter.interpreter.session_index import SessionInfo
from opencodeinterpreter.interpreter.sessions import Session, SessionStore
from opencodeinterpreter.interpreter.tools import Toolbox, ToolServer

__all__ = [
    "FORMS",
    "Answer",
    "ApprovalRequest",
    "CodeAction",
    "CodeActionReader",
    "CodeActionStarted",
    "Event",
    "ExecutionFinished",
    "Failure",
    "InstallRequest",
    "Interpreter",
    "Notice",
    "OutputDelta",
    "Rating",
    "Round",
    "RoundFinished",
    "RoundStarted",
    "Session",
    "SessionInfo",
    "SessionStore",
    "TextDelta",
    "ToolCalled",
    "ToolRequest",
    "ToolServer",
    "Toolbox",
    "TurnStarted",
    "export",
]
