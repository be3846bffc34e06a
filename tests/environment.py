"""The environment of the tests, set before Django's settings are read.

Nothing on the machine, no `.env` and no running stack, leaks in.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

HOME = Path(tempfile.gettempdir()) / f"paliapi-tests-{os.getpid()}"

ENVIRONMENT = {
    "PALIAPI_HOME": str(HOME),
    "SECRET_KEY": "for-tests-only-" * 4,
    "API_KEY_PEPPERS": "1:" + "first-pepper-" * 4 + ",2:" + "second-pepper-" * 4,
    "DATABASE_URL": "postgresql://nobody@localhost/not-started-yet",
    "REDIS_URL": "redis://localhost:1/0",
    "EMBEDDINGS_URL": "http://127.0.0.1:1",
    "LOG_LEVEL": "WARNING",
    "WAIT_TIMEOUT_S": "1",
}


def measured() -> dict[str, str]:
    """What a process with an environment of its own needs, so that its lines count where those of the tests do."""
    return {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}  # noqa: TID251


def compiled_here() -> dict[str, str]:
    """Where machine code is kept; a process that looked elsewhere would compile all loops anew."""
    return {name: value for name, value in os.environ.items() if name == "NUMBA_CACHE_DIR"}  # noqa: TID251


@dataclass(frozen=True)
class Services:
    """Where this run's Postgres and Redis are."""

    owner_url: str
    app_url: str
    redis_url: str
    superuser_url: str
