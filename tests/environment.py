"""The environment of the tests, set before Django's settings are read.

It does not depend on the machine, on `.env` or on a running stack.
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
    "DATABASE_URL": "postgresql://user@localhost/not-started-yet",
    "REDIS_URL": "redis://localhost:1/0",
    "EMBEDDINGS_URL": "http://127.0.0.1:1",
    "LOG_LEVEL": "WARNING",
    "WAIT_TIMEOUT_S": "1",
    # Most tests run in one transaction, which only their own thread sees.
    "WORKER_DOCUMENTS": "1",
    # Tests that race each other send up to ten requests of one owner at once, all of them from one address.
    "WEB_THREADS": "16",
    "ADDRESS_RATE_PER_MINUTE": "1000000",
}


def measured() -> dict[str, str]:
    """Return the variables that a child process needs for its coverage to be measured."""
    return {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}  # noqa: TID251


def compiled_here() -> dict[str, str]:
    """Return the variable of the cache of compiled code; without it, a child process compiles everything again."""
    return {name: value for name, value in os.environ.items() if name == "NUMBA_CACHE_DIR"}  # noqa: TID251


@dataclass(frozen=True)
class Services:
    """The URLs of the Postgres and Redis of this test run."""

    owner_url: str
    app_url: str
    worker_url: str
    staff_url: str
    sign_in_url: str
    redis_url: str
    superuser_url: str
    redis_superuser_url: str
