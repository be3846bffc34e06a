"""Ranks documents by MaxSim: texts, images, or multi-vectors computed earlier."""

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
from embeddings.server.requests import Input, parse_image, parse_list, parse_text, parse_top_n

Candidate = Input | NDArray[Any]


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """A validated request to rank documents."""

    query: Candidate
    documents: tuple[Candidate, ...]
    top_n: int

    @property
    def inputs(self) -> list[Input]:
        """The candidates that must be embedded, the query before the documents."""
        return [candidate for candidate in (self.query, *self.documents) if isinstance(candidate, Input)]


def parse_rerank(body: dict[str, Any], *, dim: int, settings: Settings) -> RerankRequest:
    """Parse a body of POST /rerank."""
    query = _parse_candidate(body.get("query"), path="query", task="query", dim=dim, settings=settings)
    documents = [
        _parse_candidate(value, path=f"documents[{index}]", task="document", dim=dim, settings=settings)
        for index, value in enumerate(parse_list(body, "documents", limit=settings.max_inputs))
    ]
    return RerankRequest(query, tuple(documents), parse_top_n(body, default=len(documents)))


def rank(request: RerankRequest, embedded: Sequence[MultiVector]) -> list[dict[str, Any]]:
    """Return the best documents first; `embedded` are the multi-vectors of the request's inputs.

    A score is the mean over the query's vectors, so it is between -1 and 1.
    """
    remaining = iter(embedded)
    query, *documents = (
        next(remaining).vectors if isinstance(candidate, Input) else candidate
        for candidate in (request.query, *request.documents)
    )
    scores = [maxsim(query, document) / len(query) for document in documents]
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    return [{"index": index, "relevance_score": scores[index]} for index in order[: request.top_n]]


def _parse_candidate(value: Any, *, path: str, task: Task, dim: int, settings: Settings) -> Candidate:
    if isinstance(value, dict) and "image" in value:
        return parse_image(value, path=path, task=task, settings=settings)
    if isinstance(value, dict) and "embedding" in value:
        return _parse_embedding(value["embedding"], path=path, dim=dim)
    return parse_text(value, path=path, task=task, settings=settings)


def _parse_embedding(value: Any, *, path: str, dim: int) -> NDArray[Any]:
    """Parse rows as /embeddings returns them, as floats or in base64."""
    invalid = InvalidField(f"{path}.embedding must have rows of {dim} numbers of unit length, as /embeddings returns.")
    try:
        rows = _decode_base64(value) if isinstance(value, dict) else np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError, KeyError, OverflowError, binascii.Error):
        raise invalid from None
    if rows.ndim != 2 or rows.shape[0] < 1 or rows.shape[1] != dim or not _have_unit_length(rows):
        raise invalid
    return rows


def _have_unit_length(rows: NDArray[Any]) -> bool:
    # The first test keeps the second one from overflowing; NaN fails both.
    return bool((np.abs(rows) < 2).all() and (np.abs(np.linalg.norm(rows.astype(np.float32), axis=1) - 1) < 0.05).all())


def _decode_base64(value: dict[str, Any]) -> NDArray[Any]:
    shape = tuple(int(side) for side in value["shape"])
    data = base64.b64decode(value["data"], validate=True)
    if value.get("dtype", "float16") != "float16" or len(data) != 2 * math.prod(shape):
        raise ValueError("The data does not match the shape.")
    return np.frombuffer(data, dtype="<f2").reshape(shape)
