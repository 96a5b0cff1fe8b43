"""Opens one GGUF file and exits: run as a child process, because a broken file may crash the engine.

``python -m opencodeinterpreter.models.probe FILE``: exit status 0 if the file could be opened; the engine's log
goes to stderr.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def main(path: str) -> int:
    """Open the file with the smallest context, look for values that are no numbers, evaluate a token or two."""
    import xllamacpp

    with tempfile.TemporaryDirectory(prefix="ocint-engine-") as folder:
        params = xllamacpp.CommonParams()
        params.model.path = path
        params.n_ctx = 256
        params.n_parallel = 1
        params.check_tensors = True
        params.verbosity = 1
        params.ui = False
        params.hostnames = [str(Path(folder) / "engine.sock")]
        try:
            engine = xllamacpp.Server(params)
        except RuntimeError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    sys.stderr.flush()
    # An engine that is freed as soon as it stands may never come to rest, and this process has done its work.
    os._exit(0 if engine is not None else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
