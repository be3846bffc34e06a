"""The operating system account that the database runs under, because Postgres refuses to run as root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paliapi.stack.errors import StackError

# An account created for Postgres is the best choice; `nobody` exists on nearly every machine.
_CANDIDATES = ("postgres", "_postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An account, other than that of this process, to run a child under."""

    name: str
    uid: int
    gid: int

    @property
    def spawn_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` to run a command as this account, with no further groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take_over(self, folder: Path) -> None:
        """Make this account the owner of the folder and its contents, for example after root has copied it."""
        if folder.stat().st_uid == self.uid:
            return
        for parent, folders, files in os.walk(folder, topdown=False):
            for name in (*folders, *files):
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)
        os.chown(folder, self.uid, self.gid)


def for_postgres(data: Path) -> Account | None:
    """Return the account to run Postgres under for the folder `data`; None means that of this process."""
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    if owner != 0:
        return _account_of(owner, data)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StackError(
        "Postgres does not run as root, and there is no account `postgres` or `nobody`; run this as another user."
    )


def own_name() -> str:
    """Return the name of this process's account, which Postgres looks up too."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise StackError(
            f"The user id {os.geteuid()} has no name, and Postgres needs one; add it to /etc/passwd."
        ) from None


def account_name(uid: int) -> str:
    """Return the name of an account, for messages."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def _account_of(uid: int, data: Path) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise StackError(
            f"The database folder {data} belongs to user id {uid}, which this machine does not know."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
