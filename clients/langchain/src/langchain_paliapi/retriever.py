"""A retriever whose documents are pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from paliapi_client import AsyncClient, AsyncHit, Client, Filter, Hit
from pydantic import Field, PrivateAttr, SecretStr

Images = Literal["url", "base64", "none"]
Ranking = Literal["auto", "maxsim", "hybrid", "lexical"]

# The beginning of the base64 of the formats in which PaliAPI stores page images.
_IMAGE_TYPES = {"/9j/": "image/jpeg", "UklG": "image/webp", "iVBO": "image/png"}


class PaliAPIRetriever(BaseRetriever):
    """Finds the pages of documents in PaliAPI that answer a query, best first.

    ```python
    retriever = PaliAPIRetriever(collection_name="reports", k=3)
    documents = retriever.invoke("Which lighthouse is the tallest?")
    ```

    `page_content` is the text of the page. `metadata` has `document_name`, `page_number`, `collection_name`, `score`,
    `image_url` or `image_base64`, the metadata of the document as `document_metadata`, and, on request, `regions`.
    Errors are those of `paliapi_client`.
    """

    base_url: str | None = None
    """The address of PaliAPI; default: the environment variable `PALIAPI_URL`."""
    api_key: SecretStr | None = None
    """A key with the scope `search`; default: the environment variable `PALIAPI_API_KEY`."""
    client: Client | None = Field(default=None, exclude=True, repr=False)
    """A client of yours, instead of `base_url` and `api_key`. You close it."""
    async_client: AsyncClient | None = Field(default=None, exclude=True, repr=False)
    """The same for asyncio. Without one, each search has connections of its own, so that any event loop may run it."""
    timeout: float = 60
    """Seconds that a search may take, with its repeats."""

    collection_name: str | None = None
    """The collection to search; default: all that the key may search."""
    collections: Sequence[str] | None = None
    """The collections to search, instead of `collection_name`."""
    filter: Filter | Mapping[str, Any] | None = None
    """A filter on metadata: `F("year") >= 2024`, or the JSON of the API."""
    k: int = Field(default=4, ge=1)
    """How many pages to return."""
    min_score: float | None = None
    """The minimum of `score`."""
    group_by: Literal["document"] | None = None
    """`document`: return only the best page of each document."""
    ranking: Ranking | None = None
    """How to rank; default: as PaliAPI chooses."""
    rerank: bool | None = None
    """Let the reranker read the best pages."""
    images: Images = "url"
    """What `metadata` has of the image: a link that expires, base64, or nothing."""
    regions: bool = False
    """Whether `metadata` has the regions of the page that match; at most 20 pages then."""

    _own_client: Client | None = PrivateAttr(default=None)

    def close(self) -> None:
        """Close the connections that this retriever opened."""
        if self._own_client is not None:
            self._own_client.close()
            self._own_client = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - LangChain's signature
        **options: Any,
    ) -> list[Document]:
        client = self.client
        if client is None:
            if self._own_client is None:
                self._own_client = Client(self.base_url, self._key(), timeout=self.timeout)
            client = self._own_client
        return [_document(hit) for hit in client.search(query, **self._options(options)).hits]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002 - LangChain's signature
        **options: Any,
    ) -> list[Document]:
        if self.async_client is not None:
            result = await self.async_client.search(query, **self._options(options))
        else:
            async with AsyncClient(self.base_url, self._key(), timeout=self.timeout) as client:
                result = await client.search(query, **self._options(options))
        return [_document(hit) for hit in result.hits]

    def _key(self) -> str | None:
        return None if self.api_key is None else self.api_key.get_secret_value()

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the search; `options` are those of `invoke`, which come first."""
        defaults = {
            "collection_name": self.collection_name,
            "collections": self.collections,
            "filter": self.filter,
            "k": self.k,
            "min_score": self.min_score,
            "group_by": self.group_by,
            "ranking": self.ranking,
            "rerank": self.rerank,
            "images": self.images,
            "regions": self.regions,
        }
        if unknown := sorted(options.keys() - defaults.keys()):
            raise TypeError(f"Unknown option {unknown[0]!r}; the options are {', '.join(defaults)}.")
        arguments = {**defaults, **options}
        if options.get("collections") is not None:
            arguments["collection_name"] = options.get("collection_name")
        elif options.get("collection_name") is not None:
            arguments["collections"] = None
        arguments["top_k"] = arguments.pop("k")
        arguments["include"] = ["text", "regions"] if arguments.pop("regions") else ["text"]
        return arguments


def _document(hit: Hit | AsyncHit) -> Document:
    metadata: dict[str, Any] = {
        "source": hit.document_name,
        "document_name": hit.document_name,
        "document_id": hit.document_id,
        "document_metadata": hit.document_metadata or {},
        "page_number": hit.page_number,
        "page_id": hit.page_id,
        "collection_name": hit.collection_name,
        "score": hit.normalized_score,
        "raw_score": hit.raw_score,
        "width": hit.width,
        "height": hit.height,
    }
    if hit.rerank_score is not None:
        metadata["rerank_score"] = hit.rerank_score
    if hit.image_url:
        metadata |= {"image_url": hit.image_url, "thumbnail_url": hit.thumbnail_url}
    if hit.img_base64:
        image_type = _IMAGE_TYPES.get(hit.img_base64[:4], "image/png")
        metadata |= {"image_base64": hit.img_base64, "image_type": image_type}
    if hit.regions is not None:
        metadata["regions"] = [asdict(region) for region in hit.regions.boxes]
    return Document(id=str(hit.page_id), page_content=hit.text or "", metadata=metadata)
