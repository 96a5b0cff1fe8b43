"""Touching other processes, and outliving the session."""

from probing.probe import Probe, family

TOUCH = {
    "kill a process of the host": "os.kill(W.victims[MARK], signal.SIGKILL)",
    "stop a process of the host": "os.kill(W.victims[MARK], signal.SIGSTOP)",
    "kill a group of the host": "os.killpg(W.victims[MARK], signal.SIGKILL)",
}

SEE = {
    "see a process of the host": """
for pid in filter(str.isdigit, os.listdir('/proc')):
    if W.victim_name in open(f'/proc/{pid}/comm').read():
        got(pid)
""",
    "trace its parent": "syscall('ptrace', 0x4206, os.getppid(), 0, 0); got('seized')",
    "be traced": "syscall('ptrace', 0, 0, 0, 0); got('traced')",
    "read its parent's memory": """
local, far = (ctypes.c_ulong * 2)(), (ctypes.c_ulong * 2)()
buffer = ctypes.create_string_buffer(8)
local[0], local[1], far[0], far[1] = ctypes.addressof(buffer), 8, id(None), 8
got(syscall('process_vm_readv', os.getppid(), local, 1, far, 1, 0))
""",
    "take a descriptor of its parent": "got(syscall('pidfd_getfd', os.pidfd_open(os.getppid()), 1, 0))",
    "compare itself with its parent": "got(syscall('kcmp', os.getpid(), os.getppid(), 0, 0, 0))",
    "find a stronger pid 1": """
status = dict(line.split(':', 1) for line in open('/proc/1/status') if ':' in line)
weak = (int(status['CapEff'], 16) == 0 and status['Seccomp'].strip() == '2' and status['NoNewPrivs'].strip() == '1')
if not weak:
    got(status['CapEff'] + status['Seccomp'] + status['NoNewPrivs'])
if os.stat('/proc/1').st_uid != os.getuid():
    os.open('/proc/1/mem', os.O_RDWR); got('memory of another user')
""",
    "advise its parent's memory": "got(syscall('process_madvise', os.pidfd_open(os.getppid()), 0, 0, 20, 0))",
}

STAY = {
    "stay as a daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(W.stay[0], [*W.stay, MARK])
    os._exit(0)
""",
    "stay deaf to signals": """
if os.fork() == 0:
    for number in (1, 2, 3, 13, 15):
        signal.signal(number, signal.SIG_IGN)
    os.execv(W.stay[0], [*W.stay, MARK])
""",
    "stay stopped": """
if os.fork() == 0:
    os.execv(W.stay[0], [*W.stay, MARK])
time.sleep(0.1)
for pid in filter(str.isdigit, os.listdir('/proc')):
    if MARK in open(f'/proc/{pid}/cmdline').read() and int(pid) != os.getpid():
        os.kill(int(pid), signal.SIGSTOP)
""",
    "stay with another name": """
if os.fork() == 0:
    ctypes.CDLL(None).prctl(15, b'kthreadd', 0, 0, 0)
    os.execv(W.stay[0], [*W.stay, MARK])
""",
    "stay as many": """
for _ in range(10):
    if os.fork() == 0:
        os.setsid()
        os.execv(W.stay[0], [*W.stay, MARK])
""",
}

PROBES: list[Probe] = [
    *family("processes", "escape", TOUCH, outside_only=True),
    *family("processes", "hardening", SEE),
    *family("processes", "escape", STAY, outside_only=True),
    Probe("kill everything", "processes", "escape", "os.kill(-1, signal.SIGKILL)", outside_only=True, alone=True),
]
