"""Language models: one contract, several back-ends, a catalog of models that can be had.

Importing this package loads none of the back-ends.
"""

from opencodeinterpreter.models.base import ChatModel, FinishReason, Generation, ReplyStream, Usage
from opencodeinterpreter.models.cache import Progress
from opencodeinterpreter.models.catalog import CATALOG, DEFAULT_MODEL, Checkpoint, ModelFile
from opencodeinterpreter.models.download import ModelState, list_models, pull, verify
from opencodeinterpreter.models.loading import DEFAULT_CONTEXT_TOKENS, load_model
from opencodeinterpreter.models.scripted import ScriptedModel
from opencodeinterpreter.models.settings import (
    Endpoint,
    ModelSettings,
    Sources,
    endpoint_from_environment,
    settings_from_environment,
    sources_from_environment,
)

__all__ = [
    "CATALOG",
    "DEFAULT_CONTEXT_TOKENS",
    "DEFAULT_MODEL",
    "ChatModel",
    "Checkpoint",
    "Endpoint",
    "FinishReason",
    "Generation",
    "ModelFile",
    "ModelSettings",
    "ModelState",
    "Progress",
    "ReplyStream",
    "ScriptedModel",
    "Sources",
    "Usage",
    "endpoint_from_environment",
    "list_models",
    "load_model",
    "pull",
    "settings_from_environment",
    "sources_from_environment",
    "verify",
]
