"""The host as the probes look for it: decoys, listeners and victims, and what became of them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import pwd
import secrets
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import threading
import time
from collections import defaultdict
from pathlib import Path

from opencodeinterpreter.sandbox.base import Limits
from opencodeinterpreter.sandbox.syscalls import _NUMBERS, number

LIMITS = Limits(memory_mb=256, processes=48, open_files=128, workspace_mb=64)
SHARED = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))
VICTIMS = ("kill-a-process-of-the-host", "stop-a-process-of-the-host", "kill-a-group-of-the-host")
STAY = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(300)"]
_SET_ADDRESS = 0x8916
CANARY_VARIABLE = "PROBED_SECRET"


class World:
    """Decoys below a folder that anyone may read and write, so that only a jail can keep probes from them.

    Args:
        folder: empty; the caller removes it.
        decoy_host: True where this program is alone on a throw-away host, whose system may be a decoy too.
    """

    def __init__(self, folder: Path, decoy_host: bool) -> None:
        self.folder, self._decoy_host = folder, decoy_host
        self.canary = os.environ.get(CANARY_VARIABLE) or "CANARY-" + secrets.token_hex(12)
        self.marker = "probe-" + secrets.token_hex(6) + "-"
        os.environ[CANARY_VARIABLE] = self.canary
        self._alarms: dict[str, set[str]] = defaultdict(set)
        self._end = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.home, self.sessions = folder / "home", folder / "sessions"
        for path in (self.home / "keys", self.sessions / "other"):
            path.mkdir(parents=True)
        self.decoy = "decoy-" + secrets.token_hex(6)
        self._files = [self.home / self.decoy, self.home / "keys/id_ed25519", self.sessions / "other/data.csv"]
        for file in self._files:
            file.write_text(f"secret={self.canary}\n")
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o777)
        self.hostname = socket.gethostname()
        self.system = self._decoy_system() if decoy_host else self._real_system()
        self._victims = {self.marker + name: self._victim() for name in VICTIMS}
        self._listen()
        self.planted = [os.open(path, os.O_RDONLY) for path in (self.home, self._files[0])]
        for descriptor in self.planted:
            os.set_inheritable(descriptor, True)
        self._before = self._digests()
        self._test_itself()

    def facts(self) -> dict[str, object]:
        """Return ``W``: where the probes look; never the canary itself."""
        machine = os.uname().machine
        return {
            "marker": self.marker,
            "home": str(self.home),
            "home_secret": str(self._files[0]),
            "ssh_key": str(self._files[1]),
            "other_file": str(self._files[2]),
            "decoy_name": self.decoy,
            "tcp": self._tcp_port,
            "udp": self._udp_port,
            "free_port": self._free_port,
            "address": self._address,
            "abstract": self.marker + "abstract",
            "unix_path": str(self.folder / "docker.sock"),
            "victims": {name: victim.pid for name, victim in self._victims.items()},
            "victim_name": "probevictim",
            "stay": STAY,
            "hostname": self.hostname,
            "calls": {name: value for name in _NUMBERS if (value := number(name, machine)) is not None},
            "processes": LIMITS.processes,
            "open_files": LIMITS.open_files,
            "memory_mb": LIMITS.memory_mb,
            "workspace_mb": LIMITS.workspace_mb,
            **self.system,
        }

    def alarms(self, workspace: Path) -> dict[str, set[str]]:
        """Return what happened to the world, by the name of the probe that did it."""
        self._judge_victims()
        self._judge_files(workspace)
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_text(errors="replace")
                if STAY[-1] in command and self.marker in command:
                    self._alarm(command.split("\0")[len(STAY)], "still runs")
        if socket.gethostname() != self.hostname:
            self._alarms["call-sethostname"].add("the host's name changed")
        if self.marker in _read("/proc/keys"):
            self._alarms["call-add_key"].add("left a key")
        return self._alarms

    def close(self) -> None:
        self._end.set()
        for listener in self._sockets:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self._threads:
            thread.join(5)
        for victim in self._victims.values():
            victim.kill()
            victim.wait()
        for descriptor in self.planted:
            os.close(descriptor)

    def _alarm(self, mark: str, what: str) -> None:
        start = mark.find(self.marker)
        name = mark[start + len(self.marker) :] if start >= 0 else "unknown"
        self._alarms[name.split("/")[0].removesuffix(".pth")].add(what)

    def _real_system(self) -> dict[str, object]:
        packages = sysconfig.get_path("purelib")
        folders = {"/", "/usr", "/usr/bin", "/usr/lib", "/etc", "/var", "/run", "/dev", "/sys", packages, sys.prefix}
        return {
            "system_folders": sorted(folders),
            "system_file": "/usr/bin/env",
            "read_only": "/usr",
            "interpreter": sys.executable,
            "packages": packages,
            "skipped": [sys.prefix, sys.base_prefix],
            "settings": ["/etc/machine-id", "/etc/fstab", str(Path.home() / ".bashrc"), str(self._files[0])],
            "users": [name for name in {_user(), "daemon", "sshd", "postgres"} if name != "nobody"],
            "intranet": self.hostname,
        }

    def _decoy_system(self) -> dict[str, object]:
        """Fill a throw-away host, this program's alone, with what a real one has."""
        system = Path("/opt/system")
        for path in (system / "packages", Path("/run/user/1000"), Path("/var/tmp"), Path("/etc"), Path("/sys")):
            path.mkdir(parents=True, exist_ok=True)
        texts = {
            "/etc/shadow": f"root:{self.canary}:19000:::::\n",
            "/etc/passwd": "root:x:0:0::/root:/bin/sh\ncarla:x:1001:1001::/home/carla:/bin/sh\n",
            "/etc/group": "root:x:0:\nwheel:x:10:carla\n",
            "/etc/hosts": "127.0.0.1 localhost\n10.99.0.1 intranet.decoy\n",
            "/etc/machine-id": secrets.token_hex(16) + "\n",
            "/etc/settings.conf": f"password={self.canary}\n",
            "/dev/sda": "",
            "/dev/kmsg": "6,1,1;booted",
            "/sys/release_agent": "",
            str(system / "python"): "#!",
            str(self.folder / "tool"): "#!",
        }
        for name, text in texts.items():
            Path(name).write_text(text)
        _mount_read_only("/opt/read-only")
        _add_address("10.99.0.1", "lo:1")
        _add_address("169.254.169.254", "lo:2")
        return {
            "system_folders": ["/", "/etc", "/opt/system"],
            "system_file": str(self.folder / "tool"),
            "read_only": "/opt/read-only",
            "interpreter": str(system / "python"),
            "packages": str(system / "packages"),
            "skipped": [sys.prefix, sys.base_prefix],
            "settings": ["/etc/settings.conf"],
            "users": ["carla", "wheel"],
            "intranet": "intranet.decoy",
        }

    def _victim(self) -> subprocess.Popen[bytes]:
        code = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'probevictim', 0, 0, 0); time.sleep(600)"
        # The canary among the arguments is what an argument list of the host may hold.
        command = [sys.executable, "-I", "-S", "-c", code, self.canary]
        return subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)

    def _listen(self) -> None:
        self._address = "10.99.0.1" if self._decoy_host else _own_address()
        tcp = self._bound(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0))
        self._tcp_port = tcp.getsockname()[1]
        udp = self._bound(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0))
        self._udp_port = udp.getsockname()[1]
        abstract = self._bound(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.marker + "abstract")
        path = self._bound(socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "docker.sock"))
        (self.folder / "docker.sock").chmod(0o777)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._free_port = free.getsockname()[1]
        for listener in (tcp, abstract, path):
            listener.listen(64)
            self._run(self._accept, listener)
        self._run(self._receive, udp)
        self._run(self._call)

    def _bound(self, family: int, kind: int, address: object) -> socket.socket:
        listener = socket.socket(family, kind)
        listener.bind(address)  # type: ignore[arg-type]
        self._sockets.append(listener)
        return listener

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        thread.start()
        self._threads.append(thread)

    def _accept(self, listener: socket.socket) -> None:
        while not self._end.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(2)
                with contextlib.suppress(OSError):
                    self._hit(peer.recv(200))

    def _receive(self, listener: socket.socket) -> None:
        while not self._end.is_set():
            with contextlib.suppress(OSError):
                self._hit(listener.recv(200))

    def _call(self) -> None:
        """Try to reach a port that a probe may open."""
        while not self._end.wait(0.1):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._free_port), 1) as peer:
                peer.settimeout(1)
                self._hit(peer.recv(200))

    def _hit(self, message: bytes) -> None:
        text = message.decode(errors="replace")
        if text == "test":
            self._tested.release()
        elif text:
            self._alarm(text, "reached the host")

    def _test_itself(self) -> None:
        """Fail unless every decoy can be had by whoever is not kept from it: else nothing is proved."""
        self._tested = threading.Semaphore(0)
        targets = [
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", self._tcp_port)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", self._udp_port)),
            (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.marker + "abstract"),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "docker.sock")),
        ]
        for family, kind, address in targets:
            with socket.socket(family, kind) as sender:
                sender.connect(address)
                sender.sendall(b"test")
            assert self._tested.acquire(timeout=5), f"no alarm at {address}"
        assert all(self.canary in file.read_text() for file in self._files)
        deadline = time.monotonic() + 5
        while not all("probevictim" in _read(f"/proc/{v.pid}/comm") for v in self._victims.values()):
            assert time.monotonic() < deadline, "a victim did not start"
            time.sleep(0.01)

    def _judge_victims(self) -> None:
        for mark, victim in self._victims.items():
            if victim.poll() is not None:
                self._alarm(mark, "died")
            elif _read(f"/proc/{victim.pid}/stat").rpartition(")")[2].split()[0] in "Tt":
                self._alarm(mark, "is stopped")
                victim.send_signal(signal.SIGCONT)

    def _judge_files(self, workspace: Path) -> None:
        names = {self.home: "change-a-file-of-the-home", self.sessions: "change-another-session-s-file"}
        for file, digest in self._digests().items():
            if self._before.get(file) != digest and file in self._files:
                folder = self.home if file.is_relative_to(self.home) else self.sessions
                self._alarms[names[folder]].add(f"{file.name} changed")
        places = [*SHARED, self.folder, self.home, *map(Path, self.system["system_folders"])]  # type: ignore[call-overload]
        for place in [*places, Path(str(self.system["packages"]))]:
            for path in place.iterdir() if place.is_dir() else ():
                if self.marker in path.name:
                    self._alarm(path.name, f"left in {place}")
                    path.unlink()
        for path in workspace.rglob("*"):
            if not path.is_symlink() and path.stat().st_mode & 0o6000:
                self._alarms["make-a-set-uid-file" if path.name == "s" else "open-a-set-uid-file"].add("is there")

    def _digests(self) -> dict[Path, str]:
        return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in self._files}


def slug(name: str) -> str:
    """Return a probe's name as it can stand in file names and messages."""
    return "".join(letter if letter.isalnum() or letter == "_" else "-" for letter in name)


def _own_address() -> str:
    """Return an address of this host that is not its loopback, or failing that another of its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as finder, contextlib.suppress(OSError):
        finder.connect(("192.0.2.1", 9))
        return str(finder.getsockname()[0])
    return "127.0.0.2"


def _add_address(address: str, interface: str) -> None:
    """Give the loopback interface of a throw-away host one more address."""
    request = struct.pack("16sHH4s8x", interface.encode(), socket.AF_INET, 0, socket.inet_aton(address))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_ADDRESS, request)


def _mount_read_only(place: str) -> None:
    """Mount something that honours set-uid files, and may not be written, on a throw-away host."""
    Path(place).mkdir()
    library = ctypes.CDLL(None, use_errno=True)
    assert library.mount(b"none", place.encode(), b"tmpfs", 0, 0) == 0
    assert library.mount(b"none", place.encode(), 0, 32 | 4096 | 1, 0) == 0


def _user() -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return "root"


def _read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text(errors="replace")
    return ""
