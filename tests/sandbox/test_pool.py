"""Warm kernels."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sandbox_kinds import sandbox_of

from opencodeinterpreter.errors import ConfigError, SandboxClosedError
from opencodeinterpreter.sandbox import AnySandbox, KernelPool, Limits, Sandbox

REMOTE_TOO = True


@pytest.fixture
def make(kind: str) -> Callable[[], AnySandbox]:
    return partial(sandbox_of, kind)


@pytest.mark.alone
def test_taking_a_warm_kernel_costs_milliseconds(make: Callable[[], AnySandbox]) -> None:
    with KernelPool(1, make) as pool:
        assert pool.wait_full(30)
        began = time.perf_counter()
        sandbox = pool.take()
        taken = time.perf_counter() - began
        with sandbox:
            assert sandbox.run("6 * 7").result == "42"
    assert taken < 0.05


def test_each_has_a_workspace_and_variables_of_its_own(make: Callable[[], AnySandbox]) -> None:
    with KernelPool(2, make) as pool, pool.take() as first, pool.take() as second:
        first.run("x = 1\nopen('a', 'w').write('x')")
        assert first.workspace != second.workspace
        assert second.run("'x' in globals()").result == "False"
        assert second.files() == []


def test_it_is_refilled(make: Callable[[], AnySandbox]) -> None:
    with KernelPool(1, make) as pool:
        for _ in range(3):
            assert pool.wait_full(30)
            pool.take().close()


def test_an_empty_pool_starts_a_kernel_at_once(make: Callable[[], AnySandbox]) -> None:
    with KernelPool(0, make) as pool, pool.take() as sandbox:
        assert sandbox.run("1").ok


def test_a_session_can_say_where_its_workspace_lies(kind: str, tmp_path: Path) -> None:
    numbers = iter(range(10))

    def make() -> AnySandbox:
        return sandbox_of(kind, workspace=tmp_path / f"session-{next(numbers)}" / "workspace")

    with KernelPool(1, make) as pool, pool.take() as sandbox:
        sandbox.run("open('a', 'w').write('x')")
        assert (sandbox.workspace / "a").read_text() == "x"
        assert sandbox.workspace.is_relative_to(tmp_path)


def test_a_kernel_that_died_waiting_is_not_given_out(kind: str) -> None:
    with KernelPool(1, partial(sandbox_of, kind, limits=Limits(idle_seconds=0.4))) as pool:
        assert pool.wait_full(30)
        time.sleep(2)
        with pool.take() as sandbox:
            assert sandbox.run("1").ok


def test_many_can_take_at_once(make: Callable[[], AnySandbox]) -> None:
    results: list[str | None] = []

    def use() -> None:
        with pool.take() as sandbox:
            results.append(sandbox.run("6 * 7").result)

    with KernelPool(2, make) as pool:
        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == ["42"] * 4


def test_what_cannot_be_made_fails_where_it_is_asked_for() -> None:
    with KernelPool(1, partial(Sandbox, backend="nosuch")) as pool, pytest.raises(ConfigError, match="nosuch"):
        pool.take()


def test_a_closed_pool_gives_nothing(make: Callable[[], AnySandbox]) -> None:
    pool = KernelPool(1, make)
    pool.close()
    pool.close()
    with pytest.raises(SandboxClosedError):
        pool.take()
