"""Endpoints that list, read, change and delete documents."""

from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import catalogue, costs, tasks
from collections_app.api.document_in import DocumentChange, UpdateRequest
from collections_app.api.document_out import (
    EXAMPLE,
    DocumentOut,
    expands_pages,
    represent_document,
    represent_documents,
)
from collections_app.api.errors import NothingToChange
from collections_app.api.parameters import (
    COLLECTION,
    CURSOR,
    DOCUMENT_NAME,
    EXPAND,
    IF_MATCH,
    IF_NONE_MATCH,
    LIMIT,
    LINK_HEADER,
    collection_name_of,
)
from collections_app.api.upload_source import open_upload
from collections_app.api.validation import validated
from collections_app.catalogue import Precondition
from collections_app.ingest import accept
from collections_app.models import Document, OnPageError
from paliapi.http.etags import etag_response, require_match
from paliapi.http.parsers import JSONParser, MultiPartParser, max_json_upload_bytes

_DOCUMENT = OpenApiExample("A document", value=EXAMPLE, response_only=True)


def _if_match(request: Request) -> Precondition[Document]:
    return lambda document: require_match(request, represent_document(document, request))


class Documents(OwnedView):
    costs: ClassVar = {"GET": 1}
    extra_statuses: ClassVar = {"GET": (413, 422)}

    @extend_schema(
        operation_id="listDocuments",
        tags=["documents"],
        summary="List documents",
        description="Lists one collection, or all, oldest first. Long lists are paginated by the `Link` header.",
        parameters=[COLLECTION, EXPAND, LIMIT, CURSOR, LINK_HEADER],
        responses=DocumentOut(many=True),
        examples=[_DOCUMENT],
    )
    def get(self, request: Request) -> Response:
        documents = catalogue.documents(self.transaction, self.caller, collection_name=collection_name_of(request))
        page = self.paginate(documents)
        self.charge(costs.of_page_images(page.rows) if expands_pages(request) else 0)
        return Response(represent_documents(page.rows, request), headers=page.headers)


class DocumentDetail(OwnedView):
    costs: ClassVar = {"GET": 1, "PATCH": 2, "DELETE": 2}
    parser_classes = (JSONParser, MultiPartParser)
    max_body_bytes = staticmethod(max_json_upload_bytes)
    extra_statuses: ClassVar = {"GET": (304, 409, 413), "PATCH": (409, 412), "DELETE": (409, 412)}

    @property
    def transactional(self) -> bool:  # type: ignore[override]
        return self.request.method != "PATCH"  # the file is stored before the transaction begins

    @extend_schema(
        operation_id="getDocument",
        tags=["documents"],
        summary="Get a document and its state",
        description="`status`, `pages_done` and `error` describe the latest upload; the rest describes what is shown.",
        parameters=[DOCUMENT_NAME, COLLECTION, EXPAND, IF_NONE_MATCH],
        responses=DocumentOut,
        examples=[_DOCUMENT],
    )
    def get(self, request: Request, document_name: str) -> Response:
        document = catalogue.find_document(
            self.transaction, self.caller, document_name, collection_name=collection_name_of(request)
        )
        self.charge(costs.of_page_images([document]) if expands_pages(request) else 0)
        return etag_response(request, represent_documents([document], request)[0])

    @extend_schema(
        operation_id="updateDocument",
        tags=["documents"],
        summary="Rename or move a document, or replace its metadata or file",
        description=(
            "Name, metadata and collection change at once; metadata is replaced, not merged. A document that is moved "
            "keeps its pages, and is not processed again. A file, base64 or a different URL is a new upload: it is "
            "processed in the background, and the current pages are shown until it is ready."
        ),
        parameters=[DOCUMENT_NAME, IF_MATCH],
        request={"application/json": DocumentChange, "multipart/form-data": DocumentChange},
        responses=DocumentOut,
        examples=[OpenApiExample("Metadata", value={"metadata": {"year": 2027}}, request_only=True), _DOCUMENT],
    )
    def patch(self, request: Request, document_name: str) -> Response:
        with concurrent("upload", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_uploads):
            body = UpdateRequest(**validated(DocumentChange, request))
            if body.is_empty:
                raise NothingToChange
            update = accept.DocumentUpdate(
                name=body.name,
                metadata=body.metadata,
                move_to=body.move_to,
                url=body.url,
                use_proxy=body.use_proxy,
                on_page_error=OnPageError(body.on_page_error),
            )
            with open_upload(body, required=False) as upload:
                document = accept.update_document(
                    self.caller,
                    document_name,
                    update,
                    upload,
                    collection_name=body.collection_name,
                    precondition=_if_match(request),
                )
            tasks.nudge()
            return etag_response(request, represent_document(document, request))

    @extend_schema(
        operation_id="deleteDocument",
        tags=["documents"],
        summary="Delete a document",
        description="Takes effect at once and cannot be undone.",
        parameters=[DOCUMENT_NAME, COLLECTION, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, document_name: str) -> Response:
        catalogue.delete_document(
            self.transaction,
            self.caller,
            document_name,
            collection_name=collection_name_of(request),
            precondition=_if_match(request),
        )
        return Response(status=204)


class DeleteDocument(DocumentDetail):
    """The same deletion at the path that ColiVara's clients use."""

    http_method_names = ["delete", "options"]

    @extend_schema(
        operation_id="deleteDocumentCompatible",
        tags=["documents"],
        summary="Delete a document (ColiVara-compatible)",
        description="Same as `DELETE /v1/documents/{document_name}/`.",
        parameters=[DOCUMENT_NAME, COLLECTION, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, document_name: str) -> Response:
        return super().delete(request, document_name)
