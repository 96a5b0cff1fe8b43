"""Previews of files: what is in them as texts, tables and pictures, read in a jail of its own."""

from opencodeinterpreter.serving.previews.previews import Previews
from opencodeinterpreter.serving.previews.shape import Preview

__all__ = ["Preview", "Previews"]
