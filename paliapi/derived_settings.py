"""Settings that follow from several variables, or from files."""

import hashlib
import re
from importlib.metadata import version
from typing import Any

from paliapi.env import ROOT, Env
from paliapi.parts import ADMIN, OWN_DATABASE_LOGIN, WORKER

ADMIN_THREADS = 8  # each with a database connection
SIGN_IN_CONNECTIONS = 4  # for a moment each: passwords are checked one at a time
# Documents in flight share these: most of them wait for the embeddings service, and then hold none.
_WORKER_CONNECTIONS = 12
# By default. All connections together have to fit the limit of Postgres, and the caches of all processes the memory.
_MAX_WEB_PROCESSES = 3


def web_processes(env: Env, *, cores: int, share_metrics: bool) -> int:
    """Return the number of web server processes.

    By default, half of the cores are for the database, the embeddings service and the workers. There is one process if
    processes have no folder to share their metrics in, or /metrics would be incomplete.
    """
    return env.web_workers or (min(max(1, cores // 2), _MAX_WEB_PROCESSES) if share_metrics else 1)


def admin_bind(env: Env) -> tuple[str, int]:
    """Return the address and the port that the admin listens on."""
    # The next port would often be that of another instance.
    derived = env.port + 1000 if env.port + 1000 <= 65535 else env.port - 1000
    return env.admin_host, env.admin_port or derived


def admin_url(env: Env) -> str:
    """Return the URL of the admin as staff see it, without a slash at the end."""
    return (env.admin_url or env.public_url or f"http://localhost:{admin_bind(env)[1]}").rstrip("/")


def database_login(env: Env) -> str:
    """Return the URL of the login of this process; a login for all parts must be allowed to assume every role."""
    own = OWN_DATABASE_LOGIN.get(env.part)
    return (getattr(env, own.lower()) if own else "") or env.database_url


def database_connections(env: Env) -> int:
    """Return the number of database connections that this process may open."""
    if env.part == WORKER:
        return _WORKER_CONNECTIONS
    threads = ADMIN_THREADS if env.part == ADMIN else env.web_threads + env.web_streams
    return threads + 2


def openid_providers(env: Env) -> dict[str, Any]:
    """Return django-allauth's settings of the provider of OpenID Connect, if there is one."""
    if not env.oidc_issuer:
        return {}
    app = {
        "provider_id": "openid",
        "name": env.oidc_name,
        "client_id": env.oidc_client_id,
        "secret": env.oidc_client_secret,
        "settings": {"server_url": env.oidc_issuer.rstrip("/")},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


def static_version() -> str:
    """Return a digest of all static files: those of ours by their contents, those of packages by their versions."""
    digest = hashlib.sha256()
    for package in ("django", "drf-spectacular-sidecar"):
        digest.update(version(package).encode())
    for file in sorted(ROOT.glob("*/static/**/*")):
        if file.is_file():
            digest.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def is_static_address(_path: str, url: str) -> bool:
    """Return whether the content at a static address never changes: the address has a digest."""
    return re.match(r"/static/[0-9a-f]{12}/", url) is not None
