"""What the Dockerfile and the compose file say is so; no engine is needed."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from opencodeinterpreter import __version__

ROOT = Path(__file__).parents[2]
FILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVER: dict[str, Any] = COMPOSE["services"]["server"]


def said(word: str) -> list[str]:
    """Return what follows each instruction of this name."""
    lines = re.sub(r"^#.*\n", "", FILE, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [line.partition(" ")[2].strip() for line in lines if line.startswith(f"{word} ")]


def environment(folder: Path) -> dict[str, str]:
    """Return the image's variables, with ``folder`` in the place of the volume."""
    words = [word.partition("=") for word in shlex.split(" ".join(said("ENV")))]
    found = {name: value.replace("/data", str(folder)) for name, _, value in words if name != "PATH"}
    return {**found, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def test_what_is_copied_is_there_and_goes_to_the_engine() -> None:
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert let_through[1] == "*"
    copied = [words.split()[:-1] for words in said("COPY") if not words.startswith("--from=")]
    assert copied
    for source in (each for sources in copied for each in sources):
        assert (ROOT / source).exists(), source
        assert f"!{source}" in let_through, source


def test_everything_is_pinned_and_nobody_is_root() -> None:
    assert "--require-hashes -r requirements/base.txt" in FILE
    assert all("--no-deps" in run or "--require-hashes" in run for run in said("RUN") if "pip install" in run)
    user = said("USER")[0].split(":")[0]
    assert user != "0"
    assert f"ocint:x:{user}:" in FILE


def test_the_start_command_serves_and_its_health_check_answers(tmp_path: Path) -> None:
    import httpx

    keys = tmp_path / "keys.toml"
    keys.write_text('[keys.ann]\nkey = "a-long-key-of-anns"\n')
    words = json.loads(said("CMD")[0])
    place = {"8000": "0", "/run/secrets/ocint-keys": str(keys), "0.0.0.0": "127.0.0.1"}
    command = [sys.executable, "-m", "opencodeinterpreter", *(place.get(word, word) for word in words)]
    assert json.loads(said("ENTRYPOINT")[0]) == ["ocint"]
    server = subprocess.Popen(
        command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = server.stdout.readline().strip()
        health = json.loads(re.search(r"CMD (\[.*\])", said("HEALTHCHECK")[0])[1])
        check = [sys.executable, *(word.replace("http://127.0.0.1:8000", url) for word in health[1:])]
        assert subprocess.run(check, check=False).returncode == 0
        assert httpx.get(f"{url}/api/v1/sessions").status_code == 401
        mine = {"Authorization": "Bearer a-long-key-of-anns"}
        made = httpx.post(f"{url}/api/v1/sessions", json={}, headers=mine)
        assert (tmp_path / "sessions" / made.json()["id"] / "events.jsonl").exists()
    finally:
        server.send_signal(signal.SIGTERM)
        out, _ = server.communicate(timeout=60)
    assert server.returncode == 0
    assert "token" not in out
    assert subprocess.run(check, check=False, stderr=subprocess.DEVNULL).returncode != 0


def test_the_compose_file_fits_the_image() -> None:
    assert SERVER["image"] == f"opencodeinterpreter:{__version__}"
    (secret,) = SERVER["secrets"]
    assert f"/run/secrets/{secret}" in json.loads(said("CMD")[0])
    assert COMPOSE["secrets"][secret]["file"].startswith("${OCINT_KEYS:-")
    (volume,) = SERVER["volumes"]
    assert volume.split(":") == ["data", said("VOLUME")[0]]
    assert SERVER["ports"] == [f"127.0.0.1:{said('EXPOSE')[0]}:{said('EXPOSE')[0]}"]
    assert SERVER["read_only"] is True
    assert SERVER["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in SERVER["security_opt"]
    assert COMPOSE["services"]["vllm"]["profiles"] == ["vllm"]
    assert ":latest" not in str(COMPOSE)


def test_the_folder_for_temporary_files_has_room_for_the_largest_upload_and_download() -> None:
    from opencodeinterpreter import Limits

    (mounted,) = SERVER["tmpfs"]
    room = int(re.search(r"^/tmp:.*size=(\d+)m$", mounted)[1])
    assert room > 2 * Limits().workspace_mb
    assert int(re.search(r":-(\d+)g", SERVER["mem_limit"])[1]) * 1024 > 2 * room


@pytest.mark.parametrize("refused", ["Can't mount proc on /newroot/proc", "Can't set hostname to sandbox"])
@pytest.mark.parametrize("option", ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"])
def test_what_the_jail_needs_is_what_its_refusal_names(option: str, refused: str) -> None:
    from opencodeinterpreter.sandbox.diagnosis import Host, explain

    unmarked = Host(root=False, apparmor_restricts=False, user_namespaces=1000, unprivileged=True, container=False)
    refusal = explain(RuntimeError(f"bwrap: {refused}: Operation not permitted"), Path("bwrap"), unmarked)
    assert f"--security-opt {option}" in refusal
    assert option in SERVER["security_opt"]
