"""Under which account of the operating system the database runs: Postgres refuses to run as root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paliapi.stack.trouble import Trouble

# An account made for Postgres is the best choice; `nobody` is there on nearly every machine.
_CANDIDATES = ("postgres", "_postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An account other than ours that a child runs as."""

    name: str
    uid: int
    gid: int

    @property
    def spawn_options(self) -> dict[str, Any]:
        """What `subprocess` needs to run something as this account, and with no rights beyond it."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def takes(self, folder: Path) -> None:
        """Make the folder and all that is in it this account's own, as after a copy made by root."""
        if folder.stat().st_uid == self.uid:
            return
        for place, folders, files in os.walk(folder, topdown=False):
            for name in (*folders, *files):
                os.chown(Path(place, name), self.uid, self.gid, follow_symlinks=False)
        os.chown(folder, self.uid, self.gid)


def for_postgres(data: Path) -> Account | None:
    """The account that runs Postgres over the folder `data`; None means our own."""
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    if owner != 0:
        return _of_owner(owner, data)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise Trouble(
        "Postgres does not run as root, and there is no account postgres or nobody; run this as another user."
    )


def own_name() -> str:
    """The name of our own account, which Postgres asks the operating system for."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise Trouble(
            f"The user id {os.geteuid()} has no name, and Postgres needs one; add it to /etc/passwd."
        ) from None


def name_of(uid: int) -> str:
    """The name of an account, for people to read."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def _of_owner(uid: int, data: Path) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise Trouble(
            f"The database folder {data} belongs to user id {uid}, which this machine does not know."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
