"""Hits in notebooks."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from typing import Any

import httpx
from conftest import URL, Server, ok
from PIL import Image

from paliapi_client import Client

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
JPEG = b"\xff\xd8\xff jpeg"
HIT: dict[str, Any] = {
    "collection_name": "reports",
    "collection_id": 7,
    "document_name": "a.pdf",
    "document_id": 42,
    "page_number": 3,
    "page_id": 1207,
    "raw_score": 9.82,
    "normalized_score": 0.87,
    "img_base64": "",
    "image_url": f"{URL}/v1/files/pages/token",
    "width": 1190,
    "height": 1684,
}
REGIONS = {
    "boxes": [{"box": [0.1, 0.05, 0.6, 0.08], "score": 0.9, "tokens": [0], "text": "far"}],
    "n_x": 2,
    "n_y": 2,
    "tokens": [
        {"token": 0, "score": 0.9, "box": [0, 0, 1, 1], "map": base64.b64encode(bytes((255, 0, 0, 10))).decode()},
        {"token": 1, "score": 0.9, "box": [0, 0, 1, 1], "map": base64.b64encode(bytes((0, 100, 0, 20))).decode()},
    ],
}


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def sources(self) -> list[str]:
        return [str(attributes["src"]) for tag, attributes in self.tags if tag == "img"]


def shown(server: Server, client: Client, image: httpx.Response, **fields: Any) -> Tags:
    found = ok({"results": [{**HIT, **fields}], "query": f"how far? {EVIL}"})
    server.answer(lambda request: found if request.url.path == "/v1/search/" else image)
    html = client.search("how far?")._repr_html_()
    tags = Tags(html)
    assert {tag for tag, _ in tags.tags} <= {
        "div",
        "p",
        "em",
        "figure",
        "figcaption",
        "strong",
        "img",
        "details",
        "summary",
    }
    assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)
    return tags


def test_a_page_has_its_regions_and_its_heat_map(server: Server, client: Client) -> None:
    tags = shown(server, client, httpx.Response(200, content=JPEG), regions=REGIONS)
    page, same_page, heat = tags.sources()
    assert page == same_page == f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
    box = next(attributes for tag, attributes in tags.tags if attributes.get("title") == "far")
    assert "left:10.00%;top:5.00%;width:50.00%;height:3.00%" in str(box["style"])
    pixels = Image.open(io.BytesIO(base64.b64decode(heat.partition(",")[2])))
    assert pixels.size == (2, 2)
    assert [pixels.getpixel((x, y))[3] for y in (0, 1) for x in (0, 1)] == [191, 75, 0, 15]  # type: ignore[index]
    assert "Authorization" not in server.requests[-1].headers


def test_what_others_wrote_stays_text(server: Server, client: Client) -> None:
    regions = {**REGIONS, "boxes": [{"box": [-5, 0, 9, 1], "score": 1, "tokens": [], "text": EVIL}], "n_x": 10**9}
    image = httpx.Response(200, text=EVIL)
    tags = shown(server, client, image, document_name=EVIL, image_url=f"{URL}/{EVIL}", regions=regions)
    assert tags.sources() == [f"{URL}/{EVIL}"]
    assert shown(server, client, image, image_url="javascript:alert(1)").sources() == []
    assert shown(server, client, image, image_url="http://[").sources() == ["http://["]


def test_a_page_without_an_image_is_shown_by_name(server: Server, client: Client) -> None:
    gone = httpx.Response(404, json={"code": "file_link_invalid"})
    assert shown(server, client, gone, image_url=None, img_base64="%%%").sources() == []
