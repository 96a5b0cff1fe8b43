"""Gaining rights, and reaching the parts of the kernel that give them."""

from probing.probe import Probe, family

_REACHED = """
try:
    got('returned ' + str(syscall({call!r}, {arguments})))
except OSError as error:
    # Refused by the filter, or by the kernel for want of a right; any other answer comes from the thing itself.
    if error.errno not in (errno.EPERM, errno.ENOSYS, errno.EACCES):
        got('answered ' + error.strerror)
"""
_SURFACE = {
    "add_key": "b'user', MARK.encode(), b'x', 1, -2",
    "keyctl": "0, -3, 1",
    "request_key": "b'user', b'x', None, -2",
    "bpf": "0, 0, 0",
    "perf_event_open": "ctypes.create_string_buffer(b'\\1\\0\\0\\0\\x70\\0\\0\\0' + bytes(112)), 0, -1, -1, 0",
    "io_uring_setup": "1, ctypes.create_string_buffer(120)",
    "userfaultfd": "1",
    "quotactl": "0x800001 << 8, 0, 0, 0",
    "fanotify_init": "0x200, 0",
    "name_to_handle_at": "-100, b'/', ctypes.create_string_buffer(b'\\x80' + bytes(200)), bytes(8), 0",
    "open_by_handle_at": "-100, ctypes.create_string_buffer(b'\\x08' + bytes(200)), 0",
    "swapon": "b'/nowhere', 0",
    "reboot": "0, 0, 0, 0",
    "kexec_load": "0, 99, 0, 0",
    "init_module": "0, 0, b''",
    "delete_module": "b'nothing', 0",
    "acct": "b'/nowhere'",
    "modify_ldt": "0, ctypes.create_string_buffer(16), 16",
    "iopl": "3",
    "vmsplice": "-1, 0, 0, 0",
    "memfd_secret": "0",
    "move_pages": "0, 0, 0, 0, 0, 0",
    "fsopen": "b'tmpfs', 0",
    "open_tree": "-100, b'/', 1",
    "mount_setattr": "-100, b'/', 0, ctypes.create_string_buffer(32), 32",
    "move_mount": "-100, b'/', -100, b'/', 0",
    "setns": "os.open('/proc/self/ns/uts', os.O_RDONLY), 0",
    "pivot_root": "b'.', b'.'",
    "chroot": "b'.'",
    "sethostname": "b'taken', 5",
    "vhangup": "",
    "openat2": "-100, b'.', ctypes.create_string_buffer(24), 24",
}

NAMESPACES = {
    "a new user namespace": "syscall('unshare', 0x10000000); got('made')",
    "a user namespace by clone": """
pid = syscall('clone', 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0:
    os._exit(0)
got('made')
""",
    "a user namespace by clone3": """
arguments = (ctypes.c_ulonglong * 11)(0x10000000, 0, 0, 0, 17)
pid = syscall('clone3', arguments, 88)
if pid == 0:
    os._exit(0)
got('made')
""",
    "new namespaces of other kinds": """
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000, 0x80):
    try:
        syscall('unshare', flag); got(hex(flag))
    except OSError:
        pass
""",
    "the namespaces of pid 1": """
for name in os.listdir('/proc/1/ns'):
    syscall('setns', os.open(f'/proc/1/ns/{name}', os.O_RDONLY), 0); got(name)
""",
    "mount a file system": "apart(); os.makedirs('m'); syscall('mount', b'none', b'm', b'tmpfs', 0, 0); got('mounted')",
    "mount control groups": """
apart(); os.makedirs('cg', exist_ok=True)
for kind, options in ((b'cgroup2', 0), (b'cgroup', b'memory')):
    try:
        syscall('mount', b'none', b'cg', kind, 0, options); got(kind.decode())
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES): got(str(error))
""",
    "mount the system read-write": "apart(); syscall('mount', 0, W.read_only.encode(), 0, 4128, 0); got('mounted')",
    "bind a folder elsewhere": "apart(); os.makedirs('b'); syscall('mount', b'/usr', b'b', 0, 4096, 0); got('mounted')",
    "uncover what a mount hides": "apart(); syscall('umount2', b'/tmp', 2); got('uncovered')",
}

RIGHTS = {
    "hold capabilities": """
for line in open('/proc/self/status'):
    if line.startswith('Cap') and int(line.split()[1], 16):
        got(line)
""",
    "run without a filter": "assert 'Seccomp:\\t2' not in open('/proc/self/status').read(); got('no filter')",
    "gain rights by executing": "assert 'NoNewPrivs:\\t1' not in open('/proc/self/status').read(); got('possible')",
    "be root": "os.setuid(0); got(os.getuid())",
    "join groups": "os.setgroups([0, 27]); got(os.getgroups())",
    "change its ids": "os.setresuid(0, 0, 0); got(os.getresuid())",
    "make addresses predictable": "syscall('personality', 0x40000); got('changed')",
    "use a file system that honours set-uid": """
for line in open('/proc/self/mountinfo'):
    if 'nosuid' not in line.split()[5].split(','):
        got(line)
""",
    "call by the 32-bit convention": """
import mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex('b814000000cd80c3'))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
assert os.uname().machine == 'x86_64' and call() > 0; got('answered')
""",
    "call by the x32 convention": "assert ctypes.CDLL(None).syscall(0x40000000 | 39) > 0; got('answered')",
    "type into a terminal": """
parent, child = os.openpty()
os.setsid()
fcntl.ioctl(child, 0x540E, 0)
for command in (0x5412, 0x541C, 0x5412 | 1 << 32):
    arguments = [ctypes.c_int(child), ctypes.c_ulong(command), ctypes.c_char_p(b'x')]
    if ctypes.CDLL(None, use_errno=True).ioctl(*arguments) == 0:
        got(hex(command))
    elif ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS, errno.ENOTTY, errno.EINVAL):
        got(f'{command:x} answered {ctypes.get_errno()}')
""",
    "take the controlling terminal": "os.close(os.open('/dev/tty', os.O_RDWR)); got('opened')",
}

SETTINGS = {
    "settings of the kernel": """
for folder, _, files in os.walk('/proc/sys'):
    for name in files:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY)); got(os.path.join(folder, name))
        except OSError:
            pass
""",
    "doors in /proc": """
doors = [(name, os.O_RDONLY) for name in ('kcore', 'kmsg', 'timer_list', 'slabinfo', 'vmallocinfo', 'kpagecount')]
doors += [(name, os.O_WRONLY) for name in ('sysrq-trigger', 'irq/default_smp_affinity', 'mtrr', 'acpi/wakeup')]
for name, flags in doors:
    try:
        os.close(os.open(f'/proc/{name}', flags | os.O_NONBLOCK)); got(name)
    except OSError:
        pass
""",
    "writable files in /sys": """
for folder, _, files in os.walk('/sys'):
    for name in files:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY)); got(os.path.join(folder, name))
        except OSError:
            pass
""",
}

PROBES: list[Probe] = [
    *family("privilege", "escape", NAMESPACES),
    *family("privilege", "escape", SETTINGS),
    *family("privilege", "hardening", RIGHTS),
    *family(
        "privilege",
        "hardening",
        {f"call {name}": _REACHED.format(call=name, arguments=arguments) for name, arguments in _SURFACE.items()},
    ),
]
