"""Writes the secrets of a containerised stack: `python -m paliapi.stack.write_secrets ADMINISTRATION SECRETS`.

Both folders are volumes. Every container reads the second, which has a file for each secret. The first contains the
source of all secrets and those that the web server and the workers must not know. Existing secrets are not changed.
"""

import os
import sys
from pathlib import Path

from paliapi.roles import APP, OWNER
from paliapi.stack import secret_store
from paliapi.stack.errors import StackError

_ADMINISTRATOR = "DATABASE_SETUP_PASSWORD"


def write(administration: Path, shared: Path, *, database: str = "db:5432", queue: str = "redis:6379") -> None:
    """Write every file, readable only by this user; `database` and `queue` are the addresses of Postgres and Redis."""
    secrets = secret_store.load_or_create(administration, more=(_ADMINISTRATOR,))
    _write(
        administration,
        {
            "postgres_password": secrets[_ADMINISTRATOR],
            "database_setup_url": f"postgresql://postgres:{secrets[_ADMINISTRATOR]}@{database}/postgres",
        },
    )
    _write(
        shared,
        {
            "secret_key": secrets["SECRET_KEY"],
            "api_key_peppers": f"1:{secrets['API_KEY_PEPPER']}",
            "database_admin_url": f"postgresql://{OWNER}:{secrets['DATABASE_OWNER_PASSWORD']}@{database}/paliapi",
            "database_url": f"postgresql://{APP}:{secrets['DATABASE_APP_PASSWORD']}@{database}/paliapi",
            "redis_password": secrets["REDIS_PASSWORD"],
            "redis_url": f"redis://:{secrets['REDIS_PASSWORD']}@{queue}/0",
            "embeddings_token": secrets["EMBEDDINGS_URL_TOKEN"],
        },
    )


def _write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        draft = folder / f"{name}.draft"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(folder / name)


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]), Path(sys.argv[2]))
    except StackError as problem:
        sys.exit(str(problem))
