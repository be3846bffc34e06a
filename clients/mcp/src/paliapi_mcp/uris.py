"""URIs of pages, as resources: `paliapi://page/COLLECTION/DOCUMENT/NUMBER/image` or `.../text`."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

Part = Literal["image", "text"]

COLLECTIONS = "paliapi://collections"
IMAGE_TEMPLATE = "paliapi://page/{collection}/{document}/{number}/image"
TEXT_TEMPLATE = "paliapi://page/{collection}/{document}/{number}/text"

# Hosts may decode %2F in the name of a document; the other parts then still show where it ends.
_PAGE = re.compile(r"paliapi://page/([^/]{1,3000})/(.{1,3000})/([1-9][0-9]{0,8})/(image|text)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PageAddress:
    collection: str
    document: str
    number: int
    part: Part = "image"

    def __str__(self) -> str:
        names = f"{quote(self.collection, safe='')}/{quote(self.document, safe='')}"
        return f"paliapi://page/{names}/{self.number}/{self.part}"


def parse(uri: str) -> PageAddress | None:
    """Return which page a URI means; None if it is not the URI of a page."""
    match = _PAGE.fullmatch(uri)
    if match is None:
        return None
    part: Part = "image" if match[4] == "image" else "text"
    return PageAddress(unquote(match[1]), unquote(match[2]), int(match[3]), part)
