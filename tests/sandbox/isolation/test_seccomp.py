"""The filter's verdicts, by running its instructions; what they do to real programs is for the probes."""

from __future__ import annotations

import errno
import struct

import pytest

from opencodeinterpreter.sandbox import seccomp
from opencodeinterpreter.sandbox.syscalls import MACHINES, audit_architecture, number

ALLOWED = 0
GETPID = {"x86_64": 39, "aarch64": 172}


def verdict(machine: str, call: int, *arguments: int, architecture: int | None = None, network: bool = False) -> int:
    """Return 0 for an allowed system call, else the error that it gets."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    architecture = audit_architecture(machine) if architecture is None else architecture
    data = struct.pack("<IIQ6Q", call, architecture, 0, *values)
    program = [*struct.iter_unpack("=HBBI", seccomp.program(network, machine))]
    accumulator = place = 0
    while True:
        code, if_true, if_false, operand = program[place]
        place += 1
        if code == 0x20:
            accumulator = struct.unpack_from("<I", data, operand)[0]
        elif code == 0x06:
            return operand & 0xFFFF if operand >> 16 == 0x0005 else {0x7FFF0000: ALLOWED}[operand]
        else:
            holds = {0x15: accumulator == operand, 0x25: accumulator > operand, 0x45: bool(accumulator & operand)}[code]
            place += if_true if holds else if_false


def called(machine: str, name: str, *arguments: int, network: bool = False) -> int:
    call = number(name, machine)
    assert call is not None
    return verdict(machine, call, *arguments, network=network)


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_other_conventions_are_unknown(machine: str) -> None:
    assert verdict(machine, GETPID[machine]) == ALLOWED
    assert verdict(machine, GETPID[machine], architecture=0x40000003) == errno.ENOSYS
    assert verdict(machine, GETPID[machine] | 0x40000000) == errno.ENOSYS
    assert verdict(machine, 467) == errno.ENOSYS
    assert verdict(machine, 0xFFFFFFFF) == errno.ENOSYS


@pytest.mark.parametrize("name", ["keyctl", "bpf", "ptrace", "mount", "setns", "open_by_handle_at", "kexec_load"])
def test_refused(machine: str, name: str) -> None:
    assert called(machine, name) == errno.EPERM


@pytest.mark.parametrize("name", ["clone3", "io_uring_setup", "memfd_create", "openat2", "shmget"])
def test_absent(machine: str, name: str) -> None:
    assert called(machine, name) == errno.ENOSYS


@pytest.mark.parametrize("flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
def test_namespaces(machine: str, flag: int) -> None:
    assert called(machine, "clone", flag | 17) == errno.EPERM
    assert called(machine, "unshare", flag) == errno.EPERM
    assert called(machine, "unshare", 0x80) == errno.EPERM
    assert called(machine, "clone", 0x3D0F00) == ALLOWED, "a thread"
    assert called(machine, "unshare", 0x400) == ALLOWED


def test_terminals(machine: str) -> None:
    for command in (0x5412, 0x541C, 0x5412 | 1 << 32, 0x541C | 0xFFFF << 40):
        assert called(machine, "ioctl", 0, command) == errno.EPERM
    assert called(machine, "ioctl", 0, 0x5401) == ALLOWED


def test_sockets(machine: str) -> None:
    assert [called(machine, "socket", family, 1) for family in (1, 2, 10)] == [ALLOWED] * 3
    assert called(machine, "socket", 2, 2, 17) == ALLOWED
    assert called(machine, "socket", 2, 1, 132) == errno.EPROTONOSUPPORT
    assert called(machine, "socket", 10, 1, 262) == errno.EPROTONOSUPPORT
    refused = {called(machine, "socket", family, 1) for family in range(46) if family not in (1, 2, 10)}
    assert refused == {errno.EAFNOSUPPORT}
    assert called(machine, "socketpair", 1, 1) == ALLOWED
    assert called(machine, "socketpair", 30, 1) == errno.EPERM


def test_questions_about_routes_need_a_network(machine: str) -> None:
    assert called(machine, "socket", 16, 3, 0) == errno.EAFNOSUPPORT
    assert called(machine, "socket", 16, 3, 0, network=True) == ALLOWED
    assert called(machine, "socket", 16, 3, 9, network=True) == errno.EPROTONOSUPPORT


def test_set_id_files(machine: str) -> None:
    assert called(machine, "fchmodat", 0, 0, 0o4755) == errno.EPERM
    assert called(machine, "fchmodat", 0, 0, 0o755) == ALLOWED
    assert called(machine, "fchmod", 0, 0o2755) == errno.EPERM
    assert called(machine, "openat", 0, 0, 0o101, 0o4755) == errno.EPERM
    assert called(machine, "openat", 0, 0, 0o101, 0o644) == ALLOWED
    assert called(machine, "openat", 0, 0, 0, 0o4755) == ALLOWED, "no file is made, the mode means nothing"
    assert called(machine, "openat", 0, 0, 0o20200000, 0o4755) == errno.EPERM, "a nameless file"
    assert called(machine, "mknodat", 0, 0, 0o104755) == errno.EPERM


def test_personalities(machine: str) -> None:
    assert called(machine, "personality", 0xFFFFFFFF) == ALLOWED
    assert called(machine, "personality", 0x40000) == errno.EPERM
