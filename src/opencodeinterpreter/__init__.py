"""OpenCodeInterpreter: a local, private code interpreter."""
