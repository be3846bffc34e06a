"""Operations on documents."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from paliapi_client.errors import APIError, UnexpectedAnswer
from paliapi_client.flows import idempotency, paging
from paliapi_client.flows.folders import FileResult, FolderResult, FolderUpload, files_in
from paliapi_client.flows.following import Progress
from paliapi_client.flows.following import follow as follow_flow
from paliapi_client.flows.pacing import Pacer
from paliapi_client.flows.readers import content, nothing, one, versioned
from paliapi_client.flows.steps import Flow, Listing, Request, call
from paliapi_client.flows.uploads import Source, Upload, UploadForm
from paliapi_client.flows.waiting import settled, within
from paliapi_client.models.documents import BatchAnswer, Document
from paliapi_client.operations import accounts, jobs
from paliapi_client.operations.bodies import without_none
from paliapi_client.operations.paths import quoted

OnProgress = Callable[[Progress], None]
OnPageError = Literal["fail", "skip"]
UPSERT = "/documents/upsert-document/"


def upload(
    source: Source,
    *,
    name: str | None = None,
    collection_name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    wait: bool = False,
    on_progress: OnProgress | None = None,
    on_page_error: OnPageError | None = None,
    timeout: float | None = None,
    idempotency_key: str | None = None,
) -> Flow[Document]:
    """Upload a file: a path, bytes, or a binary file object. An existing document of this name is replaced.

    With `wait`, return once it is searchable, or raise ProcessingFailed; otherwise return as soon as the file is
    stored, when only the fields that identify the document, and its status, are known. `name` defaults to the name of
    the file. `timeout` limits the whole call; without it, an upload may take any time, unless it stands still.
    """
    file = Upload(source, name)

    def on_bytes(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(
                Progress(
                    status="uploading",
                    document_name=file.name,
                    collection_name=collection_name or "",
                    bytes_sent=done,
                    bytes_total=total,
                )
            )

    request = _upload_request(
        file, collection_name, metadata, on_page_error, on_bytes if on_progress else None, idempotency_key
    )
    return within(_uploaded(request, wait=wait, on_progress=on_progress), timeout)


def upload_url(
    url: str,
    *,
    name: str,
    collection_name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    use_proxy: bool | None = None,
    wait: bool = False,
    on_progress: OnProgress | None = None,
    on_page_error: OnPageError | None = None,
    timeout: float | None = None,
    idempotency_key: str | None = None,
) -> Flow[Document]:
    """Let the server fetch a file from a public URL; the rest is as for `upload`."""
    request = Request(
        method="POST",
        path=UPSERT,
        json=without_none(
            url=url,
            name=name,
            collection_name=collection_name,
            metadata=metadata,
            use_proxy=use_proxy,
            on_page_error=on_page_error,
        ),
        headers=idempotency.headers(idempotency_key),
        decode=one(Document),
    )
    return within(_uploaded(request, wait=wait, on_progress=on_progress), timeout)


def upload_batch(
    files: Sequence[Source] = (),
    *,
    archive: Source | None = None,
    collection_name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    on_page_error: OnPageError | None = None,
) -> Request[BatchAnswer]:
    """Upload up to 100 files, or a ZIP archive, in one request. Each file is accepted or refused by itself."""
    parts = [("files", Upload(source)) for source in files]
    if archive is not None:
        parts.append(("archive", Upload(archive, None if isinstance(archive, (str, Path)) else "archive.zip")))
    fields = {
        "collection_name": collection_name,
        "metadata": None if metadata is None else dict(metadata),
        "on_page_error": on_page_error,
    }
    return Request(
        method="POST",
        path="/documents/upsert-documents/",
        form=UploadForm(fields, parts),
        decode=one(BatchAnswer),
        unlimited=True,
    )


def upload_folder(
    folder: str | os.PathLike[str],
    *,
    collection_name: str | None = None,
    pattern: str = "*",
    exclude: Sequence[str] = (),
    metadata: Mapping[str, Any] | Callable[[Path], Mapping[str, Any] | None] | None = None,
    parallel: int = 8,
    wait: bool = False,
    on_result: Callable[[FileResult], None] | None = None,
    on_page_error: OnPageError | None = None,
) -> Flow[FolderResult]:
    """Upload the files of a folder and of those in it, several at a time, as fast as the server allows.

    Names of documents are paths in the folder. A file whose document has the same content and metadata is left out, so
    an upload that was interrupted is resumed by repeating it. `metadata` is for all, or a function of the path.
    `on_result` gets the result of each file, with `wait` once it is processed, from any thread. No file's failure
    is raised; it is among the results.
    """
    files = list(files_in(Path(folder), pattern, exclude))
    try:
        allowed = (yield from call(accounts.usage())).uploads_at_once
    except APIError:
        allowed = parallel  # The key may not ask.
    parallel = max(1, min(parallel, allowed))

    def request(file: Upload, file_metadata: Mapping[str, Any] | None) -> Request[Document]:
        return _upload_request(file, collection_name, file_metadata, on_page_error)

    job = FolderUpload(
        request=request,
        documents=lambda: list_all(collection_name=collection_name),
        jobs=lambda: jobs.list_all(collection_name=collection_name or "default_collection"),
        metadata=metadata,
        on_result=on_result,
        pacer=Pacer(parallel),
        wait=wait,
    )
    return (yield from job.run(files, parallel))


def list_all(
    *, collection_name: str | None = None, expand: Literal["pages"] | None = None, page_size: int | None = None
) -> Listing[Document]:
    """Iterate over the documents of a collection, or of all with `collection_name="all"`."""
    return paging.listing(
        Request(
            method="GET",
            path="/documents/",
            params={"collection_name": collection_name, "expand": expand, "limit": page_size},
            decode=paging.rows_of(paging.of(Document)),
        )
    )


def get(name: str, *, collection_name: str | None = None, expand: Literal["pages"] | None = None) -> Request[Document]:
    """Return a document; with `expand="pages"`, with its pages."""
    return Request(
        method="GET",
        path=f"/documents/{quoted(name)}/",
        params={"collection_name": collection_name, "expand": expand},
        decode=versioned(Document),
    )


def update(
    name: str,
    *,
    collection_name: str | None = None,
    new_name: str | None = None,
    move_to: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    source: Source | None = None,
    url: str | None = None,
    use_proxy: bool | None = None,
    on_page_error: OnPageError | None = None,
    if_match: str | None = None,
) -> Request[Document]:
    """Change the name, the metadata or the file of a document, or move it to another collection.

    With `if_match`, only if its `etag` is still that.
    """
    fields = without_none(
        collection_name=collection_name,
        name=new_name,
        move_to=move_to,
        metadata=metadata,
        url=url,
        use_proxy=use_proxy,
        on_page_error=on_page_error,
    )
    file = None if source is None else Upload(source, new_name or name)
    return Request(
        method="PATCH",
        path=f"/documents/{quoted(name)}/",
        json=fields if file is None else None,
        form=None if file is None else UploadForm(fields, [("file", file)]),
        headers={"If-Match": if_match},
        # A second rename or move would not find the document.
        repeatable=if_match is None and new_name is None and move_to is None,
        decode=versioned(Document),
        unlimited=file is not None,
    )


def delete(name: str, *, collection_name: str | None = None, if_match: str | None = None) -> Request[None]:
    """Delete a document immediately."""
    return Request(
        method="DELETE",
        path=f"/documents/{quoted(name)}/",
        params={"collection_name": collection_name},
        headers={"If-Match": if_match},
        decode=nothing,
    )


def cancel(name: str, *, collection_name: str | None = None) -> Request[Document]:
    """Cancel the processing of a document."""
    return _act(name, "cancel", collection_name)


def retry(name: str, *, collection_name: str | None = None) -> Request[Document]:
    """Process a document again after a failure."""
    return _act(name, "retry", collection_name)


def follow(name: str, *, collection_name: str | None = None) -> Listing[Progress]:
    """Iterate over the changes of the latest upload, until it has ended."""
    return Listing(_followed(name, collection_name))


def wait(
    name: str,
    *,
    collection_name: str | None = None,
    on_progress: OnProgress | None = None,
    timeout: float | None = None,
) -> Flow[Document]:
    """Return a document once it is searchable, or raise ProcessingFailed."""
    return within(_settled(name, collection_name, on_progress), timeout)


def download(name: str, *, collection_name: str | None = None) -> Flow[bytes]:
    """Return the file that was uploaded."""
    document = yield from call(get(name, collection_name=collection_name))
    return (yield from call(file_at(document.url)))


def file_at(url: str) -> Request[bytes]:
    """Return the file at a signed link, to which the key is not sent."""
    if not url.startswith(("http://", "https://")):
        raise UnexpectedAnswer("There is no link to the file: the key may lack the scope read.")
    return Request(method="GET", path="/files/", signed_url=url, headers={"Accept": "*/*"}, decode=content)


def _upload_request(
    file: Upload,
    collection_name: str | None,
    metadata: Mapping[str, Any] | None,
    on_page_error: OnPageError | None,
    on_bytes: Callable[[int, int], None] | None = None,
    idempotency_key: str | None = None,
) -> Request[Document]:
    fields = {
        "name": file.name,
        "collection_name": collection_name,
        "metadata": None if metadata is None else dict(metadata),
        "on_page_error": on_page_error,
    }
    return Request(
        method="POST",
        path=UPSERT,
        form=UploadForm(fields, [("file", file)], on_bytes),
        headers=idempotency.headers(idempotency_key),
        decode=one(Document),
        unlimited=True,
    )


def _act(name: str, verb: str, collection_name: str | None) -> Request[Document]:
    return Request(
        method="POST",
        path=f"/documents/{quoted(name)}/{verb}/",
        params={"collection_name": collection_name},
        repeatable=False,
        decode=one(Document),
    )


def _uploaded(request: Request[Document], *, wait: bool, on_progress: OnProgress | None) -> Flow[Document]:
    document = yield from call(request)
    if not wait:
        return document
    return (yield from _settled(document.name, document.collection_name, on_progress))


def _followed(name: str, collection_name: str | None) -> Flow[None]:
    yield from _events(name, collection_name)


def _events(name: str, collection_name: str | None) -> Flow[Progress]:
    events: Request[bytes] = Request(
        method="GET",
        path=f"/documents/{quoted(name)}/events/",
        params={"collection_name": collection_name},
        headers={"Accept": "text/event-stream"},
        decode=content,
        unlimited=True,
    )
    return (yield from follow_flow(events, get(name, collection_name=collection_name)))


def _settled(name: str, collection_name: str | None, on_progress: OnProgress | None) -> Flow[Document]:
    document = get(name, collection_name=collection_name)
    return (yield from settled(_events(name, collection_name), document, on_progress))
