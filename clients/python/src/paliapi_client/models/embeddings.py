"""Answers of the API about embeddings, with its field names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """The vectors of one input."""

    object: str
    """Always `embedding`."""
    embedding: list[list[float]]
    index: int
    """Index of the input, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingsUsage:
    """How many vectors were computed."""

    prompt_tokens: int
    """Number of vectors computed."""
    total_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """The vectors of the inputs."""

    data: list[Embedding]
    model: str
    usage: EmbeddingsUsage
