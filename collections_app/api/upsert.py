"""The endpoint that uploads a document."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import is_still_valid
from accounts.limits.process_slots import process_slot
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import QuotaReached
from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import tasks
from collections_app.api.document_in import DocumentIn, UpsertRequest
from collections_app.api.document_out import EXAMPLE, DocumentOut, represent_document
from collections_app.api.idempotency import (
    IDEMPOTENCY_KEY,
    AlreadyCompleted,
    IdempotentRequest,
    idempotent_request,
)
from collections_app.api.upload_source import open_upload
from collections_app.api.validation import validated
from collections_app.ingest import accept, jobs
from collections_app.models import Document, OnPageError
from paliapi.errors import Unauthenticated
from paliapi.http.parsers import JSONParser, MultiPartParser, max_json_upload_bytes

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


class Upsert(OwnedView):
    costs: ClassVar = {"POST": 2}
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
        with concurrent("upload", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_uploads):
            body = UpsertRequest(**validated(DocumentIn, request))
            idempotent = idempotent_request(request, self.caller, collection_name=body.collection_name)
            try:
                idempotent.check()
                document = self._upsert(body, idempotent)
            except AlreadyCompleted as earlier:
                return earlier.response
            tasks.nudge()
            return self._wait_until_ready(document, idempotent) if body.wait else _accepted(document)

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


def _accepted(document: Document) -> Response:
    query = urlencode({"collection_name": document.collection.name})
    location = f"{reverse('document', args=[document.name])}?{query}"
    return Response(
        {**_ACCEPTED, "id": document.pk, "name": document.name, "collection_name": document.collection.name},
        status=202,
        headers={"Location": location, "Retry-After": _POLL_AGAIN_S},
    )
