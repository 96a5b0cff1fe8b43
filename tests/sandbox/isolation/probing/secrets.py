"""Learning what the host keeps in environments, arguments, keyrings and configuration."""

from probing.probe import Probe, family

CANARY = {
    "read its own environment": "got(repr(dict(os.environ)))",
    "read the environment of pid 1": "got(open('/proc/1/environ').read())",
    "read every environment": """
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        got(open(f'/proc/{pid}/environ').read())
    except OSError:
        pass
""",
    "read every argument list": """
for pid in filter(str.isdigit, os.listdir('/proc')):
    got(open(f'/proc/{pid}/cmdline').read())
""",
    "read the memory of pid 1": """
maps = [line.split()[0].split('-') for line in open('/proc/1/maps') if '[stack]' in line or '[heap]' in line]
with open('/proc/1/mem', 'rb') as memory:
    for start, end in maps:
        memory.seek(int(start, 16))
        text = memory.read(int(end, 16) - int(start, 16))
        place = text.find(b'CANARY-')
        got(text[place:place + 60].decode(errors='replace'))
""",
    "read the host's settings": """
for path in W.settings:
    try:
        got(open(path).read())
    except OSError:
        pass
""",
}

OTHERS = {
    "learn the host's name": "assert W.hostname in (socket.gethostname(), os.uname().nodename); got(W.hostname)",
    "learn the users' names": """
text = open('/etc/passwd').read() + open('/etc/group').read()
for name in W.users:
    if name + ':' in text:
        got(name)
""",
    "learn the machine's id": """
for path in ('/etc/machine-id', '/var/lib/dbus/machine-id', '/sys/class/dmi/id/product_uuid'):
    if os.path.exists(path):
        got(open(path).read())
""",
    "read the kernel's log": """
for path in ('/dev/kmsg', '/proc/kmsg'):
    if os.path.exists(path):
        got(str(os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 100)))
""",
    "ask for the kernel's log": "buffer = ctypes.create_string_buffer(100); got(syscall('syslog', 3, buffer, 100))",
    "list the kernel's keys": "text = open('/proc/keys').read(); assert text.strip(); got(text)",
    "read addresses of the kernel": """
lines = open('/proc/kallsyms').readlines(); assert lines; got(lines[0])
""",
    "find session sockets": """
for folder in ('/run/user', '/run/dbus', '/run/systemd', '/var/run/docker.sock', '/tmp/.X11-unix'):
    if os.path.exists(folder):
        got(folder)
""",
}

PROBES: list[Probe] = [
    *family("secrets", "secret", CANARY, secret=True),
    *family("secrets", "secret", OTHERS),
]
