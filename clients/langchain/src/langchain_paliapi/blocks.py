"""Pages as content blocks of a message to a chat model that sees images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langchain_core.documents import Document


def content_blocks(documents: Iterable[Document], *, text: bool = True) -> list[dict[str, Any]]:
    """Return the pages as blocks for the content of a `HumanMessage`: a title, the text and the image of each.

    The image is there if the retriever was created with `images="base64"`, or, as a link, with `images="url"`; most
    hosted models cannot follow links to your server. `text=False` leaves out the text of pages that have an image.
    """
    blocks: list[dict[str, Any]] = []
    for number, document in enumerate(documents, start=1):
        found = document.metadata
        image = _image_block(found)
        title = f"[{number}] {found.get('document_name')}, page {found.get('page_number')}"
        content = f"{title}\n{document.page_content}" if text or image is None else title
        blocks.append({"type": "text", "text": content})
        blocks += [image] if image else []
    return blocks


def _image_block(metadata: dict[str, Any]) -> dict[str, Any] | None:
    if data := metadata.get("image_base64"):
        return {"type": "image", "base64": data, "mime_type": metadata["image_type"]}
    if url := metadata.get("image_url"):
        return {"type": "image", "url": url}
    return None
