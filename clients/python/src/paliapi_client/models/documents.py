"""Answers of the API about documents, with its field names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why processing a file, or a request about it, failed."""

    code: str
    detail: str
    page: int | None = None
    """The page that failed, if it was a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A page that was left out because of an error."""

    page: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a document, in a document that was requested with `expand="pages"`."""

    text_source: str
    """Where the page's text is from: the `file`, `ocr`, or `none` if no text is known. Only a model that sees images
    finds such a page."""
    scripts: list[str]
    """The scripts of the text, such as `Latin`, `Cyrillic` or `Han`, the most frequent first."""
    unread_script: str | None = None
    """The script of text on the image that OCR could not read, such as `Arabic`, or `unknown`."""
    document_name: str
    page_number: int
    """Starts at 1."""
    img_base64: str
    """The page image in base64, without a `data:` prefix; empty if its file is missing from storage."""
    thumbnail_url: str | None = None
    """A signed link to the thumbnail that expires; null if there is no thumbnail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDetail:
    """One page with its text."""

    text_source: str
    """Where the page's text is from: the `file`, `ocr`, or `none` if no text is known. Only a model that sees images
    finds such a page."""
    scripts: list[str]
    """The scripts of the text, such as `Latin`, `Cyrillic` or `Han`, the most frequent first."""
    unread_script: str | None = None
    """The script of text on the image that OCR could not read, such as `Arabic`, or `unknown`."""
    collection_name: str
    document_name: str
    document_id: int
    page_number: int
    """Starts at 1."""
    page_id: int
    width: int
    """Width of the image in pixels."""
    height: int
    """Height of the image in pixels."""
    text: str
    """The text of the page; empty if none is known."""
    image_url: str
    """A signed link to the image that expires."""
    thumbnail_url: str | None = None
    """A signed link to the thumbnail that expires; null if there is no thumbnail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document and the state of its latest upload.

    Of one that was only just accepted, `id`, `name`, `collection_name` and `status` are known.
    """

    id: int
    name: str
    metadata: dict[str, Any] = field(default_factory=dict)
    """Empty if the key lacks the scope `read`."""
    url: str = ""
    """A signed link to the uploaded file, or the URL it was downloaded from; empty if the key lacks the scope `read`.
    """
    sha256: str | None = None
    """SHA-256 of the file of the latest upload, in hex; null before a URL is downloaded, and if the key lacks the
    scope `read`."""
    num_pages: int = 0
    """Number of pages that are searchable now."""
    pages_without_text: int | None = None
    """How many of them have no text that is known; null before they are stored, and for documents that an earlier
    version stored."""
    collection_name: str
    pages: list[Page] | None = None
    """Only with `expand=pages`."""
    status: str
    """State of the latest upload."""
    pages_total: int | None = None
    """Number of pages of the latest upload, once known."""
    pages_done: int = 0
    """How many of them are processed."""
    reused_pages: int = 0
    """How many of them reused the vectors of an identical page."""
    skipped_pages: list[Skipped] = field(default_factory=list)
    """Pages of the latest upload that were skipped: see `on_page_error`."""
    waiting_for: str | None = None
    """Code of what processing waits for, if it does; it continues automatically."""
    error: Failure | None = None
    """Why the latest upload failed."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    etag: str | None = None
    """The version, for `if_match`; only if the resource was requested alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEntry:
    """What became of one file of a batch."""

    name: str
    status: str
    """`queued`: the file is stored; see a document."""
    id: int | None = None
    """Id of the document; null if the file was refused."""
    error: Failure | None = None
    """Why the file was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """What became of the files of a batch."""

    collection_name: str
    accepted: int
    """Number of files that were accepted."""
    refused: int
    """Number of files that were refused."""
    documents: list[BatchEntry]
    """One for each file: those of `files`, then those of the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The processing of the latest upload of a document."""

    id: int
    """Id of the job; every upload is a new job."""
    document_id: int
    document_name: str
    collection_name: str
    status: str
    pages_total: int | None = None
    """Null until it is known."""
    pages_done: int
    pages_per_s: float | None = None
    """Pages that are processed per second; null if it is not being processed."""
    seconds_left: float | None = None
    """Estimated seconds until it is ready, with everything that is queued before it; null if unknown."""
    reused_pages: int
    """How many pages reused the vectors of an identical page."""
    skipped_pages: list[Skipped]
    """Pages that were skipped: see `on_page_error`."""
    attempts: int
    """How many times a worker started it without making progress."""
    waiting_for: str | None = None
    """Code of what it waits for."""
    next_try_at: datetime | None = None
    """When it is retried, if it waits."""
    error: Failure | None = None
    """Why it failed."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How much is left to process, and how long it will take."""

    documents_left: int
    """Documents that are being processed or queued."""
    pages_left: int
    """Their pages; for files that are not opened yet, as many as those processed lately have on average."""
    pages_per_s: float | None = None
    """Pages that were processed per second in the last minute; null if none."""
    seconds_left: float | None = None
    """Estimated seconds; null if none was processed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPage:
    """A page of a file that was converted to images."""

    img_base64: str
    """PNG in base64, without a `data:` prefix."""
    page_number: int
    """Starts at 1."""
