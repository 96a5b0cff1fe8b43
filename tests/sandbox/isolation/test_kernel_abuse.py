"""What code in a session does to its own kernel, to the host's end of it, and to other sessions."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencodeinterpreter import Limits, Sandbox
from opencodeinterpreter.errors import InputError

HIJACKS = """
import os, pathlib, site, sys
marker = "import pathlib; pathlib.Path('/workspace/hijacked-{}').touch()\\n"
home = pathlib.Path.home()
version = f'python{sys.version_info[0]}.{sys.version_info[1]}'
names = ['ipykernel_launcher', 'ipykernel', 'IPython', 'zmq', 'jupyter_client', 'random', 'json', 'socket', 'site',
         'sitecustomize', 'usercustomize', 'encodings', 'codecs', 'traitlets', 'tornado', 'kernel_main', 'debugpy']
places = [pathlib.Path('/workspace'), home, pathlib.Path('/run/kernel'), pathlib.Path('/tmp'),
          home / '.local/lib' / version / 'site-packages']
for place in places:
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        try:
            (place / f'{name}.py').write_text(marker.format(f'{place.name}-{name}'))
        except OSError:
            pass
    (place / 'pth.pth').write_text(marker.format('pth'))
for folder in (home / '.ipython', home / 'ipython', pathlib.Path('/workspace/.ipython'), pathlib.Path('/tmp/.ipython')):
    startup = folder / 'profile_default/startup'
    startup.mkdir(parents=True, exist_ok=True)
    (startup / '00.py').write_text(marker.format('startup'))
    for name in ('ipython_config.py', 'ipython_kernel_config.py'):
        (folder / 'profile_default' / name).write_text(marker.format(name))
for name in ('jupyter_config.py', 'ipython_config.py', 'ipython_kernel_config.py'):
    for folder in (home / '.jupyter', pathlib.Path('/workspace')):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(marker.format(name))
pathlib.Path('/workspace/pyvenv.cfg').write_text('home = /workspace')
print('planted')
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits(wall_seconds=20, memory_mb=1024)) as sandbox:
        yield sandbox


class Listener:
    """A unix socket of the host that anyone may connect to, and what came."""

    def __init__(self, path: Path) -> None:
        self.came: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        path.chmod(0o777)
        self._socket.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                self.came.append(peer.recv(100))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(tmp_path / "host.sock")
    yield listener
    listener.close()


def usable(sandbox: Sandbox) -> bool:
    return sandbox.run("print(6 * 7)").stdout == "42\n"


def test_nothing_that_code_leaves_behind_runs_in_the_next_kernel(sandbox: Sandbox) -> None:
    assert sandbox.run(HIJACKS).stdout == "planted\n"
    sandbox.run("import os; os._exit(1)")
    sandbox.restart()

    assert usable(sandbox)
    assert [path.name for path in sandbox.workspace.glob("hijacked-*")] == []


def test_links_in_place_of_sockets_lead_the_host_nowhere(sandbox: Sandbox, listener: Listener, tmp_path: Path) -> None:
    sandbox.run(f"""
import os
for name in os.listdir('/run/kernel'):
    if name.startswith('k-'):
        os.unlink('/run/kernel/' + name)
        os.symlink({str(tmp_path / "host.sock")!r}, '/run/kernel/' + name)
""")
    sandbox.run("import os\nfor number in range(3, 200):\n    try: os.close(number)\n    except OSError: pass")
    usable(sandbox)
    sandbox.run("import os; os._exit(1)")

    assert usable(sandbox)
    assert listener.came == []


def test_links_in_place_of_pipes_change_nothing_on_the_host(sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("mine")
    target.chmod(0o600)
    sandbox.run(f"""
import os, threading
def swap():
    own = set()
    while True:
        for name in set(os.listdir('/run/kernel')) - own:
            if name.endswith(('.stdout', '.stderr')):
                path = '/run/kernel/' + name
                try:
                    os.unlink(path); os.symlink({str(target)!r}, path)
                except OSError:
                    pass
                own.add(name)
if os.fork() == 0:
    swap()
""")
    for _ in range(30):
        result = sandbox.run("print('x' * 100)", wall_seconds=2)
        if not result.ok:
            break

    assert target.read_text() == "mine"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["link", "folder/decoy", "pipe", "loop", "../decoy"])
def test_the_host_copies_nothing_from_outside(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    (tmp_path / "decoy").write_text("secret of the host")
    sandbox.run(f"""
import os
os.symlink({str(tmp_path / "decoy")!r}, 'link')
os.symlink({str(tmp_path)!r}, 'folder')
os.symlink('loop', 'loop')
os.mkfifo('pipe')
""")

    with pytest.raises(InputError):
        sandbox.download(name, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert not any("decoy" in file.path for file in sandbox.files())


def test_an_upload_never_writes_through_a_link(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "data.csv").write_text("theirs")
    sandbox.run(f"import os; os.symlink({str(tmp_path / 'mine')!r}, 'data.csv')")
    sandbox.upload(tmp_path / "data.csv")

    assert (tmp_path / "mine").read_text() == "mine"


def test_sessions_see_and_touch_nothing_of_each_other(sandbox: Sandbox) -> None:
    with Sandbox(limits=Limits(wall_seconds=20)) as other:
        other.run("kept = 41; open('theirs.txt', 'w').write('theirs')")
        result = sandbox.run(f"""
import os, signal
for path in ({str(other.workspace)!r}, {str(other.workspace.parent)!r}):
    try:
        print(os.listdir(path))
    except OSError as error:
        print('no:', type(error).__name__)
for pid in range(2, 30000):
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
print(sum(name.isdigit() for name in os.listdir('/proc')))
""")
        survivor = other.run("print(kept + 1)")

    assert "theirs" not in result.stdout
    assert result.stdout.count("no:") == 2
    assert survivor.stdout == "42\n"
    assert not survivor.state_lost


def test_stragglers_end_with_the_session() -> None:
    with Sandbox(limits=Limits(wall_seconds=20)) as sandbox:
        marker = f"straggler-{os.getpid()}-{time.monotonic_ns()}"
        sandbox.run(f"""
import os, subprocess, sys
if os.fork() == 0:
    os.setsid()
    os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)', {marker!r}])
""")
    commands = [_command(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()]

    assert not any(marker in command for command in commands)


def _command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_text(errors="replace")
    except OSError:
        return ""


def test_forged_messages_do_not_end_or_answer_later_runs(sandbox: Sandbox) -> None:
    sandbox.run("""
import json, threading, time, zmq
from jupyter_client.session import Session
info = json.load(open('/run/kernel/connection.json'))
session = Session(key=info['key'].encode())
from ipykernel.kernelapp import IPKernelApp
kernel = IPKernelApp.instance().kernel
def forge():
    while True:
        for parent in (kernel.get_parent('shell'), {}):
            session.send(kernel.iopub_socket, 'status', {'execution_state': 'idle'}, parent=parent, ident=b'status')
            text = {'name': 'stdout', 'text': 'forged'}
            session.send(kernel.iopub_socket, 'stream', text, parent=parent, ident=b'stream')
        time.sleep(0.01)
threading.Thread(target=forge, daemon=True).start()
""")
    began = time.monotonic()
    sandbox.run("import time; time.sleep(1)")
    after = sandbox.run("print(6 * 7)")

    assert time.monotonic() - began < 15
    if after.state_lost or "42" not in after.stdout:
        after = sandbox.run("print(6 * 7)")
    assert "42" in after.stdout
