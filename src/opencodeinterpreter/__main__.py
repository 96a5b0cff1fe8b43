"""``python -m opencodeinterpreter`` is the command ``ocint``."""

from opencodeinterpreter.cli.main import main

main()
