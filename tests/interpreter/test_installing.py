"""Packages that code misses are installed for its session: from wheels that are there, or after asking."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencodeinterpreter import Interpreter, Sandbox, ScriptedModel
from opencodeinterpreter.errors import InputError, PackageError
from opencodeinterpreter.interpreter import Answer, Event, InstallRequest, Notice
from opencodeinterpreter.sandbox.packages import PackageFolder, distribution_of

CODE = "```python\nimport ocint_greeting\nprint(ocint_greeting.TEXT)\n```"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two wheels, of which the one needs the other."""
    folder = tmp_path_factory.mktemp("wheels")
    _make_wheel(folder, "ocint_greeting", "from ocint_word import WORD\nTEXT = WORD + ' from a wheel'\n", "ocint-word")
    _make_wheel(folder, "ocint_word", "WORD = 'hello'\n")
    return folder


@pytest.fixture
def index(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package index on this machine, which pip is set up to use."""
    for wheel in wheels.glob("*.whl"):
        project = tmp_path / "simple" / wheel.name.partition("-")[0].replace("_", "-")
        project.mkdir(parents=True)
        (project / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
        (project / wheel.name).write_bytes(wheel.read_bytes())
    handler = functools.partial(_Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/simple"
        monkeypatch.setenv("PIP_INDEX_URL", address)
        monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        yield address
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing is written to the test's output."""


def _make_wheel(folder: Path, module: str, source: str, requires: str | None = None) -> None:
    about = f"{module}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n"
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}.py", source)
        wheel.writestr(f"{about}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


def _turn(packages: PackageFolder | None, decide: str = "approve") -> tuple[list[Event], ScriptedModel]:
    model = ScriptedModel([CODE, "Done.", "Done."])
    events: list[Event] = []
    folder = packages.folder if packages else None
    with Sandbox(packages=folder) as sandbox, Interpreter(model, sandbox=sandbox, packages=packages) as it:
        for event in it.stream("Greet."):
            events.append(event)
            if isinstance(event, InstallRequest):
                event.approve() if decide == "approve" else event.reject()
    return events, model


def test_a_missing_package_comes_from_the_folder_of_wheels_without_asking(wheels: Path, tmp_path: Path) -> None:
    events, model = _turn(PackageFolder(tmp_path / "packages", wheels=wheels))
    assert not any(isinstance(event, InstallRequest) for event in events)
    assert "hello from a wheel" in model.requests[1][-1].content
    told = [event.text for event in events if isinstance(event, Notice) and event.kind == "installed"]
    assert len(told) == 1
    assert "ocint-greeting==1.0" in told[0]
    assert "ocint-word==1.0" in told[0]


def test_from_the_index_it_comes_only_if_a_person_approves(index: str, tmp_path: Path) -> None:
    events, model = _turn(PackageFolder(tmp_path / "one", index=True))
    asked = [event for event in events if isinstance(event, InstallRequest)]
    assert [event.package for event in asked] == ["ocint_greeting"]
    assert asked[0].to_json() == {"type": "install_request", "round": 0, "package": "ocint_greeting"}
    assert "hello from a wheel" in model.requests[1][-1].content
    events, model = _turn(PackageFolder(tmp_path / "two", index=True), decide="reject")
    assert "is not installed in the sandbox" in model.requests[1][-1].content
    assert isinstance(events[-1], Answer)
    assert not (tmp_path / "two" / "ocint_greeting.py").exists()


def test_what_cannot_be_had_is_said_and_the_turn_goes_on(index: str, tmp_path: Path) -> None:
    model = ScriptedModel(["```python\nimport ocint_no_such_thing\n```", "Sorry.", "Sorry."])
    packages = PackageFolder(tmp_path / "packages", index=True)
    with Sandbox(packages=packages.folder) as sandbox, Interpreter(model, sandbox=sandbox, packages=packages) as it:
        told = []
        for event in it.stream("Go."):
            if isinstance(event, InstallRequest):
                event.approve()
            if isinstance(event, Notice):
                told.append((event.kind, event.text))
    assert told[1][0] == "not installed"
    assert "ocint_no_such_thing cannot be installed" in told[1][1]


def test_without_leave_nothing_is_asked_or_installed() -> None:
    events, model = _turn(None)
    assert not any(isinstance(event, InstallRequest) for event in events)
    assert "is not installed in the sandbox" in model.requests[1][-1].content


def test_code_inside_cannot_change_what_was_installed(wheels: Path, tmp_path: Path) -> None:
    packages = PackageFolder(tmp_path / "packages", wheels=wheels)
    packages.install("ocint-greeting")
    with Sandbox(packages=packages.folder) as sandbox:
        result = sandbox.run("import ocint_word\nopen(ocint_word.__file__, 'w').write('x')")
        assert result.error is not None
        assert result.error.name in {"OSError", "PermissionError"}
    assert (packages.folder / "ocint_word.py").read_text() == "WORD = 'hello'\n"


def test_an_installed_package_is_there_after_a_resume(wheels: Path, tmp_path: Path) -> None:
    PackageFolder(tmp_path / "packages", wheels=wheels).install("ocint_greeting")
    with Sandbox(packages=tmp_path / "packages") as sandbox:
        assert sandbox.run("import ocint_greeting as g; print(g.TEXT)").stdout == "hello from a wheel\n"


@pytest.mark.parametrize("name", ["--index-url=http://x", "a b", "../x", "x @ http://y", "", "-e .", "x;y"])
def test_only_names_are_installed(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not the name of a package"):
        PackageFolder(tmp_path, index=True).install(name)


def test_a_wheel_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"not a zip file")
    with pytest.raises(PackageError, match="broken cannot be installed"):
        PackageFolder(tmp_path / "packages", wheels=tmp_path).install("broken")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of wheels"):
        PackageFolder(tmp_path, wheels=tmp_path / "none")


def test_a_module_is_looked_for_under_the_name_that_the_index_knows() -> None:
    assert distribution_of("yaml") == "PyYAML"
    assert distribution_of("cv2.dnn") == "opencv-python-headless"
    assert distribution_of("tabulate") == "tabulate"
