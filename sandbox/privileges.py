"""The rights of a process to act as a user, and its view of the network."""

import os
import signal
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path

from sandbox import kernel

_NO_NEW_PRIVILEGES, _SIGNAL_WHEN_PARENT_DIES = 38, 1
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_CAPABILITIES_VERSION = 0x20080522
# Used by no account: systemd leaves 65533 to no one, and 65534 owns no files.
_SPARE_USERS = (65533, 65534)


def spare_user() -> int | None:
    """Return the id of a user and group without files or processes, or None if this process may not act as others."""
    if os.geteuid() != 0:
        return None
    return next((user for user in _SPARE_USERS if _is_mapped(user)), None)


def change_user() -> None:
    """Act as an unused user if this process is root; raise OSError if that is not possible."""
    if os.geteuid() != 0:
        return
    user = spare_user()
    if user is None:
        raise OSError("there is no user to change to")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def drop_capabilities() -> None:
    """Give up all privileges of this process; raise OSError if the kernel refuses."""
    kernel.call("capset", struct.pack("=Ii", _CAPABILITIES_VERSION, 0), bytes(24))


def forbid_new_privileges() -> None:
    """Gain no privileges from programs. The kernel requires this of a plain user before it installs restrictions."""
    kernel.control(_NO_NEW_PRIVILEGES, 1)


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent dies, until it changes its user; end it if that has happened already."""
    with suppress(OSError):
        kernel.control(_SIGNAL_WHEN_PARENT_DIES, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def leave_network(*, new_user_namespace: bool) -> None:
    """Move to an empty network namespace; raise OSError if the kernel refuses."""
    kernel.call("unshare", _CLONE_NEWNET | (_CLONE_NEWUSER if new_user_namespace else 0))


@cache
def _is_mapped(user: int) -> bool:
    """Return whether this user exists in the user namespace of this process."""
    with suppress(OSError):
        ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text("ascii").splitlines()]
        return any(first <= user < first + count for first, _, count in ranges)
    return True
