"""The secrets of one home, which are generated once and never changed, because keys and sessions depend on them."""

import os
import secrets
from pathlib import Path

from paliapi.configuration.values import parse_file
from paliapi.roles import APP, OWNER, SIGN_IN, STAFF_LOGIN, WORKER
from paliapi.stack.errors import describe

FILE = "secrets.env"
# Of the database logins.
PASSWORDS = {
    OWNER: "DATABASE_OWNER_PASSWORD",
    APP: "DATABASE_APP_PASSWORD",
    WORKER: "DATABASE_WORKER_PASSWORD",
    STAFF_LOGIN: "DATABASE_STAFF_PASSWORD",
    SIGN_IN: "DATABASE_SIGN_IN_PASSWORD",
}
_NAMES = (
    "SECRET_KEY",
    "API_KEY_PEPPER",
    *PASSWORDS.values(),
    "REDIS_PASSWORD",
    "EMBEDDINGS_URL_TOKEN",
)


def load_or_create(home: Path, *, more: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the secrets by name, including those in `more`, and generate the missing ones."""
    path, names = home / FILE, _NAMES + more
    try:
        stored = parse_file(path.read_text(encoding="utf-8")) if path.exists() else {}
        if all(stored.get(name) for name in names):
            return stored
        complete = {name: stored.get(name) or secrets.token_urlsafe(36) for name in names}
        write_private(path, complete, about="Secrets of this PaliAPI. Losing them makes every API key useless.")
    except OSError as problem:
        raise describe(problem, path=path) from problem
    return complete


def write_private(path: Path, values: dict[str, str], *, about: str) -> None:
    """Write NAME=value lines atomically, readable only by this user."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    lines = [f"# {about}", *(f"{name}={value}" for name, value in values.items())]
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
