"""Answers of tools: blocks of text, images within a budget, links."""

from collections.abc import Awaitable
from typing import Any

from mcp_types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent
from paliapi_client import PaliAPIError

from paliapi_mcp import pictures
from paliapi_mcp.settings import Budget
from paliapi_mcp.untrusted import Quarantine, as_json, shortened
from paliapi_mcp.uris import PageAddress

_MIN_CHARACTERS = 500


class Answer:
    """The content of an answer while it is composed."""

    def __init__(self, budget: Budget, *, images: int, texts: int) -> None:
        """Share the budget among the images and texts that are expected, in their order."""
        self.quarantine = Quarantine()
        self._blocks: list[ContentBlock] = []
        self._images_left = min(images, budget.images)
        self._kb_left = budget.image_kb
        self._texts_left = texts
        self._characters_left = budget.characters

    @property
    def shows_more_images(self) -> bool:
        return self._images_left > 0

    def say(self, text: str) -> None:
        self._blocks.append(TextContent(text=text))

    def page_text(self, text: str, *, more: str) -> str:
        """Return the delimited text of a page, and if it had to be cut, how much is missing and how to get `more`."""
        share = max(self._characters_left // max(self._texts_left, 1), _MIN_CHARACTERS)
        self._texts_left -= 1
        self._characters_left = max(self._characters_left - min(len(text), share), 0)
        enclosed = self.quarantine.enclose(text[:share])
        if len(text) <= share:
            return enclosed
        return f"{enclosed}\n[cut: {share} of {len(text)} characters; {more}]"

    def no_page_text(self) -> str:
        """Return what stands in place of the text of a page that has none."""
        self._texts_left -= 1
        return "[No text is known of this page: look at its image.]"

    async def show(self, image: Awaitable[bytes], *, box: pictures.Box | None = None) -> None:
        """Add an image, or the part of it in the box, scaled down to its share of what is left of the budget."""
        share = self._kb_left // max(self._images_left, 1)
        self._images_left -= 1
        try:
            picture = await pictures.fit(await image, max_kb=share, box=box)
        except (pictures.Unreadable, PaliAPIError):
            self.say("[The image of this page cannot be read.]")
            return
        if picture is None:
            self.say("[The image of this page does not fit into the answer; `get_page` with `region` shows a part.]")
            return
        self._kb_left -= -(-len(picture.data) // 1000)
        self._blocks.append(ImageContent(data=picture.data, mime_type=picture.mime_type))

    def link(self, address: PageAddress) -> None:
        name = shortened(address.document, 200)
        self._blocks.append(
            ResourceLink(uri=str(address), name=f"{name}, page {address.number}", mime_type="image/jpeg")
        )

    def result(self) -> CallToolResult:
        return CallToolResult(content=self._blocks)


def structured(value: dict[str, Any], *, note: str = "") -> CallToolResult:
    """Return a value as structured content, and as JSON for hosts that read text only."""
    text = as_json(value, limit=60_000)
    return CallToolResult(content=[TextContent(text=f"{text}\n{note}" if note else text)], structured_content=value)


def failure(message: str) -> CallToolResult:
    """Return an error that the model reads, and can act on."""
    return CallToolResult(content=[TextContent(text=message)], is_error=True)
