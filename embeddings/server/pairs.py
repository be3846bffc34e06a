"""Ranks texts by a reranker, which reads the query and a passage together.

A text is split into passages that fit the model. Its score is that of its best passage.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from embeddings.backends.base import Prepared, Reranker
from embeddings.config import Settings
from embeddings.contract import CROSS_ENCODER, MultiVector
from embeddings.errors import InvalidField, RequestTooLarge
from embeddings.server.engine import InputTask
from embeddings.server.requests import parse_list, parse_text, parse_top_n

_METHODS = ("maxsim", CROSS_ENCODER)


@dataclass(frozen=True, slots=True)
class PairRequest:
    """A validated request to rank texts by a reranker."""

    query: str
    documents: tuple[str, ...]
    top_n: int


def wants_reranker(body: dict[str, Any]) -> bool:
    """Return whether a body of POST /rerank chooses the reranker; the default is MaxSim."""
    method = body.get("method", "maxsim")
    if method not in _METHODS:
        raise InvalidField("method must be one of " + ", ".join(_METHODS) + ".")
    return bool(method == CROSS_ENCODER)


def parse_pairs(body: dict[str, Any], *, settings: Settings) -> PairRequest:
    """Parse a body of POST /rerank whose documents are texts."""
    parse = partial(parse_text, task="document", settings=settings)
    documents = [
        parse(value, path=f"documents[{index}]").text or ""
        for index, value in enumerate(parse_list(body, "documents", limit=settings.max_inputs))
    ]
    query = parse(body.get("query"), path="query").text or ""
    return PairRequest(query, tuple(documents), parse_top_n(body, default=len(documents)))


def split_into_tasks(request: PairRequest, reranker: Reranker, *, max_tokens: int) -> list[InputTask]:
    """Return a task for each passage of each document. Takes milliseconds for each document."""
    tasks = []
    tokens = 0
    for index, document in enumerate(request.documents):
        passages = reranker.split(request.query, document)
        tokens += sum(passage.tokens for passage in passages)
        if tokens > max_tokens:
            raise RequestTooLarge(f"The documents have more than {max_tokens} tokens together; send fewer at once.")
        tasks += [InputTask("pair", partial(_get, passage), passage.tokens, index) for passage in passages]
    return tasks


def rank(request: PairRequest, tasks: Sequence[InputTask], scored: Sequence[MultiVector]) -> list[dict[str, Any]]:
    """Return the best documents first, each with the score of its best passage, from 0 to 1."""
    best = [-math.inf] * len(request.documents)
    for task, multi_vector in zip(tasks, scored, strict=True):
        index = task.index or 0
        best[index] = max(best[index], float(multi_vector.vectors[0, 0]))
    order = sorted(range(len(best)), key=lambda index: (-best[index], index))
    return [{"index": index, "relevance_score": _sigmoid(best[index])} for index in order[: request.top_n]]


def _get(passage: Prepared) -> Prepared:
    return passage


def _sigmoid(logit: float) -> float:
    """Return a number from 0 to 1 without overflow."""
    return (1 + math.tanh(logit / 2)) / 2
