"""Whether a folder holds a checkpoint."""

from __future__ import annotations

from pathlib import Path

from opencodeinterpreter.errors import ModelFileError


def check_folder(path: Path) -> None:
    """Return if the folder holds a checkpoint of a whole model.

    Raises:
        ModelFileError: if it holds none, or only an adapter.
    """
    if (path / "config.json").is_file():
        return
    if (path / "adapter_config.json").is_file():
        raise ModelFileError(f"{path} is an adapter, not a model: merge it first (ocint export {path})")
    raise ModelFileError(f"the folder {path} holds no checkpoint: it has no config.json")
