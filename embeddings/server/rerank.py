"""Puts documents in order for a query: texts, images, or multi-vectors that were computed before."""

import base64
import binascii
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.config import Settings
from embeddings.contract import MultiVector, Task
from embeddings.errors import InvalidField
from embeddings.scoring import maxsim
from embeddings.server import requests
from embeddings.server.requests import Input

Candidate = Input | NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a request asks to be put in order."""

    query: Candidate
    documents: tuple[Candidate, ...]
    top_n: int

    @property
    def inputs(self) -> list[Input]:
        """What has to be embedded first, the query before the documents."""
        return [one for one in (self.query, *self.documents) if isinstance(one, Input)]


def parse(body: dict[str, Any], *, dim: int, settings: Settings) -> Ranking:
    """The ranking in a body of POST /rerank."""
    query = _candidate(body.get("query"), at="query", task="query", dim=dim, settings=settings)
    documents = [
        _candidate(one, at=f"documents[{number}]", task="document", dim=dim, settings=settings)
        for number, one in enumerate(requests.many(body, "documents", most=settings.max_inputs))
    ]
    top_n = body.get("top_n")
    if top_n is not None and (not isinstance(top_n, int) or isinstance(top_n, bool) or top_n < 1):
        raise InvalidField("top_n must be a whole number from 1.")
    return Ranking(query, tuple(documents), top_n or len(documents))


def rank(ranking: Ranking, embedded: Sequence[MultiVector]) -> list[dict[str, Any]]:
    """The best documents first. A score is the mean over the query's vectors, so it lies between -1 and 1."""
    given = iter(embedded)
    query, *documents = (
        next(given).vectors if isinstance(one, Input) else one for one in (ranking.query, *ranking.documents)
    )
    scores = [maxsim(query, document) / len(query) for document in documents]
    order = sorted(range(len(scores)), key=lambda number: (-scores[number], number))
    return [{"index": number, "relevance_score": scores[number]} for number in order[: ranking.top_n]]


def _candidate(value: Any, *, at: str, task: Task, dim: int, settings: Settings) -> Candidate:
    if isinstance(value, dict) and "image" in value:
        return requests.read_image(value, at=at, task=task, settings=settings)
    if isinstance(value, dict) and "embedding" in value:
        return _vectors(value["embedding"], at=at, dim=dim)
    return requests.read_text(value, at=at, task=task, settings=settings)


def _vectors(value: Any, *, at: str, dim: int) -> NDArray[Any]:
    """Rows as /embeddings answers them, as floats or in base64."""
    wrong = InvalidField(f"{at}.embedding must have rows of {dim} numbers of unit length, as /embeddings answers them.")
    try:
        rows = _decoded(value) if isinstance(value, dict) else np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError, KeyError, OverflowError, binascii.Error):
        raise wrong from None
    if rows.ndim != 2 or rows.shape[0] < 1 or rows.shape[1] != dim or not _unit(rows):
        raise wrong
    return rows


def _unit(rows: NDArray[Any]) -> bool:
    """Are all rows near unit length? The first question keeps the second from overflowing; NaN fails both."""
    return bool((np.abs(rows) < 2).all() and (np.abs(np.linalg.norm(rows.astype(np.float32), axis=1) - 1) < 0.05).all())


def _decoded(value: dict[str, Any]) -> NDArray[Any]:
    shape = tuple(int(side) for side in value["shape"])
    raw = base64.b64decode(value["data"], validate=True)
    if value.get("dtype", "float16") != "float16" or len(raw) != 2 * math.prod(shape):
        raise ValueError("The data does not go with the shape.")
    return np.frombuffer(raw, dtype="<f2").reshape(shape)
