"""What the backend ``docker`` asks of an engine's command line, and says when it is not answered; needs no engine."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.resources import files
from pathlib import Path

import psutil
import pytest

from opencodeinterpreter.errors import ConfigError, SandboxUnavailableError
from opencodeinterpreter.sandbox import Limits, Sandbox
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.docker import DockerBackend
from opencodeinterpreter.sandbox.docker_engine import default_image, find_engine, new_name

ENGINE = f"""#!{sys.executable} -I
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "calls"), "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
what = sys.argv[1]
if what == "version":
    print("Client: NAME\\n Version: 1")
    sys.exit(VERSION)
if what == "image":
    sys.exit(IMAGE)
if what == "ps":
    print(open(os.path.join(here, "left")).read())
if what == "run":
    sys.exit("engine: no such thing")
"""


class Program:
    """An engine's command line that notes what it is called with, and starts nothing."""

    def __init__(self, folder: Path, name: str = "Docker Engine", version: int = 0, image: int = 0) -> None:
        self.path = folder / "engine"
        text = ENGINE.replace("NAME", name).replace("VERSION", str(version)).replace("IMAGE", str(image))
        self.path.write_text(text)
        self.path.chmod(0o755)
        (folder / "left").write_text("")

    def calls(self, what: str) -> list[list[str]]:
        lines = (self.path.parent / "calls").read_text().splitlines()
        return [call for call in map(json.loads, lines) if call[0] == what]


def started(program: Program, folder: Path, image: str | None = None, **options: object) -> list[str]:
    """Return the options of the one ``run`` that a launch asks for."""
    for name in ("workspace, of mine", "runtime"):
        (folder / name).mkdir()
    spec = LaunchSpec(["python3"], folder / "workspace, of mine", folder / "runtime", **options)  # type: ignore[arg-type]
    with pytest.raises(SandboxUnavailableError, match="no such thing"):
        DockerBackend(program.path, image).launch(spec)
    (call,) = program.calls("run")
    return call


def value(call: list[str], option: str) -> str:
    return call[call.index(option) + 1]


def test_a_container_is_confined(tmp_path: Path) -> None:
    call = started(Program(tmp_path), tmp_path, limits=Limits(memory_mb=512, processes=64, open_files=100))

    assert {"--rm", "--interactive", "--read-only"} <= set(call)
    assert value(call, "--cap-drop") == "ALL"
    assert value(call, "--security-opt") == "no-new-privileges"
    assert value(call, "--network") == "none"
    assert value(call, "--pids-limit") == "65"
    assert value(call, "--memory") == value(call, "--memory-swap")
    assert int(value(call, "--memory").removesuffix("b")) >= 512 << 20
    assert "nofile=100:100" in call
    assert value(call, "--user").split(":")[0] != "0"
    assert call.count("--mount") == 1
    assert value(call, "--mount") == f'type=bind,"source={tmp_path}/workspace, of mine",target=/workspace'
    assert default_image() in call
    assert not any(secret in word for word in call for secret in (os.environ["PATH"], str(tmp_path / "runtime")))


def test_the_network_is_there_if_asked_for(tmp_path: Path) -> None:
    assert "--network" not in started(Program(tmp_path), tmp_path, network=True)


def test_limits_can_be_off(tmp_path: Path) -> None:
    limits = Limits(memory_mb=None, processes=None, open_files=None, workspace_mb=None)
    call = started(Program(tmp_path), tmp_path, limits=limits)

    assert not {"--memory", "--pids-limit"} & set(call)


def test_podman_brings_no_proxy_and_no_more_places_to_write(tmp_path: Path) -> None:
    call = started(Program(tmp_path, "Podman Engine"), tmp_path)

    assert {"--http-proxy=false", "--read-only-tmpfs=false"} <= set(call)


def test_another_image_is_used(tmp_path: Path) -> None:
    assert "mine:1" in started(Program(tmp_path), tmp_path, image="mine:1")


def test_no_engine_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(SandboxUnavailableError, match="neither Docker nor Podman is installed"):
        find_engine()


def test_an_engine_that_is_not_there() -> None:
    with pytest.raises(SandboxUnavailableError, match='"/nowhere/docker" is not installed'):
        DockerBackend("/nowhere/docker").check()


def test_an_engine_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailableError, match=r"does not answer .*: start it"):
        DockerBackend(Program(tmp_path, version=1).path).check()


def test_podman_is_used_where_docker_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("docker", 1), ("podman", 0)):
        (tmp_path / name).mkdir()
        Program(tmp_path / name, "Podman Engine", version).path.rename(tmp_path / name / name)
    monkeypatch.setenv("PATH", f"{tmp_path}/docker:{tmp_path}/podman")

    assert find_engine().program == tmp_path / "podman/podman"


def test_a_missing_image_comes_with_the_line_that_builds_it(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailableError) as caught:
        DockerBackend(Program(tmp_path, image=1).path).check()

    line = str(caught.value).rpartition(": ")[2]
    assert line.startswith(f"engine build --tag {default_image()} /")
    assert (Path(line.split()[-1]) / "Dockerfile").is_file()


def test_a_missing_image_of_ones_own_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailableError, match="no image mine:2"):
        DockerBackend(Program(tmp_path, image=1).path, "mine:2").check()


def test_what_a_dead_program_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    program = Program(tmp_path)
    mine = new_name()
    dead = mine.replace(f"-{os.getpid()}-", f"-{2**22 + 1}-")
    reused = mine.replace(f"-{int(psutil.Process().create_time())}-", "-1000000000-")
    elsewhere = re.sub(r"ocint-\w+-", "ocint-0123456789ab-", dead)
    (tmp_path / "left").write_text("\n".join([mine, dead, reused, elsewhere, "ocint-own", "database"]))
    DockerBackend(program.path).check()

    assert program.calls("rm") == [["rm", "--force", dead, reused]]


@pytest.mark.parametrize("option", [{"python": sys.executable}, {"kernel": "python3"}])
def test_an_interpreter_of_the_host_is_refused(tmp_path: Path, option: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="docker_image"):
        Sandbox(backend=DockerBackend(Program(tmp_path).path), **option)  # type: ignore[arg-type]


def test_the_image_has_the_packages_that_the_project_is_tested_with() -> None:
    root = Path(__file__).parents[2]
    locked = (root / "requirements/base.txt").read_text()
    image = files("opencodeinterpreter.sandbox").joinpath("image", "requirements.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z])", image)[1:]

    assert len(blocks) > 40
    assert [block.splitlines()[0] for block in blocks if block.strip() not in locked] == []
