"""The only reader of the environment: a mapping becomes one frozen, typed `Env`.

Every problem is found and told in one message, which names variables and never shows a value.
Sources, the first that has a name wins: the process environment, `.env`, `.env.dev`, and
`stack.env` in PALIAPI_HOME, which the embedded stack writes so that other commands find it.
A secret may also come from a file: `NAME_FILE=/run/secrets/name`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from paliapi.env_values import flag, long, one_of, parse_file, path, peppers, places, ports, text, url, whole, words

ROOT = Path(__file__).resolve().parent.parent


class EnvError(Exception):
    """Something in the environment is wrong; the text names each variable and what is expected of it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The configuration cannot be used:\n" + "\n".join(f"  {line}" for line in problems))


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one variable besides its value."""

    name: str
    parse: Callable[[str], Any]
    about: str
    example: str
    secret: bool
    needed_in_production: bool


def _setting(
    name: str,
    parse: Callable[[str], Any],
    default: Any = MISSING,
    *,
    about: str,
    example: str = "",
    secret: bool = False,
    needed_in_production: bool = False,
) -> Any:
    known = Setting(name, parse, about, example, secret, needed_in_production)
    return field(default=default, metadata={"setting": known})


_web_url = partial(url, schemes=("http", "https"))
_postgres_url = partial(url, schemes=("postgres", "postgresql"))
_count = partial(whole, least=1, most=10**12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """The configuration of one process. Field order is the order of `.env.example`."""

    # How it runs
    mode: Literal["development", "production"] = _setting(
        "PALIAPI_MODE",
        partial(one_of, words=("development", "production")),
        "development",
        about="production refuses to start with anything left to chance",
    )
    home: Path = _setting(
        "PALIAPI_HOME", path, ROOT / ".paliapi", about="the one folder for data, secrets and logs of the embedded stack"
    )
    host: str = _setting("PALIAPI_HOST", text, "127.0.0.1", about="address the web listens on")
    port: int = _setting("PALIAPI_PORT", partial(whole, least=1, most=65535), 8001, about="port the web listens on")
    public_url: str = _setting(
        "PUBLIC_URL", _web_url, "", about="how people reach the web; empty: http://localhost and the port"
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "ALLOWED_HOSTS",
        words,
        ("localhost", "127.0.0.1", "[::1]"),
        about="host names that requests may use, with commas between",
        needed_in_production=True,
    )
    trust_proxy: bool = _setting(
        "TRUST_PROXY", flag, False, about="true behind a proxy that sets X-Forwarded-Proto and X-Forwarded-For itself"
    )
    log_level: str = _setting(
        "LOG_LEVEL", partial(one_of, words=("DEBUG", "INFO", "WARNING", "ERROR")), "INFO", about="how much is logged"
    )
    log_format: str = _setting(
        "LOG_FORMAT", partial(one_of, words=("json", "console")), "json", about="json for machines, console for people"
    )
    web_workers: int = _setting("WEB_WORKERS", partial(whole, least=1, most=64), 1, about="web processes")
    web_threads: int = _setting(
        "WEB_THREADS", partial(whole, least=1, most=256), 8, about="threads in each web process, and its connections"
    )
    web_streams: int = _setting(
        "WEB_STREAMS",
        partial(whole, least=1, most=1024),
        8,
        about="streams of events a web process sends at once; each has a thread of its own, beside those above",
    )
    web_queue_s: int = _setting(
        "WEB_QUEUE_S",
        partial(whole, least=1, most=120),
        5,
        about="seconds that a request may wait for a thread; who waited longer is told to come back, with 503",
    )
    worker_processes: int = _setting("WORKER_PROCESSES", partial(whole, least=1, most=64), 2, about="Celery children")

    # Secrets
    secret_key: str = _setting(
        "SECRET_KEY",
        partial(long, least=32),
        about="signs sessions, cursors and file links",
        secret=True,
        needed_in_production=True,
    )
    api_key_peppers: tuple[tuple[int, str], ...] = _setting(
        "API_KEY_PEPPERS",
        peppers,
        about="numbered secrets that API keys are hashed with: 1:SECRET,2:SECRET; the highest is used for new keys",
        secret=True,
        needed_in_production=True,
    )
    metrics_token: str = _setting(
        "METRICS_TOKEN",
        text,
        "",
        about="bearer token for /metrics; empty: open in development, closed in production",
        secret=True,
    )

    # What it talks to
    database_url: str = _setting(
        "DATABASE_URL",
        _postgres_url,
        about="Postgres with pgvector; replaces the embedded one",
        example="postgresql://paliapi_app:SECRET@localhost:5432/paliapi",
        secret=True,
        needed_in_production=True,
    )
    database_admin_url: str = _setting(
        "DATABASE_ADMIN_URL",
        _postgres_url,
        "",
        about="owns the tables, to migrate; empty: as DATABASE_URL",
        secret=True,
    )
    database_setup_url: str = _setting(
        "DATABASE_SETUP_URL", _postgres_url, "", about="administers the server, for setup_database alone", secret=True
    )
    redis_url: str = _setting(
        "REDIS_URL",
        partial(url, schemes=("redis", "rediss", "unix")),
        about="Redis for the queue and the rate limits; replaces the embedded one",
        example="redis://localhost:6379/0",
        secret=True,
        needed_in_production=True,
    )
    embeddings_url: str = _setting(
        "EMBEDDINGS_URL",
        _web_url,
        about="the embeddings service; replaces the embedded one",
        example="https://gpu.example.com",
        needed_in_production=True,
    )
    embeddings_url_token: str = _setting(
        "EMBEDDINGS_URL_TOKEN", text, "", about="bearer token of the embeddings service", secret=True
    )

    # Where files lie
    media_root: Path | None = _setting("MEDIA_ROOT", path, None, about="folder for files; empty: files in PALIAPI_HOME")
    s3_bucket: str = _setting("S3_BUCKET", text, "", about="keep files in this S3 bucket instead of a folder")
    s3_endpoint_url: str = _setting("S3_ENDPOINT_URL", _web_url, "", about="an S3-compatible service other than AWS")
    s3_region: str = _setting("S3_REGION", text, "", about="region of the bucket")
    s3_access_key_id: str = _setting("S3_ACCESS_KEY_ID", text, "", about="empty: what the machine's role allows")
    s3_secret_access_key: str = _setting("S3_SECRET_ACCESS_KEY", text, "", about="goes with the id", secret=True)
    file_link_minutes: int = _setting(
        "FILE_LINK_MINUTES", partial(whole, least=1, most=7 * 24 * 60), 60, about="how long a signed file link works"
    )
    file_retention_hours: int = _setting(
        "FILE_RETENTION_HOURS", partial(whole, least=1, most=24 * 365), 24, about="how long an unused file is kept"
    )

    # Limits of one request
    max_upload_mb: int = _setting("MAX_UPLOAD_MB", partial(whole, least=1, most=4096), 50, about="largest document")
    max_metadata_kb: int = _setting(
        "MAX_METADATA_KB", partial(whole, least=1, most=1024), 256, about="largest metadata"
    )
    max_list: int = _setting(
        "MAX_LIST", partial(whole, least=1, most=100_000), 10_000, about="most rows a list answers before it pages"
    )
    max_expanded_mb: int = _setting(
        "MAX_EXPANDED_MB", partial(whole, least=1, most=1024), 64, about="most page images one answer carries"
    )
    max_pages: int = _setting(
        "MAX_PAGES", partial(whole, least=1, most=100_000), 1000, about="most pages of a document"
    )
    render_megapixels: int = _setting(
        "RENDER_MEGAPIXELS", partial(whole, least=1, most=100), 25, about="largest page that is rendered, in megapixels"
    )
    render_memory_mb: int = _setting(
        "RENDER_MEMORY_MB", partial(whole, least=256, most=65536), 1536, about="memory of the process that renders"
    )
    render_timeout_s: int = _setting(
        "RENDER_TIMEOUT_S",
        partial(whole, least=1, most=3600),
        60,
        about="seconds without a new page after which drawing a document is given up",
    )
    render_total_s: int = _setting(
        "RENDER_TOTAL_S", partial(whole, least=1, most=86_400), 1800, about="seconds for all pages of a document"
    )
    soffice: str = _setting(
        "SOFFICE", text, "soffice", about="LibreOffice's program, for Office files: a name on the PATH, or a path"
    )
    convert_timeout_s: int = _setting(
        "CONVERT_TIMEOUT_S", partial(whole, least=1, most=200), 120, about="seconds LibreOffice has for one file"
    )
    wait_timeout_s: int = _setting(
        "WAIT_TIMEOUT_S",
        partial(whole, least=1, most=600),
        60,
        about="seconds that an upload with `wait` holds its answer; then it is 202",
    )
    stream_s: int = _setting(
        "STREAM_S",
        partial(whole, least=1, most=3600),
        300,
        about="seconds that one stream of events may last; then its client connects again",
    )
    index_mb: int = _setting("INDEX_MB", _count, 512, about="memory of a web process for sketches, 2.6 kB a page")
    vectors_cache_mb: int = _setting("VECTORS_CACHE_MB", _count, 512, about="the same for vectors of pages")
    vectors_file_mb: int = _setting(
        "VECTORS_FILE_MB", partial(whole, least=0, most=10**12), 2048, about="disk for those of more pages; 0: none"
    )
    search_timeout_s: int = _setting("SEARCH_TIMEOUT_S", _count, 30, about="seconds that ranking pages may take")

    # Documents by URL
    fetch_timeout_s: int = _setting(
        "FETCH_TIMEOUT_S", partial(whole, least=1, most=200), 120, about="seconds that fetching one URL may take"
    )
    fetch_ports: frozenset[int] = _setting(
        "FETCH_PORTS", ports, frozenset({80, 443}), about="ports that URLs may name, with commas between"
    )
    fetch_allow: tuple[str, ...] = _setting(
        "FETCH_ALLOW",
        places,
        (),
        about="hosts and networks that are not public and may be fetched from all the same, such as wiki.example",
    )
    fetch_proxy: str = _setting(
        "FETCH_PROXY",
        partial(url, schemes=("http",)),
        "",
        about="egress proxy for documents that ask for one (`use_proxy`); it must itself refuse private addresses",
        secret=True,
    )

    # Webhooks
    max_webhooks: int = _setting("MAX_WEBHOOKS", _count, 10, about="webhooks an owner may have")
    webhook_timeout_s: int = _setting(
        "WEBHOOK_TIMEOUT_S", partial(whole, least=1, most=60), 15, about="seconds that a receiver may take to answer"
    )
    webhook_disable_days: int = _setting(
        "WEBHOOK_DISABLE_DAYS", partial(whole, least=1, most=365), 5, about="days without a success that disable one"
    )
    webhook_retention_days: int = _setting(
        "WEBHOOK_RETENTION_DAYS", partial(whole, least=1, most=3650), 30, about="days that deliveries are kept"
    )
    webhook_ports: frozenset[int] = _setting(
        "WEBHOOK_PORTS", ports, frozenset({80, 443}), about="ports that webhooks may name, with commas between"
    )
    webhook_allow: tuple[str, ...] = _setting(
        "WEBHOOK_ALLOW",
        places,
        (),
        about="hosts and networks that are not public and may receive webhooks all the same",
    )

    # Limits of one key and one owner
    rate_per_minute: int = _setting("RATE_PER_MINUTE", _count, 600, about="requests a key may make in a minute")
    rate_burst: int = _setting("RATE_BURST", _count, 120, about="requests a key may make at once")
    max_concurrent_searches: int = _setting(
        "MAX_CONCURRENT_SEARCHES", _count, 8, about="searches an owner may have running at once"
    )
    max_concurrent_uploads: int = _setting(
        "MAX_CONCURRENT_UPLOADS", _count, 4, about="uploads an owner may have running at once"
    )
    max_concurrent_streams: int = _setting(
        "MAX_CONCURRENT_STREAMS", _count, 4, about="streams of events an owner may have open at once"
    )
    shadow_percent: int = _setting(
        "SHADOW_PERCENT", partial(whole, least=0, most=100), 1, about="of 100 searches, how many a worker makes again"
    )
    quota_documents: int = _setting("QUOTA_DOCUMENTS", _count, 100_000, about="documents an owner may keep")
    quota_pages: int = _setting("QUOTA_PAGES", _count, 1_000_000, about="pages an owner may keep")
    quota_mb: int = _setting("QUOTA_MB", _count, 100_000, about="megabytes of uploaded files an owner may keep")

    # Only for tests
    failpoint: str = _setting(
        "PALIAPI_FAILPOINT", text, "", about="a fault at a named place, such as pages_stored:2=kill; empty: none"
    )

    @property
    def production(self) -> bool:
        return self.mode == "production"

    @property
    def files(self) -> Path:
        return self.media_root or self.home / "files"

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")


def settings() -> list[Setting]:
    """Every variable there is, in the order of `.env.example`."""
    return [cast(Setting, item.metadata["setting"]) for item in fields(Env)]


def read(values: Mapping[str, str]) -> Env:
    """The Env in `values`, or one EnvError with all that is wrong."""
    problems: list[str] = []
    found: dict[str, Any] = {}
    given: set[str] = set()
    for item in fields(Env):
        setting = cast(Setting, item.metadata["setting"])
        raw = _raw(values, setting, problems)
        if raw:
            given.add(setting.name)
            try:
                found[item.name] = setting.parse(raw)
            except ValueError as problem:
                problems.append(f"{setting.name} {problem}.")
        elif item.default is MISSING:
            problems.append(f"{setting.name} is not set: {setting.about}.")
    if found.get("mode") == "production":
        problems += _left_to_chance(given)
    if problems:
        raise EnvError(sorted(set(problems)))
    return Env(**found)


def _raw(values: Mapping[str, str], setting: Setting, problems: list[str]) -> str:
    raw = values.get(setting.name, "")
    file = values.get(f"{setting.name}_FILE", "") if setting.secret else ""
    if raw and file:
        problems.append(f"{setting.name} and {setting.name}_FILE are both set; keep one.")
    if raw or not file:
        return raw
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        problems.append(f"{setting.name}_FILE names a file that cannot be read.")
        return ""


def _left_to_chance(given: set[str]) -> list[str]:
    missing = (item for item in settings() if item.needed_in_production and item.name not in given)
    return [f"{item.name} must be set in production: {item.about}." for item in missing]


def gather(environ: Mapping[str, str], *, root: Path = ROOT) -> dict[str, str]:
    """All variables from every source; a source nearer to the process wins."""
    nearer = given(environ, root=root)
    # An empty variable takes back what a file says, but does not hide a running stack.
    said = {name: value for name, value in nearer.items() if value}
    return {**_file(home_of(nearer, root=root) / "stack.env"), **said}


def given(environ: Mapping[str, str], *, root: Path = ROOT) -> dict[str, str]:
    """What people have set: every source but the embedded stack."""
    return {**_file(root / ".env.dev"), **_file(root / ".env"), **environ}


def home_of(values: Mapping[str, str], *, root: Path = ROOT) -> Path:
    """PALIAPI_HOME, which decides where one more source lies."""
    return path(values["PALIAPI_HOME"]) if values.get("PALIAPI_HOME") else root / ".paliapi"


def _file(path: Path) -> dict[str, str]:
    try:
        return parse_file(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return {}


def process_environ() -> dict[str, str]:
    """A copy of this process's environment, for the embedded stack to build on and hand on."""
    return dict(os.environ)


def load() -> Env:
    """The Env of this process."""
    return read(gather(os.environ))
