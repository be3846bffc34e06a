"""Draw `answer.png`, the picture in the README: a page found by a search, with its regions outlined.

Start PaliAPI (`make run`), then run `.venv/bin/python docs/figures/make_answer.py KEY [URL]`. The script uploads the
sample document and searches it through the API, so the picture shows a real response.
"""

import argparse
import io
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw, ImageFont

QUERY = "How far is a light seen that stands 40 metres high?"
COLLECTION = "readme"
SAMPLE = Path(__file__).parents[1] / "sample" / "lighthouses.pdf"
PICTURE = Path(__file__).with_name("answer.png")

WIDTH, MARGIN = 1280, 40
PAGE_WIDTH = 720
INK, MUTED, PAPER, BORDER, ACCENT = "#1f2328", "#59636e", "#f6f8fa", "#d1d9e0", "#d1242f"


def search(url: str, key: str) -> tuple[list[dict[str, Any]], Image.Image]:
    """Upload the sample, search it, and return the hits with the image of the best page."""
    with httpx.Client(base_url=f"{url}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=120) as api:
        form = {"name": "lighthouses", "collection_name": COLLECTION, "wait": "true"}
        with SAMPLE.open("rb") as file:
            api.post("/documents/upsert-document/", data=form, files={"file": file}).raise_for_status()
        body = {"query": QUERY, "collection_name": COLLECTION, "images": "url", "include": ["regions"]}
        hits = api.post("/search/", json=body).raise_for_status().json()["results"]
        page = httpx.get(hits[0]["image_url"]).raise_for_status()
        return hits, Image.open(io.BytesIO(page.content)).convert("RGB")


def draw(hits: list[dict[str, Any]], page: Image.Image) -> Image.Image:
    """Draw the query and the hits on the left, and the best page with its regions on the right."""
    scale = PAGE_WIDTH / page.width
    visible = page.crop((0, 0, page.width, page.height // 2)).resize((PAGE_WIDTH, round(page.height / 2 * scale)))
    height = visible.height + 2 * MARGIN
    picture = Image.new("RGB", (WIDTH, height), PAPER)
    pen = ImageDraw.Draw(picture)
    left = WIDTH - PAGE_WIDTH - MARGIN
    picture.paste(visible, (left, MARGIN))
    pen.rectangle((left, MARGIN, left + PAGE_WIDTH, MARGIN + visible.height), outline=BORDER)
    marker = ImageDraw.Draw(picture, "RGBA")
    for region in hits[0]["regions"]["boxes"]:
        sides = (page.width, page.height) * 2
        x0, y0, x1, y1 = (edge * side * scale for edge, side in zip(region["box"], sides, strict=True))
        if y1 < visible.height:
            box = (left + x0 - 3, MARGIN + y0 - 3, left + x1 + 3, MARGIN + y1 + 3)
            marker.rounded_rectangle(box, 5, fill=(255, 209, 61, 70), outline=ACCENT, width=2)
    _draw_hits(pen, hits)
    return picture


def _draw_hits(pen: ImageDraw.ImageDraw, hits: list[dict[str, Any]]) -> None:
    title, text = ImageFont.load_default(30), ImageFont.load_default(21)
    y = MARGIN
    for line in _wrapped(QUERY, title, WIDTH - PAGE_WIDTH - 3 * MARGIN):
        pen.text((MARGIN, y), line, fill=INK, font=title)
        y += 42
    y += 24
    for rank, hit in enumerate(hits, start=1):
        pen.text((MARGIN, y), f"{rank}.  {hit['document_name']}, page {hit['page_number']}", fill=INK, font=text)
        pen.text((MARGIN + 32, y + 30), f"MaxSim {hit['raw_score']:.2f}", fill=MUTED, font=text)
        y += 78


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the picture in the README.")
    parser.add_argument("key", help="an API key")
    parser.add_argument("url", nargs="?", default="http://localhost:8001")
    arguments = parser.parse_args()
    draw(*search(arguments.url, arguments.key)).quantize(128).save(PICTURE, optimize=True)
