"""Images of pages, for the browser that has signed in."""

from typing import ClassVar

from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from collections_app import catalogue
from collections_app.storage.responses import file_response, thumbnail_response
from console.views.base import ConsoleView
from paliapi.errors import NotFound

# The image of a page never changes; a page that is replaced gets another id.
_CACHE = "private, max-age=86400, immutable"


class PageImage(ConsoleView):
    """The image of a page, or its thumbnail. A list has many of them, so they cost nothing."""

    costs: ClassVar = {"GET": 0}

    def get(self, request: Request, page_id: int, kind: str) -> HttpResponseBase:
        if kind not in ("image", "thumbnail"):
            raise NotFound("There is no such URL.")
        image = catalogue.find_shown_page(self.transaction, self.caller, page_id).image
        etag = f'"{image.sha256}-small"' if kind == "thumbnail" else f'"{image.sha256}"'
        if request.headers.get("If-None-Match", "").removeprefix("W/") == etag:
            return HttpResponseNotModified(headers={"ETag": etag, "Cache-Control": _CACHE})
        if kind == "thumbnail" and image.thumbnail_size:
            return thumbnail_response(image, cache=_CACHE)
        return file_response(image, cache=_CACHE, attachment=False)
