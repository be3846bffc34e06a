"""Where on a page an answer lies, as it is told."""

import base64
from typing import Any

from rest_framework import serializers

from collections_app.search.regions import Pointed


class RegionOut(serializers.Serializer[Any]):
    box = serializers.ListField(
        child=serializers.FloatField(), help_text="Left, top, right, bottom, from 0 at the left and the top to 1."
    )
    score = serializers.FloatField(help_text="What the inside of the box alone scores, normalised.")
    tokens = serializers.ListField(
        child=serializers.IntegerField(), help_text="The query's vectors, from 0, whose best match lies in the box."
    )
    text = serializers.CharField(allow_blank=True, help_text="The words in the box, where the page has a text layer.")


class TokenOut(serializers.Serializer[Any]):
    token = serializers.IntegerField(help_text="Which vector of the query, from 0.")
    score = serializers.FloatField(help_text="Of its best match.")
    box = serializers.ListField(child=serializers.FloatField(), help_text="Where its best match is.")
    map = serializers.CharField(
        help_text="Base64 of n_y lines of n_x bytes: how the cells compare, from 0 (no better than the page as a "
        "whole) to 255 (the best match)."
    )


class RegionsOut(serializers.Serializer[Any]):
    """Where on the page the answer lies; empty where it is not known where its vectors come from."""

    boxes = RegionOut(many=True, help_text="Best first, eight at most.")
    n_x = serializers.IntegerField(help_text="Cells in a line of each map, 32 at most.")
    n_y = serializers.IntegerField(help_text="Lines of each map, 32 at most.")
    tokens = TokenOut(many=True, help_text="The query's vectors whose best match stands out most, 32 at most.")


EXAMPLE = {
    "boxes": [{"box": [0.12, 0.31, 0.58, 0.34], "score": 0.84, "tokens": [0, 1, 3], "text": "revenue by region"}],
    "n_x": 2,
    "n_y": 2,
    "tokens": [{"token": 0, "score": 0.91, "box": [0.12, 0.31, 0.25, 0.34], "map": "/xoAAA=="}],
}


def represent(pointed: Pointed | None) -> dict[str, Any] | None:
    if pointed is None:
        return None
    found = pointed.regions
    return {
        "boxes": [
            {"box": _edges(region.box), "score": round(region.score, 6), "tokens": region.tokens, "text": text}
            for region, text in zip(found.regions, pointed.texts, strict=True)
        ],
        "n_x": found.n_x,
        "n_y": found.n_y,
        "tokens": [
            {
                "token": token.number,
                "score": round(token.score, 6),
                "box": _edges(token.box),
                "map": base64.b64encode(token.map).decode("ascii"),
            }
            for token in found.tokens
        ],
    }


def _edges(box: tuple[float, ...]) -> list[float]:
    return [round(edge, 5) for edge in box]
