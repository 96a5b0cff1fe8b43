"""The checks of ``ocint doctor``."""

from __future__ import annotations

import json
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.consoles import look, out_console
from opencodeinterpreter.cli.spinner import Spinner
from opencodeinterpreter.cli.tables import print_table
from opencodeinterpreter.cli.text import one_line, short_path, size
from opencodeinterpreter.config import Config, config_path, load_config, model_settings
from opencodeinterpreter.errors import ConfigError, OcintError

State = Literal["ok", "warn", "fail"]
_PACKAGES = ("numpy", "pandas", "matplotlib", "scipy", "sympy", "sklearn", "seaborn", "PIL", "openpyxl")
_NEEDED_DISK = 2_000_000_000
_PROBE = f"""
import importlib.util, json, socket
lost = [name for name in {_PACKAGES!r} if importlib.util.find_spec(name) is None]
try:
    socket.create_connection(("192.0.2.1", 9), timeout=0.5).close()
    network = "open"
except TimeoutError:
    network = "open"
except OSError as error:
    network = "closed"
print(json.dumps({{"lost": lost, "network": network}}))
"""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    what: str
    state: State
    detail: str
    mend: str = ""
    """What would make it work."""


def examine(flags: dict[str, Any], online: bool, json_lines: bool) -> bool:
    """Do every check and print what each finds; return whether all that is needed works."""
    out = out_console()
    spinner = Spinner(Console(file=sys.stderr))
    good = True

    def working(label: str) -> None:
        spinner.wait_for(label)
        spinner.tick()

    for finding in _findings(flags, online, working):
        spinner.clear()
        good = good and finding.state != "fail"
        if json_lines:
            row = {"what": finding.what, "state": finding.state, "detail": finding.detail, "mend": finding.mend}
            print(json.dumps(row), flush=True)  # noqa: T201
        else:
            _print(out, finding)
    spinner.clear()
    return good


def show_settings(flags: dict[str, Any], json_lines: bool) -> bool:
    """Print every setting with where it comes from.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    config = load_config(flags)
    if json_lines:
        for key, value in config.items():
            plain = str(value) if isinstance(value, Path) else value
            print(json.dumps({"key": key, "value": plain, "source": config.sources[key]}))  # noqa: T201
        return True
    out = out_console()
    rows = [
        [key, "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value),
         config.sources[key]]
        for key, value in config.items()
    ]  # fmt: skip
    print_table(["setting", "value", "from"], rows, out)
    path = config_path()
    out.print(Text(f"File: {path}" + ("" if path.exists() else " (not there; all settings are optional)")))
    return True


def _findings(flags: dict[str, Any], online: bool, working: Callable[[str], None]) -> Iterator[Finding]:
    yield _python()
    yield _platform()
    try:
        config = load_config(flags)
    except ConfigError as error:
        yield Finding("configuration", "fail", str(error), "correct it; no setting is needed")
        return
    path = config_path()
    yield Finding("configuration", "ok", short_path(path) if path.exists() else "defaults; there is no file")
    working("looking at the sandbox")
    isolation = _isolation(config)
    yield isolation
    if isolation.state != "fail":
        working("starting a kernel")
        yield from _kernel(config)
    working("looking at the model")
    yield _model(config)
    if online:
        working("asking the sources of models")
        yield from _sources(config)
    yield _folder("sessions", config.sessions_folder)
    yield _folder("models", config.models_folder)
    yield _terminal(config)


def _python() -> Finding:
    version = platform.python_version()
    if (3, 11) <= sys.version_info < (3, 15):
        return Finding("Python", "ok", version)
    return Finding("Python", "fail", version, "install Python 3.11 to 3.14")


def _platform() -> Finding:
    name = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if platform.system() == "Linux":
        return Finding("system", "ok", name)
    return Finding("system", "warn", name, 'untested; code runs in a container only (backend = "docker")')


def _isolation(config: Config) -> Finding:
    from opencodeinterpreter.cli.workbench import isolation

    if config.backend == "none":
        source = config.sources["backend"]
        return Finding(
            "isolation", "warn", f"none: code runs with all your rights ({source})", 'backend = "bubblewrap"'
        )
    if config.backend == "ray":
        return Finding("isolation", "ok", "bubblewrap, on the machines of a Ray cluster")
    try:
        backend = isolation(config)
        backend.check()
    except OcintError as error:
        return Finding("isolation", "fail", str(error), "or, with all its risks: --no-sandbox")
    described: dict[str, str] = getattr(backend, "describe", dict)()
    way = f", {described['way']}" if "way" in described else ""
    return Finding("isolation", "ok", config.backend + way)


def _kernel(config: Config) -> Iterator[Finding]:
    from opencodeinterpreter.cli.workbench import open_sandbox

    began = time.monotonic()
    try:
        with open_sandbox(config) as sandbox:
            sandbox.wait_ready()
            spent = time.monotonic() - began
            result = sandbox.run(_PROBE, wall_seconds=30) if sandbox.language == "python" else None
            language = sandbox.language
    except OcintError as error:
        yield Finding("kernel", "fail", str(error))
        return
    where = config.kernel or (str(config.python) if config.python else sys.executable)
    if config.backend == "docker":
        where = "python3 of the image"
    yield Finding("kernel", "ok", f"{language}, ready in {spent:.1f} s ({where})")
    if result is None:
        return
    try:
        told = json.loads(result.stdout)
    except ValueError:
        yield Finding(
            "packages", "fail", f"the kernel does not run code: {one_line(result.stderr or str(result.error))}"
        )
        return
    lost = told["lost"]
    if lost:
        names = ", ".join(lost).replace("sklearn", "scikit-learn").replace("PIL", "pillow")
        install = "pip install " + names.replace(",", "")
        if config.backend == "docker":
            install = f"build an image with: {install}"
        elif not config.kernel:
            install = f"{where} -m {install}"
        yield Finding("packages", "warn", f"code will miss {names}", install)
    else:
        yield Finding("packages", "ok", f"all {len(_PACKAGES)} of the data-science set are there")
    yield _network(config, told["network"])


def _network(config: Config, found: str) -> Finding:
    if config.backend == "none":
        return Finding("network", "warn", "code can use the network, since nothing isolates it")
    if config.network:
        return Finding("network", "warn", f"code may use the network ({config.sources['network']})")
    if found == "open":
        return Finding("network", "fail", "code can reach the network although it must not")
    return Finding("network", "ok", "code cannot reach it")


def _model(config: Config) -> Finding:
    from opencodeinterpreter.models.catalog import ModelFile
    from opencodeinterpreter.models.download import list_models
    from opencodeinterpreter.models.own_models import find_model, known_models, own_path

    name = config.model
    settings = model_settings(config)
    if name.startswith("openai:"):
        url = settings.endpoint.base_url or "the SDK's own address"
        if settings.endpoint.api_key is None:
            return Finding("model", "warn", f"{name} at {url}", "set OPENAI_API_KEY if the endpoint needs a key")
        return Finding("model", "ok", f"{name} at {url}")
    if name.lower().endswith(".gguf"):
        path = Path(name).expanduser()
        if path.is_file():
            return Finding("model", "ok", f"{short_path(path)}, {size(path.stat().st_size)}")
        return Finding("model", "fail", f"there is no file {name}", "name another with -m or in the configuration")
    if ":" in name or (name.lower() not in known_models(settings.sources) and "/" in name):
        return Finding("model", "ok", f"{name} is looked for when it is used")
    try:
        entry = find_model(name, settings.sources)
    except OcintError as error:
        return Finding("model", "fail", str(error))
    if own := own_path(entry):
        return Finding("model", "ok", f"{entry.name}, your own: {short_path(own)}")
    state = next(state for state in list_models(settings.sources) if state.entry.name == entry.name)
    if not isinstance(entry, ModelFile):
        return Finding("model", "ok", f"{entry.name} is taken from the hub when it is used")
    if state.path is None:
        amount = f", {size(entry.size)}" if entry.size else ""
        pull = f"ocint models pull {entry.name}"
        return Finding("model", "warn", f"{entry.name} is not here yet{amount}; fetched on first use", pull)
    if not state.verified:
        return Finding("model", "warn", f"{entry.name} has not been checked", f"ocint models verify {entry.name}")
    return Finding("model", "ok", f"{entry.name}, {size(state.path.stat().st_size)}, verified")


def _sources(config: Config) -> Iterator[Finding]:
    import httpx

    sources = model_settings(config).sources
    for what, url in (("hub", sources.hub_url), *(("package index", url) for url in sources.index_urls)):
        if url is None:
            yield Finding(what, "ok", "switched off")
            continue
        host = httpx.URL(url).host
        try:
            verify = str(sources.certificates) if sources.certificates else True
            httpx.head(url, timeout=sources.connect_seconds, follow_redirects=True, verify=verify)
        except (httpx.HTTPError, OSError) as error:
            yield Finding(
                what, "warn", f"{host} does not answer ({type(error).__name__})", "needed only to fetch models"
            )
        else:
            yield Finding(what, "ok", f"{host} answers")


def _folder(what: str, folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".ocint-doctor"
        probe.write_bytes(b"")
        probe.unlink()
        free = shutil.disk_usage(existing).free
    except OSError as error:
        return Finding(what, "fail", f"{folder} cannot be written: {error.strerror}", f"set {what}_folder to another")
    shown = f"{short_path(folder)}, {size(free)} free"
    if free < _NEEDED_DISK:
        return Finding(what, "warn", shown, f"make room, or set {what}_folder to another disk")
    return Finding(what, "ok", shown)


def _terminal(config: Config) -> Finding:
    out = out_console()
    if not out.is_terminal:
        return Finding("terminal", "ok", "none; plain text is written")
    colours = out.color_system or "no"
    pictures = look(config).images
    drawn = f"figures are drawn ({pictures})" if pictures != "none" else "figures are saved and linked"
    return Finding("terminal", "ok", f"{out.width} columns, {colours} colours, {drawn}")


def _print(out: Console, finding: Finding) -> None:
    style = {"ok": "green", "warn": "yellow", "fail": "bold red"}[finding.state]
    line = Text(f"{finding.state:<5}", style=style).append(f"{finding.what:<15}", style="bold not dim")
    out.print(line.append(one_line(finding.detail, 1000), style="default not bold"), soft_wrap=True)
    if finding.mend:
        out.print(Text(" " * 20 + "→ ", style="dim").append(one_line(finding.mend, 1000)), soft_wrap=True)
