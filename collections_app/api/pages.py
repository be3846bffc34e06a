"""Images of pages, and files by signed link."""

from typing import ClassVar

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.ownership import acting_for
from accounts.views import OwnedView
from collections_app import catalogue
from collections_app.api.documents import NAME
from collections_app.api.parameters import COLLECTION, IF_NONE_MATCH
from collections_app.errors import PageNotFound
from collections_app.models import Page, Revision, StoredFile
from collections_app.storage import links
from collections_app.storage.errors import FileLinkExpired
from collections_app.storage.responses import file_response, thumbnail_response

_LARGEST_PAGE_NUMBER = 2**31 - 1
_FOR_EVER = "private, max-age=31536000, immutable"
_FOR_A_WHILE = "private, max-age=300"
_VERSION = OpenApiParameter(
    "v", str, "query", description="The image's ETag without quotes. With it the answer may be kept for ever."
)
_IMAGE = {(200, "image/jpeg"): OpenApiTypes.BINARY, (200, "image/png"): OpenApiTypes.BINARY}
_NUMBER = OpenApiParameter("page_number", int, "path", description="From 1.")


class PageImage(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset({"collection_name", "v"})
    also_answers: ClassVar = {"GET": (304, 409)}

    @extend_schema(
        operation_id="getPageImage",
        tags=["documents"],
        summary="Read the image of one page",
        description="Of what the document shows now. Images never change under their ETag.",
        parameters=[NAME, _NUMBER, COLLECTION, IF_NONE_MATCH, _VERSION],
        responses=_IMAGE,
    )
    def get(self, request: Request, document_name: str, page_number: int) -> HttpResponseBase:
        where = request.query_params.get("collection_name") or catalogue.DEFAULT_COLLECTION
        document = catalogue.find_document(self.transaction, self.caller, document_name, collection_name=where)
        number = min(page_number, _LARGEST_PAGE_NUMBER)
        pages = Page.objects.filter(owner_id=self.caller.owner_id, revision=document.shown, number=number)
        page = pages.select_related("image").first()
        version = request.query_params.get("v")
        if page is None or version not in {None, page.image.sha256}:
            raise PageNotFound
        cache = _FOR_EVER if version else "private, no-cache"
        if request.headers.get("If-None-Match", "").removeprefix("W/").strip('"') == page.image.sha256:
            return HttpResponseNotModified(headers={"ETag": f'"{page.image.sha256}"', "Cache-Control": cache})
        return file_response(page.image, cache=cache, attachment=False)


class SignedFile(APIView):
    """Open to whoever has the link, until it expires or the last document with this content goes."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        operation_id="getFile",
        tags=["documents"],
        summary="Download an uploaded file by its signed link",
        description="The link is the `url` of a document. It needs no key and works for a while, and no longer than "
        "there is a document with this content.",
        auth=[],
        parameters=[OpenApiParameter("token", str, "path", description="From the link.")],
        responses={(200, "*/*"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, token: str) -> HttpResponseBase:
        owner_id, file_id = links.read_file_token(token, max_age_s=settings.ENV.file_link_minutes * 60)
        with acting_for(owner_id):
            in_use = Exists(Revision.objects.filter(owner_id=owner_id, file=OuterRef("pk")))
            file = StoredFile.objects.filter(in_use, owner_id=owner_id, pk=file_id).first()
        if file is None:
            raise FileLinkExpired
        return file_response(file, cache="private, no-store", attachment=True)


class SignedPageImage(APIView):
    """Open to whoever has the link, until it expires or the page goes."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        operation_id="getSignedPageImage",
        tags=["search"],
        summary="Read the image of a hit by its signed link",
        description="The link is the `image_url` of a hit. It needs no key, so that a browser can show the image.",
        auth=[],
        parameters=[OpenApiParameter("image_token", str, "path", description="From the link.")],
        responses=_IMAGE,
    )
    def get(self, _request: Request, image_token: str) -> HttpResponseBase:
        return file_response(_image_behind(image_token, kind="image"), cache=_FOR_A_WHILE, attachment=False)


class SignedPageThumbnail(APIView):
    """Open to whoever has the link, until it expires or the page goes."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        operation_id="getSignedPageThumbnail",
        tags=["search"],
        summary="Read the small image of a page by its signed link",
        description="The link is the `thumbnail_url` of a hit or a page: a JPEG of at most 256 x 768 pixels.",
        auth=[],
        parameters=[OpenApiParameter("thumbnail_token", str, "path", description="From the link.")],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, thumbnail_token: str) -> HttpResponseBase:
        image = _image_behind(thumbnail_token, kind="thumbnail")
        if not image.thumbnail_size:
            raise FileLinkExpired
        return thumbnail_response(image, cache=_FOR_A_WHILE)


def _image_behind(token: str, *, kind: links.ImageKind) -> StoredFile:
    owner_id, page_id = links.read_page_token(token, kind=kind, max_age_s=settings.ENV.file_link_minutes * 60)
    with acting_for(owner_id):
        page = Page.objects.filter(owner_id=owner_id, pk=page_id).select_related("image").first()
    if page is None:
        raise FileLinkExpired
    return page.image
