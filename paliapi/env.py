"""The configuration of one process: the variables of the environment as one frozen, typed `Env`.

`paliapi.configuration.sources` says where values come from, and `paliapi.configuration.values` what they may look like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Literal, cast

from paliapi.configuration import process_settings
from paliapi.configuration.process_settings import ProcessSettings, web_url
from paliapi.configuration.setting import Setting, read_fields, setting
from paliapi.configuration.sources import gather, process_environ
from paliapi.configuration.values import (
    between,
    hosts_and_networks,
    one_of,
    path,
    ports,
    text,
    url,
)
from paliapi.parts import ADMIN, WEB, WORKER

ROOT = process_settings.ROOT

_count = between(1, 10**12)
_vector_storage = partial(one_of, choices=("full", "compact"))
_sandbox = partial(one_of, choices=("required", "best-effort"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(ProcessSettings):
    """The configuration of one process. The order of the fields, those of its base first, is that of `.env.example`."""

    # File storage
    media_root: Path | None = setting(
        "MEDIA_ROOT", path, None, about="folder for files; empty: `files` in PALIAPI_HOME"
    )
    s3_bucket: str = setting("S3_BUCKET", text, "", about="S3 bucket to store files in, instead of a folder")
    s3_endpoint_url: str = setting(
        "S3_ENDPOINT_URL", web_url, "", about="endpoint of an S3-compatible service other than AWS"
    )
    s3_region: str = setting("S3_REGION", text, "", about="region of the bucket")
    s3_access_key_id: str = setting(
        "S3_ACCESS_KEY_ID",
        text,
        "",
        about="access key; empty: the machine's own role",
        parts=(WEB, WORKER, ADMIN),
    )
    s3_secret_access_key: str = setting(
        "S3_SECRET_ACCESS_KEY",
        text,
        "",
        about="secret for S3_ACCESS_KEY_ID",
        secret=True,
        parts=(WEB, WORKER, ADMIN),
    )
    file_link_minutes: int = setting(
        "FILE_LINK_MINUTES", between(1, 7 * 24 * 60), 60, about="minutes that a signed file link is valid"
    )
    file_retention_hours: int = setting(
        "FILE_RETENTION_HOURS", between(1, 24 * 365), 24, about="hours until an unused file is deleted"
    )

    # Limits per request
    max_upload_mb: int = setting("MAX_UPLOAD_MB", between(1, 4096), 50, about="maximum megabytes of a document")
    max_metadata_kb: int = setting("MAX_METADATA_KB", between(1, 1024), 256, about="maximum kilobytes of metadata")
    max_list: int = setting("MAX_LIST", between(1, 100_000), 10_000, about="maximum rows of a list in one response")
    max_expanded_mb: int = setting(
        "MAX_EXPANDED_MB", between(1, 1024), 64, about="maximum megabytes of page images in one response"
    )
    max_pages: int = setting("MAX_PAGES", between(1, 100_000), 1000, about="maximum pages of a document")
    render_megapixels: int = setting(
        "RENDER_MEGAPIXELS", between(1, 100), 25, about="maximum megapixels of a rendered page"
    )
    render_memory_mb: int = setting(
        "RENDER_MEMORY_MB", between(256, 65536), 1536, about="maximum megabytes of memory of the rendering process"
    )
    render_timeout_s: int = setting(
        "RENDER_TIMEOUT_S", between(1, 3600), 60, about="seconds without a new page after which rendering fails"
    )
    render_total_s: int = setting(
        "RENDER_TOTAL_S", between(1, 86_400), 1800, about="seconds that rendering a document may take"
    )
    render_sandbox: Literal["required", "best-effort"] = setting(
        "RENDER_SANDBOX", _sandbox, "best-effort", about="`required` opens files in fully confined processes only"
    )
    soffice: str = setting(
        "SOFFICE", text, "soffice", about="LibreOffice executable for Office files: a name on the PATH, or a path"
    )
    convert_timeout_s: int = setting(
        "CONVERT_TIMEOUT_S", between(1, 200), 120, about="seconds that LibreOffice may take for one file"
    )
    wait_timeout_s: int = setting(
        "WAIT_TIMEOUT_S",
        between(1, 600),
        60,
        about="seconds that an upload with `wait` may take; after that, the response is 202",
    )
    stream_s: int = setting(
        "STREAM_S",
        between(1, 3600),
        300,
        about="seconds that one event stream may last; after that, the client reconnects",
    )
    index_mb: int = setting(
        "INDEX_MB",
        _count,
        512,
        about="megabytes for sketches in each web server process, in addition to those in files; a page takes 2.6 kB",
    )
    index_root: Path | None = setting(
        "INDEX_ROOT",
        path,
        None,
        about="folder for files of sketches, which processes share; empty: `index` in PALIAPI_HOME",
    )
    index_files_mb: int = setting(
        "INDEX_FILES_MB", between(0, 10**12), 16_384, about="maximum megabytes of these files together; 0: none"
    )
    vector_storage: Literal["full", "compact"] = setting(
        "VECTOR_STORAGE", _vector_storage, "full", about="how new collections store vectors: `compact` takes a quarter"
    )
    vectors_cache_mb: int = setting(
        "VECTORS_CACHE_MB", _count, 512, about="megabytes for page vectors in each web server process"
    )
    vectors_file_mb: int = setting(
        "VECTORS_FILE_MB", between(0, 10**12), 2048, about="megabytes of disk for further page vectors; 0: none"
    )
    read_timeout_s: int = setting(
        "READ_TIMEOUT_S", between(1, 3600), 10, about="seconds that a database statement of a reading request may take"
    )
    write_timeout_s: int = setting(
        "WRITE_TIMEOUT_S", between(1, 3600), 60, about="the same for a request that changes something"
    )
    search_timeout_s: int = setting("SEARCH_TIMEOUT_S", _count, 30, about="seconds that ranking may take")

    # Documents by URL
    fetch_timeout_s: int = setting(
        "FETCH_TIMEOUT_S", between(1, 200), 120, about="seconds that fetching one URL may take"
    )
    fetch_ports: frozenset[int] = setting(
        "FETCH_PORTS", ports, frozenset({80, 443}), about="ports that URLs may use, separated by commas"
    )
    fetch_allow: tuple[str, ...] = setting(
        "FETCH_ALLOW",
        hosts_and_networks,
        (),
        about="private hosts and networks that documents may be fetched from, such as wiki.example",
    )
    fetch_proxy: str = setting(
        "FETCH_PROXY",
        partial(url, schemes=("http",)),
        "",
        about="egress proxy for documents with `use_proxy`; it must itself refuse private addresses",
        secret=True,
        parts=(WORKER,),
    )

    # Webhooks
    max_webhooks: int = setting("MAX_WEBHOOKS", _count, 10, about="webhooks that an owner may have")
    webhook_timeout_s: int = setting(
        "WEBHOOK_TIMEOUT_S", between(1, 60), 15, about="seconds that a receiver may take to respond"
    )
    webhook_disable_days: int = setting(
        "WEBHOOK_DISABLE_DAYS", between(1, 365), 5, about="days without a success until a webhook is disabled"
    )
    webhook_retention_days: int = setting(
        "WEBHOOK_RETENTION_DAYS", between(1, 3650), 30, about="days until deliveries are deleted"
    )
    webhook_ports: frozenset[int] = setting(
        "WEBHOOK_PORTS", ports, frozenset({80, 443}), about="ports that webhooks may use, separated by commas"
    )
    webhook_allow: tuple[str, ...] = setting(
        "WEBHOOK_ALLOW", hosts_and_networks, (), about="private hosts and networks that may receive webhooks"
    )

    # Limits per key and owner
    rate_per_minute: int = setting(
        "RATE_PER_MINUTE", _count, 600, about="units that a key may spend per minute; a simple request costs one"
    )
    rate_burst: int = setting("RATE_BURST", _count, 120, about="units that a key may spend at once")
    rate_owner_factor: int = setting(
        "RATE_OWNER_FACTOR", between(1, 1000), 2, about="how many times the rate of a key all keys of an owner have"
    )
    address_rate_per_minute: int = setting(
        "ADDRESS_RATE_PER_MINUTE", _count, 1200, about="requests without a valid key that an address may make a minute"
    )
    max_concurrent_searches: int = setting(
        "MAX_CONCURRENT_SEARCHES", _count, 8, about="searches that an owner may run concurrently"
    )
    max_concurrent_uploads: int = setting(
        "MAX_CONCURRENT_UPLOADS", _count, 4, about="uploads that an owner may run concurrently"
    )
    max_concurrent_streams: int = setting(
        "MAX_CONCURRENT_STREAMS", _count, 4, about="event streams that an owner may have open concurrently"
    )
    shadow_percent: int = setting(
        "SHADOW_PERCENT", between(0, 100), 1, about="percentage of searches that a worker repeats to measure recall"
    )
    max_evaluations: int = setting("MAX_EVALUATIONS", _count, 100, about="evaluations that an owner may have")
    max_evaluation_runs: int = setting("MAX_EVALUATION_RUNS", _count, 20, about="runs that are stored of an evaluation")
    queue_documents: int = setting(
        "QUEUE_DOCUMENTS", _count, 20_000, about="documents of an owner that may wait to be processed"
    )
    quota_collections: int = setting("QUOTA_COLLECTIONS", _count, 10_000, about="collections per owner")
    quota_documents: int = setting("QUOTA_DOCUMENTS", _count, 100_000, about="documents that an owner may store")
    quota_pages: int = setting("QUOTA_PAGES", _count, 1_000_000, about="pages that an owner may store")
    quota_mb: int = setting("QUOTA_MB", _count, 100_000, about="megabytes of files and metadata per owner")

    # For tests only
    failpoint: str = setting(
        "PALIAPI_FAILPOINT",
        text,
        "",
        about="fault to inject at a named point, such as pages_stored:2=kill; empty: none",
    )

    @property
    def production(self) -> bool:
        return self.mode == "production"

    @property
    def files(self) -> Path:
        return self.media_root or self.home / "files"

    @property
    def index_files(self) -> Path:
        return self.index_root or self.home / "index"

    @property
    def max_body_bytes(self) -> int:
        """The size of the largest request body: JSON with a document of maximum size in base64."""
        return (self.max_upload_mb * 4 // 3 + 2) * 1024 * 1024

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")


def settings() -> list[Setting]:
    """Return every variable, in the order of `.env.example`."""
    return [cast(Setting, item.metadata["setting"]) for item in fields(Env)]


def read(values: Mapping[str, str]) -> Env:
    """Return the Env in `values`, or raise one EnvError that lists every problem."""
    return read_fields(Env, values, part=values.get("PALIAPI_PART", ""))


def load() -> Env:
    """Return the Env of this process."""
    return read(gather(process_environ(), root=ROOT))
