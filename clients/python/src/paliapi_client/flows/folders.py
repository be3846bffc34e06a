"""Uploading a folder: many files at a time, those that are there already left out, so that it may be repeated."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from paliapi_client.errors import Forbidden, NotFound, PaliAPIError, ProcessingFailed, QuotaExceeded, Unauthorized
from paliapi_client.flows.pacing import Pacer, paced
from paliapi_client.flows.patience import patiently
from paliapi_client.flows.steps import Flow, Listing, Request, Sleep, Together
from paliapi_client.flows.uploads import Upload
from paliapi_client.flows.waiting import observed
from paliapi_client.models.documents import Document, Job

FIRST_POLL_S = 0.5
MAX_POLL_S = 3.0
FATAL = (Unauthorized, Forbidden, QuotaExceeded)
ENDED = frozenset({"failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What became of a file of a folder."""

    path: Path
    name: str
    status: Literal["stored", "ready", "unchanged", "failed"]
    """`stored`: it waits to be processed; `ready`: it is searchable; `unchanged`: it was there already."""
    document: Document | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class FolderResult:
    """What became of the files of a folder, by their names."""

    files: list[FileResult]

    @property
    def failed(self) -> list[FileResult]:
        """The files that failed."""
        return [file for file in self.files if file.status == "failed"]

    def raise_for_failures(self) -> None:
        """Raise the first failure, if there is one."""
        for file in self.failed:
            if file.error is not None:
                raise file.error


@dataclass(slots=True)
class FolderUpload:
    """An upload of a folder: how single files are sent, and what is known of each."""

    request: Callable[[Upload, Mapping[str, Any] | None], Request[Document]]
    documents: Callable[[], Listing[Document]]
    jobs: Callable[[], Listing[Job]]
    metadata: Mapping[str, Any] | Callable[[Path], Mapping[str, Any] | None] | None
    on_result: Callable[[FileResult], None] | None
    pacer: Pacer
    wait: bool
    existing: dict[str, Document] = field(default_factory=dict)
    results: dict[str, FileResult] = field(default_factory=dict)
    fatal: PaliAPIError | None = None

    def run(self, files: Sequence[tuple[Path, str]], parallel: int) -> Flow[FolderResult]:
        """Upload the files, and with `wait` follow them to their end."""
        with suppress(NotFound):  # The collection may not exist yet.
            yield from observed(self.documents().flow, self._know)
        yield Together((self._one(path, name) for path, name in files), max(1, min(parallel, len(files))))
        if self.wait:
            yield from self._follow()
        return FolderResult(sorted(self.results.values(), key=lambda result: result.name))

    def _know(self, document: Document) -> None:
        self.existing[document.name] = document

    def _one(self, path: Path, name: str) -> Flow[None]:
        try:
            if self.fatal is not None:
                raise self.fatal
            metadata = self.metadata(path) if callable(self.metadata) else self.metadata
            upload = Upload(path, name)
            known = self.existing.get(name)
            if known is not None and _is_same(known, upload, metadata):
                self._settle(FileResult(path=path, name=name, status="unchanged", document=known))
                return
            document = yield from paced(self.request(upload, metadata), self.pacer)
        except FATAL as error:
            self.fatal = error
            self._settle(FileResult(path=path, name=name, status="failed", error=error))
        except (PaliAPIError, OSError, ValueError) as error:
            self._settle(FileResult(path=path, name=name, status="failed", error=error))
        else:
            self._settle(FileResult(path=path, name=name, status="stored", document=document))

    def _settle(self, result: FileResult) -> None:
        """Keep a result, and report it if it is final."""
        self.results[result.name] = result
        if self.on_result is not None and not (self.wait and self._is_open(result)):
            self.on_result(result)

    def _is_open(self, result: FileResult) -> bool:
        unfinished = result.document is not None and result.document.status not in {"ready", *ENDED}
        return result.status == "stored" or (result.status == "unchanged" and unfinished)

    def _follow(self) -> Flow[None]:
        pause = FIRST_POLL_S
        while waiting := {name for name, result in self.results.items() if self._is_open(result)}:
            jobs = yield from patiently(self._jobs)
            ended = {name for name in waiting if name not in jobs or jobs[name].status in ENDED}
            for name in ended:
                self._end(self.results[name], jobs.get(name))
            pause = FIRST_POLL_S if ended else min(MAX_POLL_S, pause * 1.3)
            if ended != waiting:
                yield Sleep(pause)

    def _jobs(self) -> Flow[dict[str, Job]]:
        listed: list[Job] = []
        yield from observed(self.jobs().flow, listed.append)
        return {job.document_name: job for job in listed}

    def _end(self, result: FileResult, job: Job | None) -> None:
        document = result.document
        if job is None:
            ready = None if document is None else replace(document, status="ready")
            self._settle(replace(result, status="ready", document=ready))
            return
        detail, code = "Processing was cancelled.", job.status
        if job.error is not None:
            detail, code = job.error.detail, job.error.code
        failed = None if document is None else replace(document, status=job.status, error=job.error)
        error = ProcessingFailed(detail, code=code, document=failed)
        self._settle(replace(result, status="failed", document=failed, error=error))


def files_in(folder: Path, pattern: str, exclude: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder and of those in it, with their names, but neither hidden ones nor linked folders."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder.")
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for each in sorted(files):
            path = Path(parent, each)
            name = path.relative_to(folder).as_posix()
            if each.startswith(".") or not path.is_file() or not fnmatch.fnmatch(name, pattern):
                continue
            if not any(fnmatch.fnmatch(name, one) or fnmatch.fnmatch(each, one) for one in exclude):
                yield path, name


def _is_same(known: Document, upload: Upload, metadata: Mapping[str, Any] | None) -> bool:
    """Return whether a document has this content and metadata, and did not fail."""
    if known.sha256 is None or known.status in ENDED:
        return False
    return (metadata is None or known.metadata == dict(metadata)) and known.sha256 == upload.sha256()
