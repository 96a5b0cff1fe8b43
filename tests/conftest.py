"""What tests of several packages need."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from beside import Turns
from browser_pipe import Browser

from opencodeinterpreter.models import ChatModel, load_model, pull, sources_from_environment

SMALL_MODEL = "qwen2.5-coder-0.5b"

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


def pytest_configure(config: pytest.Config) -> None:
    """Make the tests of several workers wait for each other where they have to."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Turns(config.cache.mkdir("turns")))


@pytest.fixture(scope="session")
def small_model_path() -> Path:
    """The 0.5B model's file, out of the ordinary cache; fetched if it is not there."""
    return pull(SMALL_MODEL, sources_from_environment(os.environ))


@pytest.fixture(scope="session")
def small_model(small_model_path: Path) -> Iterator[ChatModel]:
    """The 0.5B model, loaded once for the whole run."""
    model = load_model(SMALL_MODEL, context_tokens=8192)
    yield model
    model.close()


@pytest.fixture(scope="session")
def opened_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the whole run: starting it takes longer than most tests with it."""
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def browser(opened_browser: Browser) -> Browser:
    """A window of ordinary size, light, and nothing noted yet of what it asked for and complained of."""
    opened_browser.shape(1360, 900, "light")
    opened_browser.requests.clear()
    opened_browser.complaints.clear()
    return opened_browser


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was skipped by reason: pytest's own list has a line for every test, and hides what failed."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple)
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}")
