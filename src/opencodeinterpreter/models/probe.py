"""Opens one GGUF file and exits: run as a child process, because a broken file may crash the engine.

``python -m opencodeinterpreter.models.probe FILE``: exit status 0 if the file could be opened; the engine's log
goes to stderr.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main(path: str) -> int:
    """Open the file with the smallest context and evaluate a token or two."""
    import xllamacpp

    with tempfile.TemporaryDirectory(prefix="ocint-") as folder:
        params = xllamacpp.CommonParams()
        params.model.path = path
        params.n_ctx = 256
        params.n_parallel = 1
        params.verbosity = 1
        params.ui = False
        params.hostnames = [str(Path(folder) / "engine.sock")]
        try:
            server = xllamacpp.Server(params)
        except RuntimeError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        del server
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
