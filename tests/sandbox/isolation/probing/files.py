"""Reading and writing what is not the session's."""

from probing.probe import Probe, family

READ = {
    "read a file of the home": "got(open(W.home_secret).read())",
    "read an ssh key": "got(open(W.ssh_key).read())",
    "read another session's workspace": "got(open(W.other_file).read())",
    "search the whole tree": """
for folder, folders, files in os.walk('/'):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ('/proc', '/usr', *W.skipped)]
    if W.decoy_name in files:
        got(open(os.path.join(folder, W.decoy_name)).read())
""",
    "read through a symbolic link": "os.symlink(W.home_secret, 'link'); got(open('link').read())",
    "read through a link to a folder": "os.symlink(W.home, 'folder'); got(open('folder/' + W.decoy_name).read())",
    "climb with dots": "got(open('../' * 40 + W.home_secret.lstrip('/')).read())",
    "read through inherited descriptors": """
for descriptor in range(3, 512):
    for attempt in (lambda: os.pread(descriptor, 200, 0),
                    lambda: os.read(os.open(W.decoy_name, os.O_RDONLY, dir_fd=descriptor), 200)):
        try:
            got(attempt().decode(errors='replace'))
        except OSError:
            pass
""",
    "read through roots and folders of processes": """
for pid in filter(str.isdigit, os.listdir('/proc')):
    for door in ('root', 'cwd/' + '../' * 40):
        try:
            got(open(f'/proc/{pid}/{door}/{W.home_secret}').read())
        except OSError:
            pass
""",
    "read through descriptors of processes": """
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        numbers = os.listdir(f'/proc/{pid}/fd')
    except OSError:
        continue
    for number in numbers:
        try:
            if not os.path.realpath(f'/proc/{pid}/fd/{number}').startswith(('/dev', '/proc', 'pipe', 'socket')):
                got(open(f'/proc/{pid}/fd/{number}').read())
        except OSError:
            pass
""",
}

WRITE = {
    "change a file of the home": "open(W.home_secret, 'a').write('changed'); got('changed')",
    "make a file in the home": "open(W.home + '/' + MARK, 'w').close(); got('made')",
    "change another session's file": "open(W.other_file, 'a').write('changed'); got('changed')",
    "change a file through a symbolic link": "os.symlink(W.other_file, 'l2'); open('l2', 'a').write('x'); got('x')",
    "make files in system folders": """
for folder in W.system_folders:
    try:
        open(os.path.join(folder, MARK), 'w').close()
        got(folder)
    except OSError:
        pass
""",
    "change the interpreter": "os.close(os.open(W.interpreter, os.O_WRONLY)); got('opened')",
    "change the mode of the interpreter": "os.chmod(W.interpreter, 0o777); got('changed')",
    "plant a module among the packages": "open(W.packages + '/' + MARK + '.pth', 'w').close(); got('made')",
    "change the program of pid 1": """
for act in (lambda: os.chmod('/proc/1/exe', 0o755), lambda: os.utime('/proc/1/exe'),
            lambda: os.close(os.open('/proc/1/exe', os.O_WRONLY))):
    try:
        act(); got('changed')
    except OSError:
        pass
""",
    "write at every mount but its own": """
own = ('/workspace', '/run/kernel', '/tmp', '/dev/shm', '/dev/pts')
for line in open('/proc/self/mountinfo'):
    place = line.split()[4]
    if place not in own and os.path.isdir(place):
        try:
            open(os.path.join(place, MARK), 'w').close()
            got(place)
        except OSError:
            pass
""",
    "rename the workspace away": """
here = os.getcwd()
os.rename(here, here + MARK); got('renamed'); os.rename(here + MARK, here)
""",
    "hard link to a system file": "os.link(W.system_file, MARK); got('linked')",
    "make a set-uid file": "open('s', 'w').close(); os.chmod('s', 0o4755); got('made')",
    "open a set-uid file": "os.close(os.open('t', os.O_CREAT | os.O_WRONLY, 0o6755)); got('made')",
    "make a block device": "os.mknod('disk', 0o60600, os.makedev(254, 0)); got('made')",
    "open a disk": """
for name in os.listdir('/dev'):
    if name.startswith(('sd', 'vd', 'nvme', 'mem', 'kmem', 'port', 'kvm', 'fuse', 'loop', 'dm-', 'mapper', 'dri')):
        got(name)
""",
}

PRIVATE = {
    "leave a file in /tmp": "open('/tmp/' + MARK, 'w').close()",
    "leave a file in /var/tmp": "open('/var/tmp/' + MARK, 'w').close()",
    "leave a file in shared memory": "open('/dev/shm/' + MARK, 'w').close()",
}

PROBES: list[Probe] = [
    *family("files", "secret", READ, secret=True),
    Probe("read the password file", "files", "secret", "got(open('/etc/shadow').read())"),
    *family("files", "escape", WRITE),
    *family("files", "escape", PRIVATE, outside_only=True),
]
