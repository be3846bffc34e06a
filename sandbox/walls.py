"""Confine this process for the rest of its life."""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sandbox import landlock, privileges, seccomp
from sandbox.landlock import Network


@dataclass(frozen=True, slots=True)
class Walls:
    """Which walls stand around a process."""

    network: bool  # it reaches no other machine
    files: bool  # it opens only the files that it was granted
    calls: bool  # the kernel refuses it calls that it does not need
    user: bool  # it is not root and has no privileges

    def missing(self) -> tuple[str, ...]:
        return tuple(field.name for field in fields(self) if not getattr(self, field.name))

    def to_dict(self) -> dict[str, bool]:
        return asdict(self)


def confine(
    *,
    calls: seccomp.Filter,
    readable: Iterable[Path] = (),
    executable: Iterable[Path] = (),
    writable: Iterable[Path] = (),
    network: Network = "none",
    change_user: bool = True,
    end_with_parent: bool = False,
    network_left: bool = False,
) -> Walls:
    """Put up the walls that this kernel allows, and return which ones stand. There is no way back.

    Call this before any thread is started, and after everything is imported and opened that is not in the folders
    named. With `network="server"`, connections can be accepted and not made; with `all`, that wall is left out.
    `network_left` says that `leave_network` has succeeded here or in the process that forked this one. A process of
    root changes to an unused user, unless `change_user` is false.
    """
    is_root, parent = os.geteuid() == 0, os.getppid()
    steady = _try(privileges.forbid_new_privileges)
    alone = network == "none" and (network_left or leave_network())
    changed = is_root and change_user and _try(privileges.change_user)
    alone = alone or (network == "none" and changed and leave_network())
    files = _try(
        lambda: landlock.restrict(readable=readable, executable=executable, writable=writable, network=network)
    )
    dropped = _try(privileges.drop_capabilities)
    if end_with_parent:
        privileges.end_with_parent(parent)
    filtered = _try(lambda: seccomp.install(calls))
    return Walls(
        network=network != "all" and (alone or filtered),
        files=files,
        calls=filtered,
        user=(changed or not is_root) and dropped and steady,
    )


def leave_network() -> bool:
    """Move to an empty network namespace, for this process and those it forks; return whether that is possible."""
    # Root needs no user namespace, in which it could not change its user.
    return _try(lambda: privileges.leave_network(new_user_namespace=os.geteuid() != 0))


def _try(step: Callable[[], None]) -> bool:
    try:
        step()
    except OSError:
        return False
    return True
