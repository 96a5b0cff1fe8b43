"""Where models come from and which endpoint serves them, as values that are passed in."""

from __future__ import annotations

import configparser
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opencodeinterpreter.errors import UnknownModelError

HUB_URL = "https://huggingface.co"
INDEX_URL = "https://pypi.org/simple"


def default_folder() -> Path:
    """Return the folder in which downloaded models are kept unless another one is asked for."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("opencodeinterpreter")) / "models"


@dataclass(frozen=True)
class Sources:
    """Where a model is fetched from and where it is kept."""

    folder: Path = field(default_factory=default_folder)
    hub_url: str | None = HUB_URL
    """None: the hub is not asked."""
    hub_token: str | None = field(default=None, repr=False)
    index_urls: tuple[str, ...] = field(default=(INDEX_URL,), repr=False)
    """Simple-API addresses, tried in order; may hold credentials, so they are never shown whole."""
    certificates: Path | None = None
    """A file of certificate authorities to trust besides the system's."""
    connect_seconds: float = 4.0
    """How long a source may take to answer before the next one is asked."""
    read_seconds: float = 15.0
    """How long a download may stand still before it is taken up again."""


@dataclass(frozen=True)
class Endpoint:
    """A server that speaks the OpenAI chat API."""

    base_url: str | None = None
    """None: the SDK's own default."""
    api_key: str | None = field(default=None, repr=False)
    connect_seconds: float = 10.0
    first_token_seconds: float = 300.0
    """How long the first text may take; a local server reads the whole prompt before it."""
    idle_seconds: float = 60.0
    """How long a reply may stand still between two pieces of text."""
    vision: bool = False
    """Whether its model can be shown pictures; the API does not tell."""
    retries: int = 4
    """Further tries after a failure that may pass, before the first text only."""


@dataclass(frozen=True)
class ModelSettings:
    """All that loading a model depends on besides its name."""

    sources: Sources = field(default_factory=Sources)
    endpoint: Endpoint = field(default_factory=Endpoint)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    """Further servers by the names that ``openai:MODEL@NAME`` has for them."""

    def served(self, model: str) -> tuple[str, Endpoint]:
        """Return what a server calls a model, and the server: of ``MODEL@NAME`` the named one.

        Where no servers have names, an ``@`` is a part of the model's.

        Raises:
            UnknownModelError: if no server has that name.
        """
        plain, at, name = model.rpartition("@")
        if not at or not self.endpoints:
            return model, self.endpoint
        if not plain or name not in self.endpoints:
            known = ", ".join(sorted(self.endpoints))
            raise UnknownModelError(f"openai:{model} names a model of the endpoint {name!r}: there is only {known}")
        return plain, self.endpoints[name]


def sources_from_environment(environ: Mapping[str, str]) -> Sources:
    """Read the variables and files by which people already name their hub, mirror and certificates.

    ``OCINT_MODELS_FOLDER``; ``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HUB_OFFLINE``; ``UV_DEFAULT_INDEX``,
    ``UV_INDEX_URL``, ``PIP_INDEX_URL``, ``UV_EXTRA_INDEX_URL``, ``PIP_EXTRA_INDEX_URL`` or pip's
    configuration files; ``SSL_CERT_FILE``, ``REQUESTS_CA_BUNDLE``, ``PIP_CERT``.
    """
    pip = _pip_configuration(environ)
    folder = environ.get("OCINT_MODELS_FOLDER")
    offline = environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
    certificates = _first(environ, "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT") or pip.get("cert")
    return Sources(
        folder=Path(folder).expanduser() if folder else default_folder(),
        hub_url=None if offline else (environ.get("HF_ENDPOINT") or HUB_URL).rstrip("/"),
        hub_token=environ.get("HF_TOKEN") or None,
        index_urls=_index_urls(environ, pip),
        certificates=Path(certificates) if certificates else None,
    )


def endpoint_from_environment(environ: Mapping[str, str]) -> Endpoint:
    """Read ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``."""
    return Endpoint(base_url=environ.get("OPENAI_BASE_URL") or None, api_key=environ.get("OPENAI_API_KEY") or None)


def settings_from_environment(environ: Mapping[str, str]) -> ModelSettings:
    """Read all settings of this package."""
    return ModelSettings(sources_from_environment(environ), endpoint_from_environment(environ))


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


def _index_urls(environ: Mapping[str, str], pip: Mapping[str, str]) -> tuple[str, ...]:
    main = _first(environ, "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") or pip.get("index-url")
    extra = _first(environ, "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL") or pip.get("extra-index-url", "")
    # uv writes "name=https://..." where a name is given.
    named = [url.split("=", 1)[1] if "=http" in url else url for url in (main or INDEX_URL).split()]
    urls = [url.rstrip("/") for url in (*named, *extra.split()) if url.startswith(("http://", "https://"))]
    return tuple(dict.fromkeys(urls))


def _pip_configuration(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of pip's files that matter here; the later file wins, as with pip."""
    home = Path(environ.get("HOME") or Path.home())
    configured = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    named = environ.get("PIP_CONFIG_FILE")
    files = [
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        configured / "pip" / "pip.conf",
        Path(sys.prefix) / "pip.conf",
        *([Path(named)] if named else []),
    ]
    found: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            # A broken file of another program is that program's matter: the defaults serve.
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    return found
