"""No probe gets anything out of a jail, on either way of starting one; nearly all do where there is none."""

from __future__ import annotations

import os
from functools import cache

import measure
import pytest
from measure import PROBES, Verdict
from probing.probe import Probe

VACUOUS = {
    "make a block device": "no user namespace may",
    "ask for the kernel's log": "kept from user namespaces on many systems",
    "list the kernel's keys": "a throw-away host has none of its own",
    "reach the internet": "a throw-away host has none",
    "advise its parent's memory": "asks for a right over the whole machine",
    "go before others": "asks for a right over the whole machine",
    "run in real time": "asks for a right over the whole machine",
    "doors in /proc": "the files are real root's",
    "gain rights by executing": "bubblewrap itself always forbids it",
    "join groups": "no user namespace of an ordinary user may",
    "call by the x32 convention": "few kernels have it",
    "take the controlling terminal": "there is none",
    "call perf_event_open": "kept from ordinary users on many systems",
    "call open_by_handle_at": "asks for a right over the whole machine",
    "call swapon": "asks for a right over the whole machine",
    "call kexec_load": "asks for a right over the whole machine",
    "call init_module": "asks for a right over the whole machine",
    "call delete_module": "asks for a right over the whole machine",
    "call acct": "asks for a right over the whole machine",
    "call iopl": "asks for a right over the whole machine",
    "call vhangup": "asks for a right over the whole machine",
}
"""Probes that achieve nothing even where nothing keeps them, each with the reason."""
DEPENDS_ON_THE_KERNEL = {
    "vsock",
    "raw packets",
    "rare socket families",
    "rare internet protocols",
    "call by the 32-bit convention",
    "call bpf",
    "call io_uring_setup",
    "call memfd_secret",
    "call modify_ldt",
    "call userfaultfd",
    "call quotactl",
    "call fanotify_init",
    "keep memory in POSIX messages",
    "lock memory",
    "read addresses of the kernel",
    "compare itself with its parent",
    "type into a terminal",
}
"""Probes of things that a kernel may be built or set up without."""

WAYS = ("root", "ordinary user")


@cache
def jailed(way: str) -> dict[str, Verdict]:
    if (way == "root") is (os.geteuid() == 0):
        return measure.contained()
    return measure.elsewhere("contained")


@cache
def control() -> dict[str, Verdict]:
    return measure.elsewhere("loosened", throwaway=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: f"{probe.group}: {probe.name}")
def test_the_jail_holds(probe: Probe, way: str) -> None:
    if way == "root" and os.geteuid() != 0:
        pytest.skip("only root can start a jail as root")
    verdict = jailed(way)[probe.name]

    assert not verdict.flagged, f"outside: {verdict.outside}; it says: {verdict.said}"


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: f"{probe.group}: {probe.name}")
def test_the_probe_can_fail(probe: Probe) -> None:
    if probe.name in VACUOUS:
        pytest.skip(f"vacuous here: {VACUOUS[probe.name]}")
    if probe.alone:
        pytest.skip("would end the control itself")
    verdict = control()[probe.name]
    if not verdict.flagged and probe.name in DEPENDS_ON_THE_KERNEL:
        pytest.skip(f"vacuous on this kernel: {verdict.error}")

    assert verdict.flagged, f"it achieved nothing where nothing keeps it: {verdict.error}"


def test_most_probes_can_fail() -> None:
    flagged = sum(verdict.flagged for verdict in control().values())

    assert flagged > len(PROBES) / 2
    assert set(VACUOUS) | DEPENDS_ON_THE_KERNEL <= {probe.name for probe in PROBES}


def test_the_control_never_runs_on_a_real_host() -> None:
    with pytest.raises(AssertionError, match="never on a real host"):
        measure.loosened()
