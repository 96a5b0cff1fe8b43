"""Folders of the host that the sandbox shows, wherever they lie."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from opencodeinterpreter import Sandbox


@pytest.mark.parametrize("parent", ["/tmp", "/var/tmp"])
def test_packages_can_lie_where_the_jail_has_a_folder_of_its_own(parent: str) -> None:
    folder = Path(tempfile.mkdtemp(dir=parent))
    folder.chmod(0o755)
    try:
        (folder / "shelf.py").write_text("BOOKS = 3\n")
        with Sandbox(packages=folder) as sandbox:
            assert sandbox.run("import shelf; shelf.BOOKS").result == "3"
    finally:
        shutil.rmtree(folder)
