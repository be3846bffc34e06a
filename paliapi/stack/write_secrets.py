"""Writes the secrets of a containerised stack: `python -m paliapi.stack.write_secrets FOLDER`.

In `FOLDER`, each container has a folder of its own, which is a volume that only this container mounts. It contains a
file for each secret that the container needs. `administration` contains all secrets, and the source that they are
generated from. Existing secrets are not changed.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from paliapi import env, parts
from paliapi.configuration.sources import process_environ
from paliapi.roles import DATABASE_LOGINS
from paliapi.stack import environment, redis_users, secret_store
from paliapi.stack.errors import StackError

_ADMINISTRATION = "administration"
_ADMINISTRATOR = "DATABASE_SETUP_PASSWORD"
# Of what people have set, these parts get the settings without the secrets, in a file that `env` reads.
_WITHOUT_ENV_FILE = (parts.COURIER, parts.BEAT)
_ABOUT = "Written at each start of the containers."


def write(
    folder: Path, *, chosen: Mapping[str, str] | None = None, database: str = "db:5432", queue: str = "redis:6379"
) -> None:
    """Write every file, readable only by this user; `database` and `queue` are the addresses of Postgres and Redis."""
    secrets = secret_store.load_or_create(folder / _ADMINISTRATION, more=(_ADMINISTRATOR,))
    values = {
        "SECRET_KEY": secrets["SECRET_KEY"],
        "API_KEY_PEPPERS": f"1:{secrets['API_KEY_PEPPER']}",
        "DATABASE_SETUP_URL": f"postgresql://postgres:{secrets[_ADMINISTRATOR]}@{database}/postgres",
        **{
            name: f"postgresql://{role}:{secrets[secret_store.PASSWORDS[role]]}@{database}/paliapi"
            for name, role in DATABASE_LOGINS.items()
        },
        "REDIS_URL": f"redis://{redis_users.USER}:{secrets['REDIS_PASSWORD']}@{queue}/0",
        "EMBEDDINGS_URL_TOKEN": secrets["EMBEDDINGS_URL_TOKEN"],
    }
    _write(folder / _ADMINISTRATION, {name.lower(): value for name, value in values.items()})
    for part in parts.PARTS:
        read = {setting.name for setting in env.settings() if part in setting.parts}
        of_part = environment.with_own_login(values, part)
        _write(folder / part, {name.lower(): value for name, value in of_part.items() if name in read})
    _write(folder / "db", {"postgres_password": secrets[_ADMINISTRATOR]})
    rules = "".join(f"{rule}\n" for rule in redis_users.rules(secrets["REDIS_PASSWORD"]))
    _write(folder / "redis", {"redis_url": values["REDIS_URL"], "redis_users.acl": rules})
    _write(folder / "embeddings", {"embeddings_token": secrets["EMBEDDINGS_URL_TOKEN"]})
    for part in _WITHOUT_ENV_FILE:
        secret_store.write_private(folder / part / "stack.env", _settings(part, chosen or {}), about=_ABOUT)


def _settings(part: str, chosen: Mapping[str, str]) -> dict[str, str]:
    names = [one.name for one in env.settings() if not one.secret and (not one.parts or part in one.parts)]
    return {name: chosen[name] for name in names if chosen.get(name)}


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write these files, after deleting those of earlier versions."""
    for path in folder.iterdir():
        if path.is_file() and path.name not in {*texts, secret_store.FILE, "stack.env"}:
            path.unlink()
    for name, text in texts.items():
        draft = folder / f"{name}.draft"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(folder / name)


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]), chosen=process_environ())
    except StackError as problem:
        sys.exit(str(problem))
