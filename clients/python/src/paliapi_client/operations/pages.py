"""Operations on pages."""

from __future__ import annotations

from paliapi_client.flows.readers import content, one
from paliapi_client.flows.steps import Request
from paliapi_client.models.documents import PageDetail
from paliapi_client.operations.paths import quoted


def get(document_name: str, page_number: int, *, collection_name: str | None = None) -> Request[PageDetail]:
    """Return a page with its text."""
    return Request(
        method="GET",
        path=_path(document_name, page_number),
        params={"collection_name": collection_name},
        decode=one(PageDetail),
    )


def image(document_name: str, page_number: int, *, collection_name: str | None = None) -> Request[bytes]:
    """Return the image of a page."""
    return Request(
        method="GET",
        path=f"{_path(document_name, page_number)}/image",
        params={"collection_name": collection_name},
        headers={"Accept": "image/*"},
        decode=content,
    )


def _path(document_name: str, page_number: int) -> str:
    return f"/documents/{quoted(document_name)}/pages/{int(page_number)}"
