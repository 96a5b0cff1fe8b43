"""The question for a package in the page: nothing is fetched before a person has said yes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_client import PageClient
from page_server import PageServer
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def installing(tmp_path: Path) -> Iterator[PageServer]:
    """A server that may install, whose package index is a folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    about = "ocint_greeting-1.0.dist-info"
    with zipfile.ZipFile(wheels / "ocint_greeting-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("ocint_greeting.py", "TEXT = 'hello from a wheel'\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: ocint-greeting\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": "/dev/null"}
    server = PageServer(tmp_path / "page", words=["--allow-install"], guarded=False, environment=index)
    yield server
    server.end()


def test_a_package_is_fetched_only_after_a_yes(chromium: Browser, installing: PageServer) -> None:
    client = PageClient(chromium, installing)
    client.enter()
    client.choose("install")
    client.say("Greet")
    request = client.page.locator(".request")
    expect(request).to_contain_text("needs the package “ocint_greeting”")
    packages = installing.sessions / client.session / "packages"
    assert list(packages.glob("*")) == []
    client.page.reload()
    expect(request).to_contain_text("needs the package “ocint_greeting”")
    request.get_by_role("button", name="Do not install").click()
    client.ended()
    assert list(packages.glob("*")) == []
    expect(client.turn).to_contain_text("ModuleNotFoundError")

    client.page.click("#new")
    client.choose("install")
    client.say("Greet")
    request.get_by_role("button", name="Install", exact=True).click()
    client.ended()
    expect(client.turn.locator(".stream")).to_contain_text("hello from a wheel")
    assert (installing.sessions / client.session / "packages" / "ocint_greeting.py").exists()
    assert client.elsewhere == client.complaints == []
    client.close()
