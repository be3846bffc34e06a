"""Search results in responses."""

import base64
import dataclasses
from typing import Any, Literal, TypeAlias

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request

from collections_app.api.document_out import PageImageLinks, image_base64
from collections_app.errors import AnswerTooLarge
from collections_app.search import Hit, PageRegions, Receipt, SearchResult
from paliapi.units import MEBIBYTE

Images: TypeAlias = Literal["base64", "url", "none"]


class RegionOut(serializers.Serializer[Any]):
    box = serializers.ListField(
        child=serializers.FloatField(),
        help_text="Left, top, right, bottom, as fractions of the page from its top left corner.",
    )
    score = serializers.FloatField(help_text="Normalized score of the vectors inside the box alone.")
    tokens = serializers.ListField(
        child=serializers.IntegerField(), help_text="The query's vectors, from 0, whose best match is in the box."
    )
    text = serializers.CharField(allow_blank=True, help_text="The text in the box, if the page has a text layer.")


class TokenOut(serializers.Serializer[Any]):
    token = serializers.IntegerField(help_text="Index of the query's vector, from 0.")
    score = serializers.FloatField(help_text="Score of its best match.")
    box = serializers.ListField(child=serializers.FloatField(), help_text="The box of its best match.")
    map = serializers.CharField(
        help_text="A heat map in base64, n_y rows of n_x bytes: from 0 (no better than the page as a whole) to 255 "
        "(the best match)."
    )


class RegionsOut(serializers.Serializer[Any]):
    """Where on the page the answer is; empty if the page has no layout data."""

    boxes = RegionOut(many=True, help_text="Best first, at most eight.")
    n_x = serializers.IntegerField(help_text="Columns of each map, at most 32.")
    n_y = serializers.IntegerField(help_text="Rows of each map, at most 32.")
    tokens = TokenOut(many=True, help_text="The query's vectors with the most distinct best matches, at most 32.")


class RanksOut(serializers.Serializer[Any]):
    """The ranks that determine the order of hits."""

    maxsim = serializers.IntegerField(
        allow_null=True, help_text="Rank by score, from 1; null beyond the first thousand, or without a score."
    )
    lexical = serializers.IntegerField(
        allow_null=True, help_text="Rank by words, from 1; null if the page contains none of them."
    )
    fused = serializers.FloatField(
        allow_null=True,
        help_text="Normalised score, plus up to 0.1 for the query's words on the page, plus 2.2 if it contains an "
        "identifier of the query that at most ten pages contain; null if ranked by words alone.",
    )


class HitOut(serializers.Serializer[Any]):
    collection_name = serializers.CharField()
    collection_id = serializers.IntegerField()
    collection_metadata = serializers.DictField(allow_null=True)
    document_name = serializers.CharField()
    document_id = serializers.IntegerField()
    document_metadata = serializers.DictField(allow_null=True)
    page_number = serializers.IntegerField(help_text="Starts at 1.")
    page_id = serializers.IntegerField()
    raw_score = serializers.FloatField(
        allow_null=True,
        help_text="MaxSim: the sum of the best match of each query vector. Null only if ranked by words alone: with "
        "`ranking: lexical`, in a degraded response, and with `hybrid` if no page in scope has vectors.",
    )
    normalized_score = serializers.FloatField(
        allow_null=True,
        help_text="The raw score divided by the number of query vectors, or by the sum of their weights.",
    )
    rerank_score = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text="Relevance by the reranker, from 0 to 1. Only if pages were reranked; null for a page without text, "
        "and beyond the fiftieth.",
    )
    ranks = RanksOut(required=False, help_text="Only if words were part of the ranking.")
    img_base64 = serializers.CharField(
        allow_blank=True,
        help_text="The page image in base64, without a `data:` prefix; empty unless `images` is `base64`, and if its "
        "file is missing from storage.",
    )
    image_url = serializers.CharField(
        allow_null=True, help_text="A signed link to the image that expires; null with `images: none`."
    )
    thumbnail_url = serializers.CharField(
        allow_null=True, help_text="A signed link to the thumbnail that expires; null if there is no thumbnail."
    )
    width = serializers.IntegerField(help_text="Width of the image in pixels.")
    height = serializers.IntegerField(help_text="Height of the image in pixels.")
    text = serializers.CharField(
        required=False, allow_blank=True, help_text="The text of the page; with `include: text`."
    )
    regions = RegionsOut(
        required=False, allow_null=True, help_text="With `include: regions`; null if ranked by words alone."
    )


class SpaceOut(serializers.Serializer[Any]):
    model = serializers.CharField(allow_blank=True)
    revision = serializers.CharField(allow_blank=True)
    dim = serializers.IntegerField()


class RerankingOut(serializers.Serializer[Any]):
    """What the reranker did."""

    model = serializers.CharField(allow_blank=True)
    revision = serializers.CharField(allow_blank=True)
    candidates = serializers.IntegerField(help_text="The best pages by the ranking, at most 50.")
    pages = serializers.IntegerField(help_text="Candidates with text, which the reranker scored.")


class ReceiptOut(serializers.Serializer[Any]):
    """How the search was done."""

    mode = serializers.CharField(
        help_text="`exact`: every page in scope was scored; `sketch`: the best candidates by sketches; `lexical`: no "
        "page was scored, the ranking is by words alone."
    )
    ranking = serializers.CharField(help_text="`maxsim`, `hybrid` or `lexical`.")
    degraded = serializers.BooleanField(help_text="True if the embeddings service was unavailable.")
    space = SpaceOut(allow_null=True, help_text="The vector space of the query; null if the query was not embedded.")
    pages_in_scope = serializers.IntegerField(help_text="Pages that match the collections, the filter and the key.")
    pages_scored = serializers.IntegerField(help_text="Pages that were scored exactly.")
    vector_storage = serializers.CharField(
        allow_null=True,
        help_text="The form of the vectors that were scored, the same for all pages: `full` or `compact`; null if none "
        "were. `exact` is exact over this form.",
    )
    vectors_per_page = serializers.FloatField(
        allow_null=True, help_text="Mean number of vectors of the pages scored; null if none was."
    )
    pages_matched = serializers.IntegerField(
        allow_null=True, help_text="Pages found by words, up to a few hundred; null if words were not searched."
    )
    pages_left_out = serializers.IntegerField(help_text="Pages without vectors of the query's model.")
    reranking = RerankingOut(
        allow_null=True,
        help_text="Null if pages were not reranked: it was not requested, no candidate has text, `offset` is past the "
        "candidates, or the response is degraded.",
    )
    ms = serializers.DictField(child=serializers.FloatField(), help_text="Milliseconds per stage.")


class AnswerOut(serializers.Serializer[Any]):
    results = HitOut(many=True, help_text="Best first.")
    receipt = ReceiptOut(required=False, help_text="With `include: receipt`.")


class SearchOut(AnswerOut):
    query = serializers.CharField(allow_blank=True, help_text="The query, if it was text; otherwise empty.")


_REGIONS = {
    "boxes": [{"box": [0.12, 0.31, 0.58, 0.34], "score": 0.84, "tokens": [0, 1, 3], "text": "revenue by region"}],
    "n_x": 2,
    "n_y": 2,
    "tokens": [{"token": 0, "score": 0.91, "box": [0.12, 0.31, 0.25, 0.34], "map": "/xoAAA=="}],
}
_HIT = {
    "collection_name": "reports",
    "collection_id": 7,
    "collection_metadata": {},
    "document_name": "annual-report.pdf",
    "document_id": 42,
    "document_metadata": {"year": 2026},
    "page_number": 3,
    "page_id": 1207,
    "raw_score": 14.82,
    "normalized_score": 0.87,
    "ranks": {"maxsim": 2, "lexical": 1, "fused": 0.9448},
    "img_base64": "iVBORw0KGgo=",
    "image_url": "http://localhost:8001/v1/files/pages/WzEsMTIwN10:1vMKfC:example",
    "thumbnail_url": "http://localhost:8001/v1/files/thumbnails/WzEsMTIwN10:1vMKfC:example",
    "width": 1240,
    "height": 1754,
}
_RECEIPT = {
    "mode": "exact",
    "ranking": "hybrid",
    "degraded": False,
    "space": {"model": "paliapi/embedded-e5-ocr-v1", "revision": "3", "dim": 128},
    "pages_in_scope": 240,
    "pages_scored": 240,
    "vector_storage": "full",
    "vectors_per_page": 412.5,
    "pages_matched": 12,
    "pages_left_out": 0,
    "reranking": None,
    "ms": {"scope": 1.1, "query": 3.2, "score": 41.5, "fetch": 1.6},
}
EXAMPLE = {"results": [{**_HIT, "regions": _REGIONS}], "receipt": _RECEIPT}


def represent_result(
    result: SearchResult, request: Request, *, images: Images, include: frozenset[str]
) -> dict[str, Any]:
    """Return the body of a response, without the query."""
    with result.receipt.stopwatch.stage("images"):
        signed = None if images == "none" else PageImageLinks(request)
        encoded = [""] * len(result.hits) if images != "base64" else _images_base64(result.hits)
        body: dict[str, Any] = {
            "results": [
                {
                    **_represent_hit(hit, result.receipt),
                    "img_base64": image,
                    "image_url": signed and signed.image(hit.page),
                    "thumbnail_url": signed and signed.thumbnail(hit.page),
                    **({"text": hit.page.text} if "text" in include else {}),
                    **({"regions": represent_regions(hit.regions)} if "regions" in include else {}),
                }
                for hit, image in zip(result.hits, encoded, strict=True)
            ]
        }
    if "receipt" in include:
        body["receipt"] = _represent_receipt(result.receipt)
    return body


def server_timing(receipt: Receipt) -> dict[str, str]:
    """Return the duration of each stage as a header that browsers display."""
    return {"Server-Timing": ", ".join(f"{stage};dur={ms:.1f}" for stage, ms in receipt.stopwatch.ms.items())}


def _represent_hit(hit: Hit, receipt: Receipt) -> dict[str, Any]:
    page = hit.page
    return {
        "collection_name": page.collection_name,
        "collection_id": page.collection_id,
        "collection_metadata": page.collection_metadata,
        "document_name": page.document_name,
        "document_id": page.document_id,
        "document_metadata": page.document_metadata,
        "page_number": page.number,
        "page_id": page.pk,
        "raw_score": hit.score,
        "normalized_score": hit.normalized_score,
        **({"rerank_score": hit.rank.rerank_score} if receipt.reranking else {}),
        **({} if receipt.ranking == "maxsim" else {"ranks": _ranks(hit)}),
        "width": page.width,
        "height": page.height,
    }


def _ranks(hit: Hit) -> dict[str, Any]:
    fused = hit.rank.fused_score
    return {"maxsim": hit.rank.maxsim_rank, "lexical": hit.rank.lexical_rank, "fused": fused and round(fused, 6)}


def _represent_receipt(receipt: Receipt) -> dict[str, Any]:
    space, reranking = receipt.space, receipt.reranking
    return {
        "mode": receipt.mode,
        "ranking": receipt.ranking,
        "degraded": receipt.degraded,
        "space": {"model": space.model, "revision": space.revision, "dim": space.dim} if space else None,
        "pages_in_scope": receipt.pages_in_scope,
        "pages_scored": receipt.pages_scored,
        "vector_storage": receipt.vector_storage,
        "vectors_per_page": receipt.vectors_per_page and round(receipt.vectors_per_page, 1),
        "pages_matched": receipt.pages_matched,
        "pages_left_out": receipt.pages_left_out,
        "reranking": dataclasses.asdict(reranking) if reranking else None,
        "ms": {stage: round(ms, 3) for stage, ms in receipt.stopwatch.ms.items()},
    }


def _images_base64(hits: list[Hit]) -> list[str]:
    if sum(hit.page.image.size for hit in hits) > settings.ENV.max_expanded_mb * MEBIBYTE:
        raise AnswerTooLarge("The images would be too large for one response; lower `top_k`, or use `images: url`.")
    return [image_base64(hit.page.image) for hit in hits]


def represent_regions(page: PageRegions | None) -> dict[str, Any] | None:
    if page is None:
        return None
    regions = page.regions
    return {
        "boxes": [
            {"box": _rounded(region.box), "score": round(region.score, 6), "tokens": region.tokens, "text": text}
            for region, text in zip(regions.regions, page.texts, strict=True)
        ],
        "n_x": regions.n_x,
        "n_y": regions.n_y,
        "tokens": [
            {
                "token": token.number,
                "score": round(token.score, 6),
                "box": _rounded(token.box),
                "map": base64.b64encode(token.map).decode("ascii"),
            }
            for token in regions.tokens
        ],
    }


def _rounded(box: tuple[float, ...]) -> list[float]:
    return [round(edge, 5) for edge in box]
