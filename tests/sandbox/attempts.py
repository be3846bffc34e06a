"""What code does that took over a process through a malicious file: `run` tries it all and reports what was refused."""

import ctypes
import fcntl
import json
import mmap
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from sandbox import kernel

_SEIZE = 0x4206
_AT_EMPTY_PATH = 0x1000
_CLONE_NEWUSER, _SIGCHLD = 0x10000000, 17
_SIGNAL_OF_OWNER = 10  # F_SETSIG


@dataclass(frozen=True)
class Targets:
    """What to attack: a folder with the file `secret`, sockets, and a process of the same user."""

    folder: str
    unix_socket: str
    unix_datagram: str
    abstract_socket: str
    tcp_port: int
    process: int

    @property
    def secret(self) -> Path:
        return Path(self.folder) / "secret"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


def run(targets: Targets, names: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield each attempt with the error that refused it, or `succeeded`."""
    for name, attempt in ATTEMPTS.items():
        if not names or name in names:
            try:
                attempt(targets)
            except OSError as error:
                yield name, os.strerror(error.errno or 0)
            else:
                yield name, "succeeded"


def main() -> None:
    """Run the attempts named in the arguments, all by default, and print a line for each."""
    for result in run(Targets.from_json(sys.argv[1]), tuple(sys.argv[2:])):
        print(json.dumps(result), flush=True)  # noqa: T201


def _connect(family: int, kind: int, address: str | tuple[str, int]) -> None:
    with socket.socket(family, kind) as client:
        client.settimeout(5)
        client.connect(address)


def _send(family: int, address: str | tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", address)


def _open(path: object, flags: int) -> None:
    os.close(os.open(str(path), flags, 0o600))


def _read(path: object) -> None:
    descriptor = os.open(str(path), os.O_RDONLY)
    try:
        os.read(descriptor, 100)
    finally:
        os.close(descriptor)


def _fork(_targets: Targets) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _clone(flags: int) -> None:
    if kernel.call("clone", flags, None, None, None, None) == 0:
        os._exit(0)


def _execute_memory(_targets: Targets) -> None:
    descriptor = kernel.call("memfd_create", b"program", 0)
    os.write(descriptor, Path("/bin/true").read_bytes())
    kernel.call("execveat", descriptor, b"", None, None, _AT_EMPTY_PATH)


def _read_memory(targets: Targets) -> None:
    buffer = ctypes.create_string_buffer(8)
    # The address does not matter: without permission, the call fails before it is looked at.
    local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    remote = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    kernel.call("process_vm_readv", targets.process, ctypes.addressof(local), 1, ctypes.addressof(remote), 1, 0)


def _signal_by_descriptor(targets: Targets) -> None:
    fcntl.fcntl(1, fcntl.F_SETOWN, targets.process)
    fcntl.fcntl(1, _SIGNAL_OF_OWNER, 9)


def _raise_limit(_targets: Targets) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    kernel.call("prlimit64", 0, resource.RLIMIT_NOFILE, struct.pack("=QQ", soft, hard + 1), None)


def _write_through_descriptor(_targets: Targets) -> None:
    _open("/proc/self/fd/0", os.O_WRONLY)


def _map_secret(targets: Targets) -> None:
    with targets.secret.open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as mapped:
        mapped.read(1)


def _share_memory(_targets: Targets) -> None:
    segment = kernel.call("shmget", 0, 4096, 0o1600)
    kernel.call("shmctl", segment, 0, None)  # removes it


def _call(name: str, *arguments: int | bytes | None) -> Callable[[Targets], int]:
    return lambda _targets: kernel.call(name, *arguments)


ATTEMPTS: dict[str, Callable[[Targets], object]] = {
    "connect by TCP": lambda t: _connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", t.tcp_port)),
    "send by UDP": lambda t: _send(socket.AF_INET, ("127.0.0.1", t.tcp_port)),
    "connect to a Unix socket": lambda t: _connect(socket.AF_UNIX, socket.SOCK_STREAM, t.unix_socket),
    "send to a Unix socket": lambda t: _send(socket.AF_UNIX, t.unix_datagram),
    "connect to an abstract socket": lambda t: _connect(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{t.abstract_socket}"),
    "open a netlink socket": lambda _: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    "read a secret": lambda t: _read(t.secret),
    "map a secret": _map_secret,
    "list a data folder": lambda t: list(Path(t.folder).iterdir()),
    "overwrite a file": lambda t: _open(t.secret, os.O_WRONLY | os.O_TRUNC),
    "append to a file": lambda t: _open(t.secret, os.O_RDWR | os.O_APPEND),
    "create a file": lambda t: _open(f"{t.folder}/new", os.O_WRONLY | os.O_CREAT),
    "create a file in /tmp": lambda _: _open(f"/tmp/new-{os.getpid()}", os.O_RDWR | os.O_CREAT | os.O_EXCL),
    "create an unnamed file": lambda t: _open(t.folder, os.O_RDWR | os.O_TMPFILE),
    "open its input for writing": _write_through_descriptor,
    "truncate a file": lambda t: os.truncate(t.secret, 1),
    "change a file's mode": lambda t: t.secret.chmod(0o644),
    "change a file's times": lambda t: os.utime(t.secret, (1, 1)),
    "change a file's attributes": lambda t: os.setxattr(t.secret, "user.x", b"x"),
    "link": lambda t: os.link(t.secret, f"{t.folder}/link"),
    "link symbolically": lambda t: Path(f"{t.folder}/symlink").symlink_to(t.secret),
    "make a folder": lambda t: Path(f"{t.folder}/subfolder").mkdir(),
    "make a pipe": lambda t: os.mkfifo(f"{t.folder}/fifo"),
    "rename": lambda t: os.rename(f"{t.folder}/renamed", f"{t.folder}/renamed"),  # noqa: PTH104
    "unlink": lambda t: os.unlink(f"{t.folder}/deleted"),  # noqa: PTH108
    "remove a folder": lambda t: os.rmdir(f"{t.folder}/empty"),  # noqa: PTH106
    "signal a process": lambda t: os.kill(t.process, 0),
    "signal by a descriptor": _signal_by_descriptor,
    "trace a process": lambda t: kernel.call("ptrace", _SEIZE, t.process, 0, 0),
    "read a process's memory": _read_memory,
    "read a process's environment": lambda t: _read(f"/proc/{t.process}/environ"),
    "limit a process": lambda t: resource.prlimit(t.process, resource.RLIMIT_CPU, (1, 1)),
    "get a handle on a process": lambda t: os.close(os.pidfd_open(t.process)),
    "change a process's priority": lambda t: os.setpriority(os.PRIO_PROCESS, t.process, 19),
    "pin a process to a processor": lambda t: os.sched_setaffinity(t.process, {0}),
    "raise its own limits": _raise_limit,
    "become root": lambda _: os.setresuid(0, 0, 0),
    "use io_uring": _call("io_uring_setup", 1, bytes(120)),
    "load a BPF program": _call("bpf", 0, bytes(128), 128),
    "use the keyring": _call("keyctl", 0, -3, 1),
    "handle page faults": _call("userfaultfd", 1),
    "share memory": _share_memory,
    "watch files": _call("inotify_init1", 0),
    "measure events": _call("perf_event_open", bytes(128), 0, -1, -1, 0),
    "make a namespace": _call("unshare", _CLONE_NEWUSER),
    "make a namespace with a process": lambda _: _clone(_CLONE_NEWUSER | _SIGCHLD),
    "mount": _call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "change the root": _call("chroot", b"/"),
    "leave the session": lambda _: os.setsid(),
    "fork": _fork,
    "clone": lambda _: _clone(_SIGCHLD),
    # Where these succeed, the process ends without a line for them.
    "execute memory": _execute_memory,
    "execute a program": lambda _: os.execv("/bin/true", ["true"]),  # noqa: S606
}

if __name__ == "__main__":
    main()
