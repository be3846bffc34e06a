"""The vectors that a search compares pages with."""

from dataclasses import dataclass

import numpy as np

from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.weights import Weights
from embeddings import contract


@dataclass(frozen=True, slots=True, eq=False)
class QueryVectors:
    """One late-interaction query. Without weights, each of its vectors counts the same."""

    space: contract.VectorSpace
    vectors: MultiVector
    weights: Weights | None = None

    @property
    def max_score(self) -> float:
        """The score of a page on which every vector finds itself. Scores are normalised by it."""
        return float(len(self.vectors) if self.weights is None else np.abs(self.weights).sum())
