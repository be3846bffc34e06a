"""Hits of a search, with the images of their pages."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

from paliapi_client import notebooks
from paliapi_client.decoding import decode
from paliapi_client.errors import PaliAPIError, UnexpectedAnswer
from paliapi_client.flows.steps import Flow, Request, call
from paliapi_client.models.searching import HitFields, Receipt
from paliapi_client.operations import documents, pages
from paliapi_client.runtime.asynchronous import Asynchronous
from paliapi_client.runtime.blocking import Blocking

H = TypeVar("H", bound=HitFields)
P = ParamSpec("P")
R = TypeVar("R")


class _HasRuntime(Protocol[R]):
    _runtime: R


class Hit(HitFields):
    """A page that was found."""

    # No field: it is not part of the answer.
    __slots__ = ("_runtime",)
    _runtime: Blocking

    def image(self) -> bytes:
        """Return the image of the page, from the answer if it is there; its links expire."""
        return self._runtime.run(_image(self))

    def thumbnail(self) -> bytes:
        """Return a small image of the page, or the large one if there is none."""
        return self._runtime.run(_thumbnail(self))

    def show(self) -> None:
        """Show the page in a viewer; needs Pillow."""
        _show(self.image())

    def _repr_html_(self) -> str:
        return notebooks.hit_html(self, self._image_or_none())

    def _image_or_none(self) -> bytes | None:
        """Return the image for a notebook, where links would soon expire."""
        try:
            return self.image()
        except PaliAPIError:
            return None


class AsyncHit(HitFields):
    """A page that was found."""

    __slots__ = ("_runtime",)
    _runtime: Asynchronous

    async def image(self) -> bytes:
        """Return the image of the page, from the answer if it is there; its links expire."""
        return await self._runtime.run(_image(self))

    async def thumbnail(self) -> bytes:
        """Return a small image of the page, or the large one if there is none."""
        return await self._runtime.run(_thumbnail(self))

    async def show(self) -> None:
        """Show the page in a viewer; needs Pillow."""
        _show(await self.image())

    def _repr_html_(self) -> str:
        return notebooks.hit_html(self, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult(Generic[H]):
    """The pages that a search found, best first."""

    results: list[H]
    query: str = ""
    """The query, if it was text."""
    receipt: Receipt | None = None
    """How the search was done; with `include=["receipt"]`."""

    @property
    def hits(self) -> list[H]:
        """The same as `results`."""
        return self.results

    def _repr_html_(self) -> str:
        pages = [(hit, hit._image_or_none() if isinstance(hit, Hit) else None) for hit in self.results]
        return notebooks.result_html(pages, self.query)


class SearchMethod(Generic[P]):
    """A description of a search as a method of a client."""

    def __init__(self, operation: Callable[P, Request[Any]]) -> None:
        self._operation = operation
        update_wrapper(cast("Any", self), operation)

    def __get__(self, client: _HasRuntime[Blocking] | None, owner: type) -> Callable[P, SearchResult[Hit]]:
        operation = self._operation
        if client is None:
            return self  # type: ignore[return-value]
        runtime = client._runtime

        def method(*args: P.args, **kwargs: P.kwargs) -> SearchResult[Hit]:
            return _result(runtime.run(operation(*args, **kwargs)), Hit, runtime)

        return update_wrapper(method, operation)


class AsyncSearchMethod(Generic[P]):
    """A description of a search as a method of a client."""

    def __init__(self, operation: Callable[P, Request[Any]]) -> None:
        self._operation = operation
        update_wrapper(cast("Any", self), operation)

    def __get__(
        self, client: _HasRuntime[Asynchronous] | None, owner: type
    ) -> Callable[P, Coroutine[Any, Any, SearchResult[AsyncHit]]]:
        operation = self._operation
        if client is None:
            return self  # type: ignore[return-value]
        runtime = client._runtime

        async def method(*args: P.args, **kwargs: P.kwargs) -> SearchResult[AsyncHit]:
            return _result(await runtime.run(operation(*args, **kwargs)), AsyncHit, runtime)

        return update_wrapper(method, operation)


def _result(body: Any, kind: type[H], runtime: Any) -> SearchResult[H]:
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise UnexpectedAnswer("The answer has no results.")
    hits = [decode(kind, each) for each in body["results"]]
    for hit in hits:
        object.__setattr__(hit, "_runtime", runtime)
    receipt = body.get("receipt")
    return SearchResult(
        results=hits,
        query=str(body.get("query", "")),
        receipt=None if receipt is None else decode(Receipt, receipt),
    )


def _image(hit: HitFields) -> Flow[bytes]:
    if hit.img_base64:
        return _from_base64(hit.img_base64)
    try:
        if hit.image_url:
            return (yield from call(_link(hit.image_url)))
    except PaliAPIError:
        pass  # The link has expired, or leads to an address that cannot be reached from here.
    page = pages.image(hit.document_name, hit.page_number, collection_name=hit.collection_name)
    return (yield from call(page))


def _thumbnail(hit: HitFields) -> Flow[bytes]:
    if hit.thumbnail_url:
        try:
            return (yield from call(_link(hit.thumbnail_url)))
        except PaliAPIError:
            pass
    return (yield from _image(hit))


def _link(url: str) -> Request[bytes]:
    return replace(documents.file_at(url), max_retries=1)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnexpectedAnswer("The image is not base64.") from None


def _show(image: bytes) -> None:
    try:
        from PIL import Image  # noqa: PLC0415 - only this needs it
    except ImportError:
        raise RuntimeError("To show images, install Pillow: pip install pillow") from None
    Image.open(io.BytesIO(image)).show()
