"""Hits and receipts as the templates show them."""

import json
import re
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from collections_app.search import Hit, HitPage, Receipt, SearchResult
from console.views.addresses import document_url

_SNIPPET = 220
_WORD = re.compile(r"\w{2,}")
_MAX_WORDS = 32
_THUMBNAIL = (256, 360)
_STAGES = {
    "scope": "Which pages are in scope",
    "query": "Query to vectors",
    "words": "Search for words",
    "index": "Bring the index up to date",
    "sketch": "Choose candidates",
    "pooled": "Score candidates roughly",
    "score": "Score exactly",
    "rerank": "Rerank",
    "fetch": "Read the hits",
    "regions": "Find regions",
}
_MODES = {
    "exact": "Every page in scope was scored.",
    "sketch": "Candidates were chosen by sketches, then scored exactly.",
    "lexical": "Ranked by words alone.",
}
_RANKINGS = {"maxsim": "look and meaning", "hybrid": "look, meaning and words", "lexical": "words"}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in percent of the page."""

    x: str
    y: str
    width: str
    height: str

    @classmethod
    def of(cls, edges: tuple[float, ...]) -> "Box":
        left, top, right, bottom = edges
        sizes = (left, top, max(right - left, 0.005), max(bottom - top, 0.005))
        return cls(*(f"{100 * size:.2f}" for size in sizes))


def represent_hits(result: SearchResult, *, text: str, kept: QueryDict) -> list[dict[str, Any]]:
    """Return the hits with their links, their regions, and their text with the words of the query marked."""
    words = _words_of(text)
    return [_represent_hit(hit, words, kept) for hit in result.hits]


def page_url(*, collection: str, document: str, number: int, kept: QueryDict | None = None) -> str:
    """Return the URL of a page, with what it needs of the search that it is a hit of."""
    params = kept.copy() if kept is not None else QueryDict(mutable=True)
    params.update({"collection": collection, "document": document, "page": str(number)})
    return f"{reverse('console-page')}?{params.urlencode()}"


def like_url(*, collection: str, document: str, number: int) -> str:
    """Return the URL of a search for pages like this one."""
    page = {"document_name": document, "collection_name": collection, "page_number": number}
    params = QueryDict(mutable=True)
    params["part"] = json.dumps({"page": page}, ensure_ascii=False, separators=(",", ":"))
    return f"{reverse('console-search')}?{params.urlencode()}"


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Return the size at which the thumbnail of a page is drawn, to reserve its place."""
    scale = min(_THUMBNAIL[0] / max(width, 1), _THUMBNAIL[1] / max(height, 1), 1)
    return max(1, round(width * scale)), max(1, round(height * scale))


def receipt_of(receipt: Receipt) -> dict[str, Any]:
    """Return what a reader wants to know about a search."""
    ms = receipt.stopwatch.ms
    total = sum(ms.values()) or 1.0
    return {
        "total_ms": round(total, 1),
        "stages": [
            {"name": _STAGES.get(stage, stage), "ms": round(value, 1), "share": f"{100 * value / total:.2f}"}
            for stage, value in ms.items()
        ],
        "mode": _MODES[receipt.mode],
        "ranking": _RANKINGS[receipt.ranking],
        "degraded": receipt.degraded,
        "model": f"{receipt.space.model} {receipt.space.revision}".strip() if receipt.space else "",
        "in_scope": receipt.pages_in_scope,
        "scored": receipt.pages_scored,
        "matched": receipt.pages_matched,
        "left_out": receipt.pages_left_out,
        "reranking": receipt.reranking,
    }


def _represent_hit(hit: Hit, words: list[str], kept: QueryDict) -> dict[str, Any]:
    page: HitPage = hit.page
    place: dict[str, Any] = {"collection": page.collection_name, "document": page.document_name, "number": page.number}
    width, height = thumbnail_size(page.width, page.height)
    return {
        "page_id": page.pk,
        "document": page.document_name,
        "collection": page.collection_name,
        "number": page.number,
        "url": page_url(kept=kept, **place),
        "like_url": like_url(**place),
        "document_url": document_url(collection=page.collection_name, document=page.document_name),
        "kind": "thumbnail" if page.image.thumbnail_size else "image",
        "width": width,
        "height": height,
        "boxes": [Box.of(region.box) for region in hit.regions.regions.regions[:3]] if hit.regions else [],
        "score": None if hit.normalized_score is None else f"{hit.normalized_score:.3f}",
        "rerank_score": hit.rank.rerank_score,
        "maxsim_rank": hit.rank.maxsim_rank,
        "lexical_rank": hit.rank.lexical_rank,
        "snippet": snippet(page.text or "", words),
    }


def _words_of(text: str) -> list[str]:
    return sorted({word.lower() for word in _WORD.findall(text)[:_MAX_WORDS]}, key=len, reverse=True)


def snippet(text: str, words: list[str]) -> list[tuple[str, bool]]:
    """Return the part of a text around the words, split into pieces that are one of the words or are not."""
    text = " ".join(text.split())
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\w{{0,4}}", re.IGNORECASE) if words else None
    start = _best_start(text, pattern) if pattern else 0
    cut = text[start : start + _SNIPPET]
    cut = f"{'… ' if start else ''}{cut}{' …' if start + _SNIPPET < len(text) else ''}"
    if pattern is None:
        return [(cut, False)] if cut.strip() else []
    pieces: list[tuple[str, bool]] = []
    position = 0
    for match in pattern.finditer(cut):
        pieces += [(cut[position : match.start()], False), (match[0], True)]
        position = match.end()
    return [(piece, marked) for piece, marked in [*pieces, (cut[position:], False)] if piece]


def _best_start(text: str, pattern: re.Pattern[str]) -> int:
    """Return where the window begins that has the most different words of the query."""
    places = [(match.start(), match[0].lower()) for match in pattern.finditer(text[:20_000])][:200]
    best, most = 0, 0
    for index, (start, _) in enumerate(places):
        inside = {word for place, word in places[index:] if place < start + _SNIPPET - 40}
        if len(inside) > most:
            best, most = start, len(inside)
    return max(0, text.rfind(" ", 0, max(best - 30, 0)) + 1) if best > 40 else 0
