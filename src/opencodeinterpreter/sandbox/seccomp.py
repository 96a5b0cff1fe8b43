"""A seccomp filter: system calls that Python and its libraries do without, and that attacks need, are refused.

The namespaces take away what code can name; the filter takes away ways into the kernel itself: parts of it that
are not divided by namespaces (keyrings), that hide memory from every limit, that were the way of past escapes,
or that would make namespaces anew.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Sequence

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox.syscalls import LAST_KNOWN, MACHINES, audit_architecture, number

_REFUSED = """
    acct add_key bpf chroot clock_settime create_module delete_module fanotify_init finit_module fsconfig fsmount
    fsopen fspick get_kernel_syms init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie
    migrate_pages modify_ldt mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl
    open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_madvise process_vm_readv
    process_vm_writev ptrace query_module quotactl quotactl_fd reboot request_key setdomainname sethostname setns
    settimeofday swapoff swapon syslog umount2 uselib userfaultfd vhangup vmsplice
""".split()  # noqa: SIM905 - one call a line would hide the list
_ABSENT = """
    _sysctl clone3 io_setup io_uring_enter io_uring_register io_uring_setup listmount memfd_create memfd_secret msgget
    openat2 shmget statmount sysfs ustat
""".split()  # noqa: SIM905 - one call a line would hide the list
"""Answered as by a kernel without them, so that programs take their older way.

The filter cannot look into the structures that clone3 and openat2 take. Memory in the files of memfd_create and the
segments of shmget belongs to no process, so that no limit would count it; what io_setup gives is counted for the whole
machine.
"""

_NEW_NAMESPACES = 0x7E020000
_NEW_TIME = 0x80
_SET_ID = 0o6000
"""A file in the workspace with these bits would lend its owner's rights to other users of the host."""
_CREATE = 0x40
_TMPFILE = 0x400000
_TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which type into a terminal."""
_PERSONALITIES = (0, 0xFFFFFFFF)
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_PROTOCOLS = (0, 1, 6, 17, 58)
"""Any, ICMP, TCP, UDP, ICMPv6: each other would have the host load the module that serves it."""

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16

Instruction = tuple[int, int, int, int]
"""Code, how many to skip if true, how many to skip if false, operand."""


def program(network: bool, machine: str | None = None) -> bytes:
    """Return the filter as the kernel takes it, for this machine unless another is named.

    Args:
        network: whether the host's interfaces may be asked for, as address look-ups do.

    Raises:
        SandboxUnavailableError: on a machine whose system calls the filter does not know.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        known = " and ".join(MACHINES)
        raise SandboxUnavailableError(
            f"The sandbox's system call filter knows {known} but not this machine, {machine}."
        )
    # A call by another convention (32 bits, x32) has other numbers, which would slip through.
    code = [
        _load(_ARCHITECTURE_OFFSET),
        (_EQUAL, 1, 0, audit_architecture(machine)),
        _error(errno.ENOSYS),
        _load(_NUMBER_OFFSET),
        (_GREATER, 0, 1, LAST_KNOWN),
        _error(errno.ENOSYS),
    ]
    for names, error in ((_REFUSED, errno.EPERM), (_ABSENT, errno.ENOSYS)):
        for name in names:
            code += _for_call(name, machine, [_error(error)])
    for name, rule in _rules(network):
        code += _for_call(name, machine, rule)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in [*code, (_RETURN, 0, 0, _ALLOW)])


def _rules(network: bool) -> list[tuple[str, list[Instruction]]]:
    """Return the calls that are refused for some arguments only."""
    rules = [
        ("clone", _refuse_bits(0, _NEW_NAMESPACES)),
        ("unshare", _refuse_bits(0, _NEW_NAMESPACES | _NEW_TIME)),
        ("ioctl", _refuse_values(1, _TERMINAL_INPUT)),
        ("personality", _refuse_others(0, _PERSONALITIES)),
        ("socket", _sockets(network)),
        ("socketpair", _refuse_others(0, (_UNIX,))),
    ]
    for name, mode in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("creat", 1)):
        rules.append((name, _refuse_bits(mode, _SET_ID)))
    for name, mode in (("mknod", 1), ("mknodat", 2)):
        rules.append((name, _refuse_bits(mode, _SET_ID)))
    for name, flags in (("open", 1), ("openat", 2)):
        # Without these flags the mode is whatever the register happens to hold.
        unless = [_argument(flags), (_ANY_BIT, 1, 0, _CREATE | _TMPFILE), (_RETURN, 0, 0, _ALLOW)]
        rules.append((name, [*unless, *_refuse_bits(flags + 1, _SET_ID)]))
    return rules


def _sockets(network: bool) -> list[Instruction]:
    """Unix sockets, and the common protocols of the internet; with a network also questions about routes."""
    internet = _refuse_others(2, _PROTOCOLS, errno.EPROTONOSUPPORT)
    routes = _refuse_others(2, (0,), errno.EPROTONOSUPPORT) if network else [_error(errno.EAFNOSUPPORT)]
    return [
        _argument(0),
        (_EQUAL, 0, 1, _UNIX),
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 1, 0, _INET),
        (_EQUAL, 0, len(internet), _INET6),
        *internet,
        (_EQUAL, 0, len(routes), _NETLINK),
        *routes,
        _error(errno.EAFNOSUPPORT),
    ]


def _for_call(name: str, machine: str, rule: Sequence[Instruction]) -> list[Instruction]:
    """Return ``rule``, which must end with a return on every way, for one system call alone."""
    wanted = number(name, machine)
    if wanted is None:
        return []
    assert len(rule) < 256, "a jump reaches no further"
    return [(_EQUAL, 0, len(rule), wanted), *rule]


def _refuse_bits(argument: int, bits: int) -> list[Instruction]:
    return [_argument(argument), (_ANY_BIT, 0, 1, bits), _error(errno.EPERM), (_RETURN, 0, 0, _ALLOW)]


def _refuse_values(argument: int, values: Sequence[int]) -> list[Instruction]:
    checks = [step for value in values for step in ((_EQUAL, 0, 1, value), _error(errno.EPERM))]
    return [_argument(argument), *checks, (_RETURN, 0, 0, _ALLOW)]


def _refuse_others(argument: int, values: Sequence[int], error: int = errno.EPERM) -> list[Instruction]:
    checks = [step for value in values for step in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
    return [_argument(argument), *checks, _error(error)]


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _argument(index: int) -> Instruction:
    """Load the low half of an argument: all that the kernel itself reads of the ones looked at here."""
    return _load(_ARGUMENTS_OFFSET + 8 * index)


def _error(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERROR | number)
