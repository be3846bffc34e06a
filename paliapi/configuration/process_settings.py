"""The settings of processes: what they listen on, their secrets, and the services that they connect to."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from paliapi.configuration.setting import setting
from paliapi.configuration.values import (
    Network,
    between,
    boolean,
    comma_list,
    long_text,
    networks,
    one_of,
    path,
    peppers,
    text,
    url,
)
from paliapi.parts import ADMIN, ADMINISTRATION, BEAT, COURIER, PARTS, WEB, WORKER

ROOT = Path(__file__).resolve().parents[2]

web_url = partial(url, schemes=("http", "https"))
_postgres_url = partial(url, schemes=("postgres", "postgresql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """The first fields of `Env`."""

    # General
    mode: Literal["development", "production"] = setting(
        "PALIAPI_MODE",
        partial(one_of, choices=("development", "production")),
        "development",
        about="`production` refuses to start unless every needed variable is set",
    )
    part: str = setting(
        "PALIAPI_PART",
        partial(one_of, choices=PARTS),
        "",
        about="the part that this process is; it then reads no secrets of other parts; empty: all settings are read",
    )
    home: Path = setting(
        "PALIAPI_HOME", path, ROOT / ".paliapi", about="folder for all data, secrets and logs of the embedded stack"
    )
    host: str = setting("PALIAPI_HOST", text, "127.0.0.1", about="address that the web server listens on")
    port: int = setting("PALIAPI_PORT", between(1, 65535), 8001, about="port that the web server listens on")
    public_url: str = setting(
        "PUBLIC_URL",
        web_url,
        "",
        about="URL of the web server as clients see it; empty: http://localhost and the port",
    )
    allowed_hosts: tuple[str, ...] = setting(
        "ALLOWED_HOSTS",
        comma_list,
        ("localhost", "127.0.0.1", "[::1]"),
        about="host names that requests may use, separated by commas",
        needed_in_production=True,
    )
    trust_proxy: bool = setting(
        "TRUST_PROXY",
        boolean,
        False,
        about="true behind a proxy that itself sets X-Forwarded-Proto, and appends to X-Forwarded-For",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        "TRUSTED_PROXIES",
        networks,
        (),
        about="networks of further proxies in front of that one, separated by commas",
    )
    log_level: str = setting(
        "LOG_LEVEL",
        partial(one_of, choices=("DEBUG", "INFO", "WARNING", "ERROR")),
        "INFO",
        about="minimum level of log messages",
    )
    log_format: str = setting(
        "LOG_FORMAT",
        partial(one_of, choices=("json", "console")),
        "json",
        about="`json` for machines, `console` for people",
    )
    admin: bool = setting("ADMIN", boolean, True, about="whether there is an admin, a web server of its own")
    admin_host: str = setting("ADMIN_HOST", text, "127.0.0.1", about="address that the admin listens on")
    admin_port: int = setting(
        "ADMIN_PORT", between(0, 65535), 0, about="port that the admin listens on; 0: PALIAPI_PORT plus 1000"
    )
    admin_url: str = setting(
        "ADMIN_URL",
        web_url,
        "",
        about="URL of the admin as staff see it; empty: PUBLIC_URL, or http://localhost and its port",
    )
    session_hours: int = setting(
        "SESSION_HOURS", between(1, 24 * 90), 12, about="hours after which a browser has to sign in again"
    )
    session_idle_minutes: int = setting(
        "SESSION_IDLE_MINUTES",
        between(1, 60 * 24 * 90),
        120,
        about="minutes without a request after which a session of the console ends, if it began with a password",
    )
    oidc_issuer: str = setting(
        "OIDC_ISSUER", web_url, "", about="OpenID Connect provider that users may sign in with; empty: none"
    )
    oidc_name: str = setting("OIDC_NAME", text, "single sign-on", about="what the button to that provider says")
    oidc_client_id: str = setting("OIDC_CLIENT_ID", text, "", about="what the provider knows this installation as")
    oidc_client_secret: str = setting(
        "OIDC_CLIENT_SECRET", text, "", about="secret for OIDC_CLIENT_ID", secret=True, parts=(WEB,)
    )
    staff_second_factor: Literal["optional", "required"] = setting(
        "STAFF_SECOND_FACTOR",
        partial(one_of, choices=("optional", "required")),
        "optional",
        about="`required` lets staff into the admin only after a second factor, which they add in the console",
    )
    web_workers: int = setting(
        "WEB_WORKERS",
        between(0, 64),
        0,
        about="number of web server processes; 0: with `make run` one for every two cores, at most 3, in containers 1",
    )
    web_threads: int = setting(
        "WEB_THREADS", between(1, 256), 8, about="threads, and database connections, of each web server process"
    )
    web_streams: int = setting(
        "WEB_STREAMS",
        between(1, 1024),
        8,
        about="event streams of each web server process; each has a thread in addition to those above",
    )
    web_queue_s: int = setting(
        "WEB_QUEUE_S",
        between(1, 120),
        5,
        about="seconds that a request may wait for a thread; longer waits get 503 with Retry-After",
    )
    web_connections: int = setting(
        "WEB_CONNECTIONS",
        between(16, 1_000_000),
        10_000,
        about="connections of each web server process; beyond that, those idle for longest are closed",
    )
    web_client_connections: int = setting(
        "WEB_CLIENT_CONNECTIONS",
        between(1, 1_000_000),
        256,
        about="connections of one client address that may be idle or in transfer; not limited if TRUST_PROXY is set",
    )
    web_min_kb_s: int = setting(
        "WEB_MIN_KB_S",
        between(1, 100_000),
        20,
        about="kilobytes per second that a client must send or read after the first 30 s, or be disconnected",
    )
    web_buffer_mb: int = setting(
        "WEB_BUFFER_MB",
        between(64, 10**9),
        1024,
        about="megabytes of disk of each web server process for bodies and responses in transfer, in PALIAPI_HOME",
    )
    worker_processes: int = setting("WORKER_PROCESSES", between(1, 64), 2, about="number of Celery worker processes")
    worker_documents: int = setting(
        "WORKER_DOCUMENTS",
        between(1, 256),
        24,
        about="documents that a worker process may have in flight; most of them wait for the embeddings service",
    )

    # Secrets
    secret_key: str = setting(
        "SECRET_KEY",
        partial(long_text, minimum=32),
        about="signs sessions, cursors and file links",
        secret=True,
        needed_in_production=True,
        parts=(WEB, COURIER, ADMIN),  # a webhook contains a link to a file
    )
    api_key_peppers: tuple[tuple[int, str], ...] = setting(
        "API_KEY_PEPPERS",
        peppers,
        about="numbered secrets that API keys are hashed with: 1:SECRET,2:SECRET; new keys use the highest",
        secret=True,
        needed_in_production=True,
        parts=(WEB, COURIER),
        absent=(),
    )
    metrics_token: str = setting(
        "METRICS_TOKEN",
        text,
        "",
        about="bearer token for /metrics; empty: no token needed in development, no access in production",
        secret=True,
        parts=(WEB,),
    )

    # Connections
    database_url: str = setting(
        "DATABASE_URL",
        _postgres_url,
        about="Postgres with pgvector; replaces the embedded one",
        example="postgresql://paliapi_app:SECRET@localhost:5432/paliapi",
        secret=True,
        needed_in_production=True,
        parts=(WEB, WORKER, COURIER, ADMIN),
    )
    database_worker_url: str = setting(
        "DATABASE_WORKER_URL",
        _postgres_url,
        "",
        about="login of the workers, paliapi_worker; empty: DATABASE_URL",
        secret=True,
        parts=(WORKER, COURIER),
    )
    database_staff_url: str = setting(
        "DATABASE_STAFF_URL",
        _postgres_url,
        "",
        about="login of the admin and of commands, paliapi_staff_login; empty: DATABASE_URL",
        secret=True,
        parts=(ADMIN,),
    )
    database_sign_in_url: str = setting(
        "DATABASE_SIGN_IN_URL",
        _postgres_url,
        "",
        about="login of the pages where people sign in, paliapi_sign_in; empty: DATABASE_URL",
        secret=True,
        parts=(WEB,),
    )
    database_admin_url: str = setting(
        "DATABASE_ADMIN_URL",
        _postgres_url,
        "",
        about="login of the role that owns the tables, for migrations; empty: DATABASE_URL",
        secret=True,
        parts=ADMINISTRATION,
    )
    database_setup_url: str = setting(
        "DATABASE_SETUP_URL",
        _postgres_url,
        "",
        about="login of a server administrator, for setup_database only",
        secret=True,
        parts=ADMINISTRATION,
    )
    redis_url: str = setting(
        "REDIS_URL",
        partial(url, schemes=("redis", "rediss", "unix")),
        about="Redis or Valkey, for the queue and the rate limits; replaces the embedded one",
        example="redis://localhost:6379/0",
        secret=True,
        needed_in_production=True,
        parts=(WEB, WORKER, COURIER, BEAT, ADMIN),
    )
    embeddings_url: str = setting(
        "EMBEDDINGS_URL",
        web_url,
        about="the embeddings service; replaces the embedded one",
        example="https://gpu.example.com",
        needed_in_production=True,
        parts=(WEB, WORKER),
    )
    embeddings_url_token: str = setting(
        "EMBEDDINGS_URL_TOKEN",
        text,
        "",
        about="bearer token of the embeddings service",
        secret=True,
        parts=(WEB, WORKER),
    )
