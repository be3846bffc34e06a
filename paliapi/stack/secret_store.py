"""The secrets of one home: made once and never changed by us, since keys and sessions hang on them."""

import os
import secrets
from pathlib import Path

from paliapi.env_values import parse_file
from paliapi.stack.trouble import in_words

_FILE = "secrets.env"
_NAMES = (
    "SECRET_KEY",
    "API_KEY_PEPPER",
    "DATABASE_OWNER_PASSWORD",
    "DATABASE_APP_PASSWORD",
    "REDIS_PASSWORD",
    "EMBEDDINGS_URL_TOKEN",
)


def load_or_make(home: Path, *, more: tuple[str, ...] = ()) -> dict[str, str]:
    """The secrets by name, and those named in `more`. What is missing is made and added; what is there stays."""
    path, names = home / _FILE, _NAMES + more
    try:
        found = parse_file(path.read_text(encoding="utf-8")) if path.exists() else {}
        if all(found.get(name) for name in names):
            return found
        made = {name: found.get(name) or secrets.token_urlsafe(36) for name in names}
        write_private(path, made, about="Secrets of this PaliAPI. Losing them makes every API key useless.")
    except OSError as problem:
        raise in_words(problem, place=path) from problem
    return made


def write_private(path: Path, values: dict[str, str], *, about: str) -> None:
    """Write NAME=value lines for our own eyes only, whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    lines = [f"# {about}", *(f"{name}={value}" for name, value in values.items())]
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
