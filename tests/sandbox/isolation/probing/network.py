"""Reaching the host's network, its services and the kernel behind its sockets."""

from probing.probe import Probe, family

REACH = {
    "TCP to the host's loopback": """
with socket.create_connection(('127.0.0.1', W.tcp), 2) as connection:
    connection.sendall(MARK.encode()); got('connected')
""",
    "TCP to the host's address": """
with socket.create_connection((W.address, W.tcp), 2) as connection:
    connection.sendall(MARK.encode()); got('connected')
""",
    "UDP to the host": """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    for address in ('127.0.0.1', W.address):
        try:
            sender.sendto(MARK.encode(), (address, W.udp))
        except OSError:
            pass
""",
    "an abstract unix socket of the host": """
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect('\\0' + W.abstract); connection.sendall(MARK.encode()); got('connected')
""",
    "a unix socket of the host by its path": """
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(W.unix_path); connection.sendall(MARK.encode()); got('connected')
""",
    "a listening port seen from the host": """
with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('0.0.0.0', W.free_port)); listener.listen(); listener.settimeout(1)
    peer, _ = listener.accept()
    peer.sendall(MARK.encode()); got('connected')
""",
    "every socket in the tree": """
for folder, folders, files in os.walk('/'):
    folders[:] = [name for name in folders
                  if os.path.join(folder, name) not in ('/proc', '/usr', '/run/kernel', *W.skipped)]
    for name in files:
        path = os.path.join(folder, name)
        try:
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(path); connection.sendall(MARK.encode()); got(path)
        except OSError:
            pass
""",
}

ASK = {
    "look up a name": "got(str(socket.getaddrinfo(W.intranet, 80)))",
    "reach the internet": "socket.create_connection(('1.1.1.1', 443), 1).close(); got('connected')",
    "ask a cloud's metadata service": """
with socket.create_connection(('169.254.169.254', W.tcp), 1) as connection:
    connection.sendall(MARK.encode()); got('connected')
""",
    "see the host's connections": """
for name in ('tcp', 'udp', 'unix'):
    for line in open(f'/proc/net/{name}'):
        if f'{W.tcp:04X} ' in line or W.abstract in line:
            got(line)
""",
}

KERNEL = {
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(); got('made')",
    "vsock": "socket.socket(40, socket.SOCK_STREAM).close(); got('made')",
    "raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(); got('made')",
    "raw internet": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(); got('made')",
    "rare socket families": """
for number in (3, 4, 5, 8, 9, 12, 21, 26, 29, 30, 31, 35, 36, 37, 38, 39, 41, 42, 43, 44, 45):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(number, kind).close(); got(f'family {number}')
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EPERM):
                got(f'family {number} answered {error.errno}')
""",
    "rare internet protocols": """
for number in (33, 132, 136, 262):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, number).close(); got(f'protocol {number}')
    except OSError as error:
        if error.errno == errno.ESOCKTNOSUPPORT:
            got(f'protocol {number} was looked for')
""",
}

PROBES: list[Probe] = [
    *family("network", "escape", REACH),
    *family("network", "secret", ASK),
    *family("network", "hardening", KERNEL),
]
