"""Self-contained pages: one HTML file that opens from disk and asks no other host for anything, light or dark."""

from opencodeinterpreter.pages.assembling import assemble, embedded, packed, piece, text_of

__all__ = ["assemble", "embedded", "packed", "piece", "text_of"]
