"""Endpoints that serve pages, page images and, by signed link, files."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import is_active
from accounts.limits.thread_shares import Hold, shares
from accounts.ownership import OwnerTransaction, acting_for
from accounts.views import OwnedView
from collections_app import catalogue
from collections_app.api.document_out import PAGE_EXAMPLE, PageDetailOut, represent_page
from collections_app.api.parameters import COLLECTION, DOCUMENT_NAME, IF_NONE_MATCH, collection_name_of
from collections_app.errors import PageNotFound
from collections_app.models import Page, Revision, StoredFile
from collections_app.storage import links
from collections_app.storage.errors import FileLinkExpired
from collections_app.storage.links import FileLink, PageLink
from collections_app.storage.responses import file_response, thumbnail_response

_CACHE_FOREVER = "private, max-age=31536000, immutable"
_CACHE_BRIEFLY = "private, max-age=300"
_VERSION = OpenApiParameter(
    "v", str, "query", description="The image's ETag without quotes. With it the response may be cached forever."
)
_IMAGE = {(200, "image/jpeg"): OpenApiTypes.BINARY, (200, "image/png"): OpenApiTypes.BINARY}
_PAGE_NUMBER = OpenApiParameter("page_number", int, "path", description="Starts at 1.")


class PageDetail(OwnedView):
    costs: ClassVar = {"GET": 1}
    query: ClassVar[frozenset[str]] = frozenset({"collection_name"})
    extra_statuses: ClassVar = {"GET": (409,)}

    @extend_schema(
        operation_id="getPage",
        tags=["documents"],
        summary="Get a page with its text",
        description="The page is one of those that the document shows now. `image_url` is where its image is.",
        parameters=[DOCUMENT_NAME, _PAGE_NUMBER, COLLECTION],
        responses=PageDetailOut,
        examples=[OpenApiExample("A page", value=PAGE_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, document_name: str, page_number: int) -> Response:
        document = catalogue.find_document(
            self.transaction, self.caller, document_name, collection_name=collection_name_of(request)
        )
        page = catalogue.find_page(self.transaction, document, page_number)
        return Response(represent_page(page, document, request))


class PageImage(OwnedView):
    costs: ClassVar = {"GET": 1}
    query: ClassVar[frozenset[str]] = frozenset({"collection_name", "v"})
    extra_statuses: ClassVar = {"GET": (304, 409)}

    @extend_schema(
        operation_id="getPageImage",
        tags=["documents"],
        summary="Get the image of a page",
        description="The page is one of those that the document shows now. The image of an ETag never changes.",
        parameters=[DOCUMENT_NAME, _PAGE_NUMBER, COLLECTION, IF_NONE_MATCH, _VERSION],
        responses=_IMAGE,
    )
    def get(self, request: Request, document_name: str, page_number: int) -> HttpResponseBase:
        document = catalogue.find_document(
            self.transaction, self.caller, document_name, collection_name=collection_name_of(request)
        )
        page = catalogue.find_page(self.transaction, document, page_number)
        version = request.query_params.get("v")
        if version not in {None, page.image.sha256}:
            raise PageNotFound
        cache = _CACHE_FOREVER if version else "private, no-cache"
        if request.headers.get("If-None-Match", "").removeprefix("W/").strip('"') == page.image.sha256:
            return HttpResponseNotModified(headers={"ETag": f'"{page.image.sha256}"', "Cache-Control": cache})
        return file_response(page.image, cache=cache, attachment=False)


class _SignedView(APIView):
    """A view for anyone who has the signed link, until the link expires."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    extra_statuses: ClassVar = {"GET": (429,)}


@contextmanager
def _opened(link: FileLink | PageLink) -> Iterator[OwnerTransaction]:
    """Open a transaction of the link's owner, if the owner and the key that got the link are still active."""
    with acting_for(link.owner_id) as tx:
        if not is_active(tx, key_id=link.key_id or None):
            raise FileLinkExpired
        yield tx


class SignedFile(_SignedView):
    """An uploaded file, as long as its document has it."""

    @extend_schema(
        operation_id="getFile",
        tags=["documents"],
        summary="Download an uploaded file by its signed link",
        description="The link is the `url` of a document. It needs no API key. It works until it expires, the document "
        "no longer has this file, or the key that got the link ends.",
        auth=[],
        parameters=[OpenApiParameter("token", str, "path", description="From the link.")],
        responses={(200, "*/*"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, token: str) -> HttpResponseBase:
        link = links.read_file_token(token, max_age_s=settings.ENV.file_link_minutes * 60)
        with shares().take(link.owner_id) as thread, _opened(link) as tx:
            of_document = Revision.objects.filter(owner_id=tx.owner_id, document=link.document_id, file=OuterRef("pk"))
            file = StoredFile.objects.filter(Exists(of_document), owner_id=tx.owner_id, pk=link.file_id).first()
        if file is None:
            raise FileLinkExpired
        return thread.keep_until_sent(file_response(file, cache="private, no-store", attachment=True))


class SignedPageImage(_SignedView):
    """A page image, as long as the page exists."""

    @extend_schema(
        operation_id="getSignedPageImage",
        tags=["search"],
        summary="Get a page image by its signed link",
        description="The link is the `image_url` of a hit. It needs no API key, so a browser can show the image.",
        auth=[],
        parameters=[OpenApiParameter("image_token", str, "path", description="From the link.")],
        responses=_IMAGE,
    )
    def get(self, _request: Request, image_token: str) -> HttpResponseBase:
        image, thread = _image_of(image_token, kind="image")
        return thread.keep_until_sent(file_response(image, cache=_CACHE_BRIEFLY, attachment=False))


class SignedPageThumbnail(_SignedView):
    """The thumbnail of a page, as long as the page exists."""

    @extend_schema(
        operation_id="getSignedPageThumbnail",
        tags=["search"],
        summary="Get a page thumbnail by its signed link",
        description="The link is the `thumbnail_url` of a hit or a page: a JPEG of at most 256 x 768 pixels.",
        auth=[],
        parameters=[OpenApiParameter("thumbnail_token", str, "path", description="From the link.")],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, thumbnail_token: str) -> HttpResponseBase:
        image, thread = _image_of(thumbnail_token, kind="thumbnail")
        if not image.thumbnail_size:
            raise FileLinkExpired
        return thread.keep_until_sent(thumbnail_response(image, cache=_CACHE_BRIEFLY))


def _image_of(token: str, *, kind: links.ImageKind) -> tuple[StoredFile, Hold]:
    """Return the image of the page that a signed link points to, and the thread that its owner holds meanwhile."""
    link = links.read_page_token(token, kind=kind, max_age_s=settings.ENV.file_link_minutes * 60)
    with shares().take(link.owner_id) as thread, _opened(link) as tx:
        page = Page.objects.filter(owner_id=tx.owner_id, pk=link.page_id).select_related("image").first()
    if page is None:
        raise FileLinkExpired
    return page.image, thread
