"""The endpoints that upload documents."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Caller
from accounts.authentication import is_still_valid
from accounts.limits.process_slots import process_slot
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import QuotaReached
from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import costs, tasks
from collections_app.api.document_in import DocumentIn, DocumentsIn, UpsertManyRequest, UpsertRequest
from collections_app.api.document_out import EXAMPLE, DocumentOut, FailureOut, represent_document
from collections_app.api.errors import NameRepeated
from collections_app.api.idempotency import (
    IDEMPOTENCY_KEY,
    AlreadyCompleted,
    IdempotentRequest,
    idempotent_request,
)
from collections_app.api.upload_source import NamedFile, named_files, open_upload
from collections_app.api.validation import validated
from collections_app.catalogue import require_reach
from collections_app.engine.input import names
from collections_app.ingest import accept, archive, jobs
from collections_app.models import Document, OnPageError
from paliapi.errors import Error, LimitReached, Unauthenticated
from paliapi.http.parsers import JSONParser, ManyFilesParser, MultiPartParser, max_json_upload_bytes
from paliapi.units import MAX_FILES_PER_FORM

_POLL_AGAIN_S = "2"
_READY = {**EXAMPLE, "status": "ready", "num_pages": 120, "pages_total": 120, "pages_done": 120}
_ACCEPTED = {
    "detail": "Document is being processed in the background.",
    "status": "queued",
    "id": 42,
    "name": "annual-report.pdf",
    "collection_name": "reports",
}


class DocumentAccepted(serializers.Serializer[dict[str, Any]]):
    detail = serializers.CharField(help_text="A message for people.")
    status = serializers.CharField(help_text="`queued`: the file is stored and waits for a worker.")
    id = serializers.IntegerField()
    name = serializers.CharField()
    collection_name = serializers.CharField()


class ReceivesUploads(OwnedView):
    """A view that receives a document, and charges for it. It must not be transactional: the file is stored first."""

    def receive(self, request: Request) -> tuple[UpsertRequest, IdempotentRequest, Document]:
        """Accept the document of the request. Call while holding an upload slot; raise AlreadyCompleted if repeated."""
        with _refusal_charged(self):
            body = UpsertRequest(**validated(DocumentIn, request))
            idempotent = idempotent_request(request, self.caller, collection_name=body.collection_name)
            idempotent.check()
            document = self._upsert(body, idempotent)
        self.owe(costs.of_upload(document.latest.size if document.latest else 0))
        tasks.nudge()
        return body, idempotent, document

    def _upsert(self, body: UpsertRequest, idempotent: IdempotentRequest) -> Document:
        upsert = accept.DocumentUpsert(
            name=body.name,
            collection_name=body.collection_name,
            metadata=body.metadata,
            url=body.url,
            use_proxy=body.use_proxy,
            on_page_error=OnPageError(body.on_page_error),
        )

        def remember(tx: OwnerTransaction, document: Document) -> None:
            idempotent.store(tx, _accepted(document))

        with open_upload(body, required=True) as upload:
            return accept.upsert_document(self.caller, upsert, upload, claim=idempotent.claim, remember=remember)


class Upsert(ReceivesUploads):
    costs: ClassVar = {"POST": 0}
    parser_classes = (JSONParser, MultiPartParser)
    max_body_bytes = staticmethod(max_json_upload_bytes)
    transactional = False  # the file is stored before the transaction begins
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="upsertDocument",
        tags=["documents"],
        summary="Upload a document",
        description=(
            "Creates the document, or replaces the one with this name; its current pages stay searchable until the new "
            "upload is ready. Send `file` in a form, or `base64` or `url` in JSON. 202 means that the upload is stored "
            "durably; `Location` is where to poll its state. With `wait`, the response is delayed until the document "
            "is searchable (201) or has failed (422: `detail` says why, and `errors` has the code); if that takes too "
            "long, or too many uploads are waited for, processing continues after a 202."
        ),
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter("Location", str, "header", response=[202], description="The URL of the document."),
            OpenApiParameter("Retry-After", int, "header", response=[202], description="Seconds until the next poll."),
        ],
        request={"application/json": DocumentIn, "multipart/form-data": DocumentIn},
        responses={201: DocumentOut, 202: DocumentAccepted},
        examples=[
            OpenApiExample(
                "By URL",
                value={
                    "name": "annual-report.pdf",
                    "collection_name": "reports",
                    "metadata": {"year": 2026},
                    "url": "https://example.com/annual-report.pdf",
                },
                request_only=True,
            ),
            OpenApiExample("Accepted", value=_ACCEPTED, response_only=True, status_codes=["202"]),
            OpenApiExample("Ready", value=_READY, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        with upload_slot(self.caller):
            try:
                body, idempotent, document = self.receive(request)
            except AlreadyCompleted as earlier:
                return earlier.response
            return self._wait_until_ready(document, idempotent) if body.wait else _accepted(document)

    def _wait_until_ready(self, document: Document, idempotent: IdempotentRequest) -> Response:
        """Return the document once it is ready; on timeout, or if too many wait, the response as without `wait`."""
        with process_slot("wait", limit=max(1, settings.ENV.web_threads // 2)) as is_free:
            if not is_free:
                return _accepted(document)
            ready = jobs.wait_for(self.caller, document, timeout_s=settings.ENV.wait_timeout_s)
        if ready is None:
            return _accepted(document)
        if not is_still_valid(self.caller):
            raise Unauthenticated
        response = Response(represent_document(ready, self.request), status=201)
        try:
            with acting_for(self.caller.owner_id) as tx:
                return idempotent.store(tx, response)
        except QuotaReached:
            return response  # if the request is repeated, it gets the response that is stored: accepted


class UploadedOut(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField()
    status = serializers.ChoiceField(["queued", "refused"], help_text="`queued`: the file is stored; see a document.")
    id = serializers.IntegerField(allow_null=True, help_text="Id of the document; null if the file was refused.")
    error = FailureOut(allow_null=True, help_text="Why the file was refused.")


class DocumentsAccepted(serializers.Serializer[dict[str, Any]]):
    collection_name = serializers.CharField()
    accepted = serializers.IntegerField(help_text="Number of files that were accepted.")
    refused = serializers.IntegerField(help_text="Number of files that were refused.")
    documents = UploadedOut(many=True, help_text="One for each file: those of `files`, then those of the archive.")


_MANY = {
    "collection_name": "reports",
    "accepted": 1,
    "refused": 1,
    "documents": [
        {"name": "2025/annual-report.pdf", "status": "queued", "id": 42, "error": None},
        {
            "name": "2025/draft.pdf",
            "status": "refused",
            "id": None,
            "error": {"code": "file_empty", "detail": "The file is empty."},
        },
    ],
}


class UpsertMany(OwnedView):
    costs: ClassVar = {"POST": 0}
    parser_classes = (ManyFilesParser,)
    transactional = False
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="upsertDocuments",
        tags=["documents"],
        summary="Upload many documents",
        description=(
            f"Creates or replaces a document for each file: of those in `files` (up to {MAX_FILES_PER_FORM}) and of "
            f"those in `archive`, a ZIP file (up to {archive.MAX_FILES:,}). Each file is accepted or refused by "
            "itself, as if it had been uploaded alone, and has an entry in the response. The limit on the size of a "
            "request is that of a single document."
        ),
        request={"multipart/form-data": DocumentsIn},
        responses={202: DocumentsAccepted},
        examples=[OpenApiExample("One of two accepted", value=_MANY, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request) -> Response:
        with upload_slot(self.caller), _refusal_charged(self):
            body = UpsertManyRequest(**validated(DocumentsIn, request))
            require_reach(self.caller, body.collection_name)
            files = named_files(body.files, body.archive)
            self._take_turns(len(files))
            seen = set[str]()
            documents = []
            for file in files:
                documents.append(self._upsert_or_refuse(file, body, seen))
                seen.add(file.name)
        accepted = sum(one["error"] is None for one in documents)
        tasks.nudge(min(accepted, settings.ENV.worker_processes))
        return Response(
            {
                "collection_name": body.collection_name,
                "accepted": accepted,
                "refused": len(documents) - accepted,
                "documents": documents,
            },
            status=202,
        )

    def _upsert_or_refuse(self, file: NamedFile, body: UpsertManyRequest, seen: set[str]) -> dict[str, Any]:
        """Accept a file, or return why it is refused; its refusal does not affect the others."""
        try:
            if file.name in seen:
                raise NameRepeated
            document = self._upsert(file, body)
        except Error as error:
            self.owe(costs.REFUSED_UPLOAD)
            failure = {"code": error.code, "detail": error.detail}
            return {"name": file.name, "status": "refused", "id": None, "error": failure}
        self.owe(costs.of_upload(document.latest.size if document.latest else 0))
        return {"name": document.name, "status": "queued", "id": document.pk, "error": None}

    def _upsert(self, file: NamedFile, body: UpsertManyRequest) -> Document:
        upsert = accept.DocumentUpsert(
            name=names.check_document_name(file.name, at="/files"),
            collection_name=body.collection_name,
            metadata=body.metadata,
            on_page_error=OnPageError(body.on_page_error),
        )
        with file.open() as upload:
            return accept.upsert_document(
                self.caller, upsert, upload, claim=lambda _tx: None, remember=lambda _tx, _document: None
            )


def upload_slot(caller: Caller) -> AbstractContextManager[None]:
    """Wait briefly for one of the owner's slots, so that a client with a few more threads gets no errors."""
    env = settings.ENV
    limit, within_s = env.max_concurrent_uploads, env.web_queue_s
    return concurrent("upload", owner_id=caller.owner_id, limit=limit, within_s=within_s)


@contextmanager
def _refusal_charged(view: OwnedView) -> Iterator[None]:
    """Charge for an upload that is refused; one that is accepted is limited by its bytes and by the queue."""
    try:
        yield
    except LimitReached:
        raise
    except AlreadyCompleted:
        view.owe(costs.REPEATED_UPLOAD)
        raise
    except Exception:
        view.owe(costs.REFUSED_UPLOAD)
        raise


def _accepted(document: Document) -> Response:
    query = urlencode({"collection_name": document.collection.name})
    location = f"{reverse('document', args=[document.name])}?{query}"
    return Response(
        {**_ACCEPTED, "id": document.pk, "name": document.name, "collection_name": document.collection.name},
        status=202,
        headers={"Location": location, "Retry-After": _POLL_AGAIN_S},
    )
