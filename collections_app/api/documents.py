"""Documents over HTTP."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils import html

from accounts.ownership import acting_for
from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import catalogue, tasks
from collections_app.api import document_out
from collections_app.api.document_out import EXAMPLE, DocumentOut
from collections_app.api.errors import NothingToChange
from collections_app.api.fields import CollectionNameField, MetadataField, NameField
from collections_app.api.idempotency import IDEMPOTENCY_KEY, AlreadyAnswered, Attempt, attempt_of
from collections_app.api.parameters import (
    COLLECTION,
    CURSOR,
    EXPAND,
    IF_MATCH,
    IF_NONE_MATCH,
    LIMIT,
    LINK_HEADER,
)
from collections_app.api.upload_source import content_of
from collections_app.api.validation import validated
from collections_app.ingest import accept, jobs
from collections_app.models import Document, OnPageError
from paliapi.http.etags import answer, require_match
from paliapi.http.paging import paginate
from paliapi.http.parsers import JSONParser, MultiPartParser, largest_json_upload
from paliapi.http.serializers import TextField

NAME = OpenApiParameter("document_name", str, "path", description="Name; a `/` in it may be sent as it is or as %2F.")
READY = {**EXAMPLE, "status": "ready", "num_pages": 120, "pages_total": 120, "pages_done": 120}
ONE = OpenApiExample("A document", value=EXAMPLE, response_only=True)
_LOOK_AGAIN_S = "2"


class _FormText(str):
    """What a form says."""


class FormMetadataField(MetadataField):
    """A JSON object; in a form, its text."""

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        given = super().get_value(dictionary)
        return _FormText(given) if isinstance(given, str) and html.is_html_input(dictionary) else given

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, _FormText):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError):
                raise serializers.ValidationError("Must be a JSON object.", code="not_an_object") from None
        return super().to_internal_value(data)


class SourceIn(serializers.Serializer[Document]):
    """Where content comes from: one of three ways."""

    file = serializers.FileField(
        required=False, allow_null=True, allow_empty_file=True, help_text="Only in a form: the file itself."
    )
    base64 = TextField(
        required=False, allow_null=True, allow_blank=True, help_text="The file in standard base64, no data URI."
    )
    url = TextField(required=False, allow_null=True, allow_blank=True, help_text="Fetched by a worker.")
    use_proxy = serializers.BooleanField(
        required=False, allow_null=True, help_text="Fetch the URL through the configured proxy."
    )
    on_page_error = serializers.ChoiceField(
        choices=OnPageError.choices,
        required=False,
        allow_null=True,
        help_text="Where a page cannot be drawn or embedded: `fail` (the default), or `skip` it and keep the others.",
    )


class DocumentIn(SourceIn):
    name = NameField(help_text="1 to 255 characters. A name that is there already gets the new content.")
    metadata = FormMetadataField(required=False, allow_null=True, help_text="Replaces what was there; left out: `{}`.")
    collection_name = CollectionNameField(
        required=False, allow_null=True, help_text="Created if it is not there. Default: `default_collection`."
    )
    wait = serializers.BooleanField(
        required=False, allow_null=True, help_text="Hold the answer until it is done, for a while."
    )


class DocumentChange(SourceIn):
    name = NameField(required=False, allow_null=True, help_text="The new name.")
    metadata = FormMetadataField(required=False, allow_null=True, help_text="Replaces the metadata as a whole.")
    collection_name = TextField(
        required=False,
        allow_null=True,
        help_text="Where to look, or `all`. Left out: `default_collection`, else the only collection that has it.",
    )


class DocumentAccepted(serializers.Serializer[dict[str, Any]]):
    detail = serializers.CharField(help_text="A sentence for people.")
    status = serializers.CharField(help_text="`queued`: the content is stored and waits for a worker.")
    id = serializers.IntegerField()
    name = serializers.CharField()
    collection_name = serializers.CharField()


_ACCEPTED = {
    "detail": "Document is being processed in the background.",
    "status": "queued",
    "id": 42,
    "name": "annual-report.pdf",
    "collection_name": "reports",
}


def _guard(request: Request) -> Callable[[Document], None]:
    return lambda row: require_match(request, document_out.document(row, request))


def _collection(request: Request) -> str:
    return request.query_params.get("collection_name") or catalogue.DEFAULT_COLLECTION


class Upsert(OwnedView):
    parser_classes = (JSONParser, MultiPartParser)
    max_body_bytes = staticmethod(largest_json_upload)
    transactional = False  # bytes are written before the transaction begins
    also_answers: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="upsertDocument",
        tags=["documents"],
        summary="Put a document into a collection",
        description=(
            "Creates the document, or gives a new content to the one of that name; what it showed before stays "
            "searchable until the new content is ready. Send `file` in a form, or `base64` or `url` in JSON. "
            "202 means that the bytes are stored and nothing can lose them; `Location` tells the state. With `wait` "
            "the answer is held until the document can be searched (201), or until it has failed (422: `detail` says "
            "why, and `errors` has the code); what takes too long goes on behind a 202."
        ),
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter("Location", str, "header", response=[202], description="Where to ask for the state."),
            OpenApiParameter("Retry-After", int, "header", response=[202], description="Seconds until it is worth it."),
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
            OpenApiExample("Ready", value=READY, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        with concurrent("upload", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_uploads):
            data = validated(DocumentIn, request)
            attempt = attempt_of(request, self.caller.owner_id)
            try:
                attempt.replay()
                wanted = accept.DocumentUpsert(
                    name=data["name"],
                    collection_name=data.get("collection_name", catalogue.DEFAULT_COLLECTION),
                    metadata=data.get("metadata", {}),
                    url=data.get("url", ""),
                    use_proxy=data.get("use_proxy", False),
                    on_page_error=OnPageError(data.get("on_page_error", OnPageError.FAIL)),
                )
                with content_of(data, required=True) as content:
                    made = accept.upsert_document(
                        self.caller,
                        wanted,
                        content,
                        claim=attempt.claim,
                        remember=lambda row: attempt.keep(_accepted(row)),
                    )
            except AlreadyAnswered as earlier:
                return earlier.response
            tasks.nudge()
            return self._ready(made, attempt) if data.get("wait") else _accepted(made)

    def _ready(self, made: Document, attempt: Attempt) -> Response:
        """The document when it is ready; if that takes too long, as if nobody waited."""
        ready = jobs.wait_for(self.caller, made, timeout_s=settings.ENV.wait_timeout_s)
        if ready is None:
            return _accepted(made)
        answered = Response(document_out.document(ready, self.request), status=201)
        with acting_for(self.caller.owner_id):
            return attempt.keep(answered)


def _accepted(row: Document) -> Response:
    where = urlencode({"collection_name": row.collection.name})
    address = f"{reverse('document', args=[row.name])}?{where}"
    return Response(
        {**_ACCEPTED, "id": row.pk, "name": row.name, "collection_name": row.collection.name},
        status=202,
        headers={"Location": address, "Retry-After": _LOOK_AGAIN_S},
    )


class Documents(OwnedView):
    also_answers: ClassVar = {"GET": (413, 422)}

    @extend_schema(
        operation_id="listDocuments",
        tags=["documents"],
        summary="List documents",
        description="Of one collection, or of all, oldest first. A long list pages: follow the `Link` header.",
        parameters=[COLLECTION, EXPAND, LIMIT, CURSOR, LINK_HEADER],
        responses=DocumentOut(many=True),
        examples=[ONE],
    )
    def get(self, request: Request) -> Response:
        page = paginate(
            request, catalogue.documents(self.transaction, self.caller, collection_name=_collection(request))
        )
        return Response(document_out.documents(page.rows, request), headers=page.headers)


class DocumentDetail(OwnedView):
    parser_classes = (JSONParser, MultiPartParser)
    max_body_bytes = staticmethod(largest_json_upload)
    also_answers: ClassVar = {"GET": (304, 409, 413), "PATCH": (409, 412), "DELETE": (409, 412)}

    @property
    def transactional(self) -> bool:  # type: ignore[override]
        return self.request.method != "PATCH"  # bytes are written before the transaction begins

    @extend_schema(
        operation_id="getDocument",
        tags=["documents"],
        summary="Read one document and its state",
        description="`status`, `pages_done` and `error` are of the newest content sent; the rest is of what is shown.",
        parameters=[NAME, COLLECTION, EXPAND, IF_NONE_MATCH],
        responses=DocumentOut,
        examples=[ONE],
    )
    def get(self, request: Request, document_name: str) -> Response:
        row = catalogue.find_document(
            self.transaction, self.caller, document_name, collection_name=_collection(request)
        )
        return answer(request, document_out.documents([row], request)[0])

    @extend_schema(
        operation_id="updateDocument",
        tags=["documents"],
        summary="Rename a document, or replace its metadata or content",
        description=(
            "Name and metadata change at once; metadata is replaced as a whole. A file, base64 or another URL is new "
            "content: it is processed in the background, and what the document shows stays until it is ready."
        ),
        parameters=[NAME, IF_MATCH],
        request={"application/json": DocumentChange, "multipart/form-data": DocumentChange},
        responses=DocumentOut,
        examples=[OpenApiExample("Metadata", value={"metadata": {"year": 2027}}, request_only=True), ONE],
    )
    def patch(self, request: Request, document_name: str) -> Response:
        with concurrent("upload", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_uploads):
            data = validated(DocumentChange, request)
            if not any(data.get(field) for field in ("name", "metadata", "url", "base64", "file")):
                raise NothingToChange
            change = accept.DocumentUpdate(
                name=data.get("name"),
                metadata=data.get("metadata"),
                url=data.get("url", ""),
                use_proxy=data.get("use_proxy", False),
                on_page_error=OnPageError(data.get("on_page_error", OnPageError.FAIL)),
            )
            with content_of(data, required=False) as content:
                changed = accept.update_document(
                    self.caller,
                    document_name,
                    change,
                    content,
                    collection_name=data.get("collection_name"),
                    precondition=_guard(request),
                )
            tasks.nudge()
            return answer(request, document_out.document(changed, request))

    @extend_schema(
        operation_id="deleteDocument",
        tags=["documents"],
        summary="Delete a document",
        description="Takes effect at once and cannot be undone.",
        parameters=[NAME, COLLECTION, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, document_name: str) -> Response:
        catalogue.delete_document(
            self.transaction,
            self.caller,
            document_name,
            collection_name=_collection(request),
            precondition=_guard(request),
        )
        return Response(status=204)


class DeleteDocument(DocumentDetail):
    """The same under the address that ColiVara's clients use."""

    http_method_names = ["delete", "options"]

    @extend_schema(
        operation_id="deleteDocumentCompatible",
        tags=["documents"],
        summary="Delete a document (ColiVara's address)",
        description="The same as `DELETE /v1/documents/{document_name}/`.",
        parameters=[NAME, COLLECTION, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, document_name: str) -> Response:
        return super().delete(request, document_name)
