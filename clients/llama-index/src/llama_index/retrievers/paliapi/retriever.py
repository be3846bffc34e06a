"""A retriever whose nodes are pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from llama_index.core.callbacks import CallbackManager
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import ImageNode, NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode
from paliapi_client import AsyncClient, AsyncHit, Client, Filter, Hit

Images = Literal["url", "base64", "none"]
Ranking = Literal["auto", "maxsim", "hybrid", "lexical"]

# The beginning of the base64 of the formats in which PaliAPI stores page images.
_IMAGE_TYPES = {"/9j/": "image/jpeg", "UklG": "image/webp", "iVBO": "image/png"}
# What no model has to read.
_FOR_PROGRAMS = [
    "document_id",
    "page_id",
    "raw_score",
    "rerank_score",
    "width",
    "height",
    "image_url",
    "thumbnail_url",
    "regions",
]


class PaliAPIRetriever(BaseRetriever):
    """Finds the pages of documents in PaliAPI that answer a query, best first.

    ```python
    retriever = PaliAPIRetriever(collection_name="reports", similarity_top_k=3)
    nodes = retriever.retrieve("Which lighthouse is the tallest?")
    ```

    The text of a node is that of the page. Its metadata has `document_name`, `page_number`, `collection_name`,
    `image_url`, the metadata of the document as `document_metadata`, and, with `regions`, where the page matches. With
    `images="base64"` nodes are `ImageNode` with the image itself, and with `none` they have no link to it. Errors are
    those of `paliapi_client`.

    `base_url` and `api_key` default to the environment variables `PALIAPI_URL` and `PALIAPI_API_KEY`. A client of yours
    may be given instead, which you close. Without `async_client`, each search with asyncio has connections of its own,
    so that any event loop may run it.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        client: Client | None = None,
        async_client: AsyncClient | None = None,
        timeout: float = 60,
        collection_name: str | None = None,
        collections: Sequence[str] | None = None,
        filter: Filter | Mapping[str, Any] | None = None,  # noqa: A002 - as in the client
        similarity_top_k: int = 4,
        min_score: float | None = None,
        group_by: Literal["document"] | None = None,
        ranking: Ranking | None = None,
        rerank: bool | None = None,
        images: Images = "url",
        regions: bool = False,
        callback_manager: CallbackManager | None = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(callback_manager=callback_manager, verbose=verbose)
        self._connection = (base_url, api_key)
        self._timeout = timeout
        self._client = client
        self._async_client = async_client
        self._own_client: Client | None = None
        self._options: dict[str, Any] = {
            "collection_name": collection_name,
            "collections": collections,
            "filter": filter,
            "top_k": similarity_top_k,
            "min_score": min_score,
            "group_by": group_by,
            "ranking": ranking,
            "rerank": rerank,
            "images": images,
            "include": ["text", "regions"] if regions else ["text"],
        }

    def close(self) -> None:
        """Close the connections that this retriever opened."""
        if self._own_client is not None:
            self._own_client.close()
            self._own_client = None

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        client = self._client
        if client is None:
            if self._own_client is None:
                self._own_client = Client(*self._connection, timeout=self._timeout)
            client = self._own_client
        return [_node(hit) for hit in client.search(query_bundle.query_str, **self._options).hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        if self._async_client is not None:
            result = await self._async_client.search(query_bundle.query_str, **self._options)
        else:
            async with AsyncClient(*self._connection, timeout=self._timeout) as client:
                result = await client.search(query_bundle.query_str, **self._options)
        return [_node(hit) for hit in result.hits]


def _node(hit: Hit | AsyncHit) -> NodeWithScore:
    metadata: dict[str, Any] = {
        "document_name": hit.document_name,
        "page_number": hit.page_number,
        "collection_name": hit.collection_name,
        "document_metadata": hit.document_metadata or {},
        "document_id": hit.document_id,
        "page_id": hit.page_id,
        "raw_score": hit.raw_score,
        "width": hit.width,
        "height": hit.height,
    }
    if hit.rerank_score is not None:
        metadata["rerank_score"] = hit.rerank_score
    if hit.image_url:
        metadata |= {"image_url": hit.image_url, "thumbnail_url": hit.thumbnail_url}
    if hit.regions is not None:
        metadata["regions"] = [asdict(region) for region in hit.regions.boxes]
    fields: dict[str, Any] = {
        "id_": f"paliapi-page-{hit.page_id}",
        "text": hit.text or "",
        "metadata": metadata,
        "excluded_llm_metadata_keys": _FOR_PROGRAMS,
        "excluded_embed_metadata_keys": _FOR_PROGRAMS,
        "relationships": {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"paliapi-document-{hit.document_id}")},
    }
    node: TextNode
    if hit.img_base64:
        image_type = _IMAGE_TYPES.get(hit.img_base64[:4], "image/png")
        node = ImageNode(image=hit.img_base64, image_mimetype=image_type, **fields)
    else:
        node = TextNode(**fields)
    return NodeWithScore(node=node, score=hit.normalized_score)
