"""Answer regions of a page in responses."""

import base64
from typing import Any

from rest_framework import serializers

from collections_app.search import PageRegions


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


EXAMPLE = {
    "boxes": [{"box": [0.12, 0.31, 0.58, 0.34], "score": 0.84, "tokens": [0, 1, 3], "text": "revenue by region"}],
    "n_x": 2,
    "n_y": 2,
    "tokens": [{"token": 0, "score": 0.91, "box": [0.12, 0.31, 0.25, 0.34], "map": "/xoAAA=="}],
}


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
