"""Taking more than the limits give."""

from probing.probe import Probe, family

LIMITS = {
    "fork": """
children = []
try:
    while len(children) < W.processes + 20:
        pid = os.fork()
        if pid == 0:
            time.sleep(20); os._exit(0)
        children.append(pid)
    got(len(children))
finally:
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid in children:
        os.waitpid(pid, 0)
""",
    "start threads": """
end = threading.Event()
try:
    for count in range(W.processes + 20):
        threading.Thread(target=end.wait, daemon=True).start()
    got(count)
finally:
    end.set()
""",
    "open files": """
opened = [os.open('/dev/null', os.O_RDONLY) for _ in range(W.open_files + 20)]; got(len(opened))
""",
    "make a large file": """
with open('large', 'wb') as file:
    file.truncate((W.workspace_mb + 8) << 20); got('made')
""",
    "allocate a large file": """
with open('large2', 'wb') as file:
    os.posix_fallocate(file.fileno(), 0, (W.workspace_mb + 8) << 20); got('made')
""",
    "allocate memory": "block = bytearray((W.memory_mb * 3) << 20); got(len(block))",
    "allocate address space without end": """
import mmap
mapped = mmap.mmap(-1, (W.memory_mb * 4 + 20000) << 20, flags=mmap.MAP_SHARED | 0x4000, prot=mmap.PROT_READ)
got(len(mapped))
""",
    "fill /tmp": """
try:
    for part in range(W.memory_mb // 32):
        with open(f'/tmp/filler{part}', 'wb') as file:
            file.write(bytes(16 << 20))
    got('filled')
finally:
    for used in range(part + 1):
        os.unlink(f'/tmp/filler{used}')
""",
    "fill shared memory": """
try:
    for part in range(W.memory_mb // 32):
        with open(f'/dev/shm/filler{part}', 'wb') as file:
            file.write(bytes(16 << 20))
    got('filled')
finally:
    for used in range(part + 1):
        os.unlink(f'/dev/shm/filler{used}')
""",
    "lock memory": """
import mmap
mapped = mmap.mmap(-1, 1 << 20)
address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
assert ctypes.CDLL(None, use_errno=True).mlock(ctypes.c_void_p(address), 1 << 20) == 0; got('locked')
""",
    "keep memory in a nameless file": "got(syscall('memfd_create', b'x', 0))",
    "keep memory in a System V segment": "got(syscall('shmget', 0, 1 << 20, 0o1600))",
    "keep memory in System V messages": "got(syscall('msgget', 0, 0o1600))",
    "keep memory in POSIX messages": """
class Attributes(ctypes.Structure):
    _fields_ = [('flags', ctypes.c_long), ('count', ctypes.c_long), ('size', ctypes.c_long), ('now', ctypes.c_long * 5)]
library = ctypes.CDLL(None, use_errno=True)
queue = library.mq_open(('/' + MARK).encode(), os.O_CREAT | os.O_RDWR, 0o600, ctypes.byref(Attributes(0, 10, 8192)))
assert queue >= 0; got('made')
""",
    "raise its limits": """
for name, most in (('NPROC', W.processes + 1), ('NOFILE', W.open_files), ('FSIZE', W.workspace_mb << 20), ('CORE', 0)):
    kind = getattr(resource, 'RLIMIT_' + name)
    try:
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
    soft, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or hard > most:
        got(f'{name} {hard}')
""",
    "go before others": "os.setpriority(os.PRIO_PROCESS, 0, -10); got('raised')",
    "run in real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10)); got('raised')",
}

PROBES: list[Probe] = family("resources", "harm", LIMITS)
