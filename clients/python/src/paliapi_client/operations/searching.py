"""Search and filters."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal

from paliapi_client.decoding import decode
from paliapi_client.errors import UnexpectedAnswer
from paliapi_client.filters import Condition, Filter, filter_json
from paliapi_client.flows import paging
from paliapi_client.flows.steps import Listing, Request, Response
from paliapi_client.flows.uploads import Source, Upload
from paliapi_client.models.collections import Collection
from paliapi_client.models.documents import Document
from paliapi_client.operations.bodies import without_none

Images = Literal["url", "base64", "none"]
Ranking = Literal["auto", "maxsim", "hybrid", "lexical"]
Include = Literal["text", "receipt", "regions"]


def search(
    query: str | Sequence[Mapping[str, Any]] | None = None,
    *,
    page: Mapping[str, Any] | None = None,
    crop: Mapping[str, Any] | None = None,
    collection_name: str | None = None,
    collections: Sequence[str] | None = None,
    filter: Filter | Condition | None = None,  # noqa: A002 - the usual word
    top_k: int | None = None,
    offset: int | None = None,
    min_score: float | None = None,
    group_by: Literal["document"] | None = None,
    ranking: Ranking | None = None,
    rerank: bool | None = None,
    mode: Literal["auto", "exact"] | None = None,
    allow_degraded: bool | None = None,
    include: Sequence[Include] | None = None,
    images: Images = "url",
) -> Request[Any]:
    """Search pages by text, by parts with weights, by a stored page, or by a region of one (`crop`).

    `images` says what the answer has of the images: links, which a hit's `.image()` follows, base64, or nothing.
    """
    body = without_none(
        query=query if query is None or isinstance(query, str) else [dict(part) for part in query],
        page=page,
        crop=crop,
        ranking=ranking,
        rerank=rerank,
        allow_degraded=allow_degraded,
        **_options(collection_name, collections, filter, top_k, offset, min_score, group_by, mode, include, images),
    )
    return Request(method="POST", path="/search/", json=body, decode=Response.json)


def search_image(
    image: Source,
    *,
    collection_name: str | None = None,
    collections: Sequence[str] | None = None,
    filter: Filter | Condition | None = None,  # noqa: A002 - the usual word
    top_k: int | None = None,
    offset: int | None = None,
    min_score: float | None = None,
    group_by: Literal["document"] | None = None,
    mode: Literal["auto", "exact"] | None = None,
    include: Sequence[Include] | None = None,
    images: Images = "url",
) -> Request[Any]:
    """Search pages by an image: a path, bytes or a file object."""
    body = without_none(
        img_base64=image_base64(image),
        **_options(collection_name, collections, filter, top_k, offset, min_score, group_by, mode, include, images),
    )
    return Request(method="POST", path="/search-image/", json=body, decode=Response.json)


def filter_documents(
    condition: Filter | Condition, *, expand: Literal["pages"] | None = None, page_size: int | None = None
) -> Listing[Document]:
    """Iterate over the documents that match a filter."""
    return paging.listing(_filter(condition, Document, expand, page_size))


def filter_collections(condition: Filter | Condition, *, page_size: int | None = None) -> Listing[Collection]:
    """Iterate over the collections that match a filter, whose conditions are `on="collection"`."""
    return paging.listing(_filter(condition, Collection, None, page_size))


def image_base64(image: Source) -> str:
    """Return an image as the API takes it."""
    with ExitStack() as stack:
        return base64.b64encode(Upload(image, "image").open(stack).read()).decode("ascii")


def _filter(
    condition: Filter | Condition, kind: type[Any], expand: str | None, page_size: int | None
) -> Request[paging.PageOfRows[Any]]:
    def row_of(row: Any) -> Any:
        if isinstance(row, dict) and ("num_documents" in row) != (kind is Collection):
            raise UnexpectedAnswer(f"The filter does not match a {kind.__name__.lower()}: see `on`.")
        return decode(kind, row)

    return Request(
        method="POST",
        path="/filter/",
        json=filter_json(condition),
        params={"expand": expand, "limit": page_size},
        decode=paging.rows_of(row_of),
    )


def _options(
    collection_name: str | None,
    collections: Sequence[str] | None,
    condition: Filter | Condition | None,
    top_k: int | None,
    offset: int | None,
    min_score: float | None,
    group_by: str | None,
    mode: str | None,
    include: Sequence[str] | None,
    images: str,
) -> dict[str, Any]:
    return {
        "collection_name": collection_name,
        "collections": None if collections is None else list(collections),
        "query_filter": filter_json(condition),
        "top_k": top_k,
        "offset": offset,
        "min_score": min_score,
        "group_by": group_by,
        "mode": mode,
        "include": None if include is None else list(include),
        "images": images,
    }
