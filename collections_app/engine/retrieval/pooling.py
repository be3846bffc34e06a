"""Pooling: few vectors that stand for the many of a page, the centres of its clusters.

Clusters are found by Ward's method, whose cost grows with the square of the number of vectors. So a long page is first
split into parts of similar vectors by k-means. Each part is clustered alone until `_INTERMEDIATE` clusters are left in
all, and those are clustered together. Few vectors end up in the wrong part, and the last step corrects most of that.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from collections_app.engine.retrieval.arrays import Floats, Numbers
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.single_threaded_blas import single_threaded

FINE = 128
COARSE = 32

_INTERMEDIATE = 256
_PART = 128  # vectors, about
_MAX_PARTS = 32  # no more than COARSE: each leaves at least one cluster
_MAX_PART_VECTORS = 1024
_ROUNDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """At most FINE and at most COARSE vectors, each with the average length of those that it stands for.

    `weights` has for each of the fine ones how many it stands for.
    """

    fine: Floats
    coarse: Floats
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Centres, their weights, and the average length of the vectors in each cluster."""

    centres: Floats
    weights: Floats
    lengths: Floats

    def __len__(self) -> int:
        return len(self.centres)

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """Return each vector as a cluster."""
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        return cls(vectors, np.ones(len(vectors), dtype=np.float32), lengths)

    def reduced(self, limit: int) -> "Clusters":
        """Return at most `limit` clusters of these, by Ward's method."""
        return self.merged(*_tree(self.centres, self.weights).cut(limit))

    def merged(self, labels: Numbers, count: int) -> "Clusters":
        """Return the clusters of these clusters."""
        weights = np.bincount(labels, self.weights, count).astype(np.float32)
        lengths = np.bincount(labels, self.weights * self.lengths, count).astype(np.float32) / weights
        return Clusters(_sums(self.centres, self.weights, labels, count) / weights[:, None], weights, lengths)

    def stretched(self) -> Floats:
        """Return the centres at full length: the mean of vectors is shorter than they are."""
        norms = np.sqrt(np.einsum("ij,ij->i", self.centres, self.centres))
        stretched: Floats = self.centres * (self.lengths / np.maximum(norms, np.float32(1e-12)))[:, None]
        return stretched


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """The merges of `count` clusters: `sources[i]` joined `targets[i]` and raised the spread by `heights[i]`."""

    count: int
    sources: Numbers
    targets: Numbers
    heights: Floats

    def cut(self, limit: int) -> tuple[Numbers, int]:
        """Apply the cheapest merges until `limit` clusters are left, if possible; return labels and their number."""
        cheapest = np.argsort(self.heights, kind="stable")[: max(0, self.count - limit)]
        labels = np.arange(self.count, dtype=np.int64)
        return labels, int(dispatch.label_clusters(self.sources[cheapest], self.targets[cheapest], labels))


def pool(page: MultiVector | Floats) -> Pooled:
    """Pool the vectors of a page to both sizes; a page that is short enough stands for itself."""
    vectors = page.astype(np.float32)
    clusters = Clusters.of(vectors)
    if len(vectors) <= COARSE:
        return Pooled(vectors, vectors, clusters.weights)
    with single_threaded():
        if len(vectors) <= FINE:
            return Pooled(vectors, clusters.reduced(COARSE).stretched(), clusters.weights)
        if len(clusters) > _INTERMEDIATE:
            clusters = clusters.merged(*_tree_of_parts(clusters).cut(_INTERMEDIATE))
        return pool_clusters(clusters)


def pool_clusters(clusters: Clusters) -> Pooled:
    """Pool clusters, more than FINE of them, to both sizes."""
    tree = _tree(clusters.centres, clusters.weights)
    coarse, fine = (clusters.merged(*tree.cut(limit)) for limit in (COARSE, FINE))
    return Pooled(fine.stretched(), coarse.stretched(), fine.weights)


def _tree_of_parts(clusters: Clusters) -> _Tree:
    """Cluster each part alone; return the trees side by side, as one."""
    parts = _split(clusters.centres)
    trees = [_tree(clusters.centres[part], clusters.weights[part]) for part in parts]
    return _Tree(
        len(clusters),
        np.concatenate([part[tree.sources] for part, tree in zip(parts, trees, strict=True)]),
        np.concatenate([part[tree.targets] for part, tree in zip(parts, trees, strict=True)]),
        np.concatenate([tree.heights for tree in trees]),
    )


def _split(vectors: Floats) -> list[Numbers]:
    """Split vectors into parts of similar ones: some rounds of k-means, begun along the direction of most variance."""
    count = min(_MAX_PARTS, -(-len(vectors) // _PART))
    centred = vectors - vectors.mean(axis=0)
    direction = centred[0]
    for _ in range(2):
        direction = (centred @ direction) @ centred
        direction /= np.maximum(np.linalg.norm(direction), np.float32(1e-12))
    order = np.argsort(centred @ direction, kind="stable")
    centres = vectors[order[(2 * np.arange(count) + 1) * len(vectors) // (2 * count)]]
    labels, equal_weights = _nearest(vectors, centres), np.ones(len(vectors), dtype=np.float32)
    for _ in range(_ROUNDS):
        sums = _sums(vectors, equal_weights, labels, count)
        sizes = np.bincount(labels, minlength=count).astype(np.float32)[:, None]
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres)
        labels = _nearest(vectors, centres)
    members = [np.flatnonzero(labels == number) for number in range(count)]
    size = _MAX_PART_VECTORS
    return [part[start : start + size] for part in members for start in range(0, len(part), size)]


def _sums(vectors: Floats, weights: Floats, labels: Numbers, count: int) -> Floats:
    """Return the weighted sum of the vectors of each label; zero for a label without vectors."""
    sums = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    dispatch.sum_by_label(vectors, weights, labels, sums)
    return sums


def _nearest(vectors: Floats, centres: Floats) -> Numbers:
    nearness = vectors @ centres.T
    nearness -= np.float32(0.5) * np.einsum("ij,ij->i", centres, centres)
    nearest: Numbers = np.argmax(nearness, axis=1)
    return nearest


def _tree(centres: Floats, weights: Floats) -> _Tree:
    """Return all merges of Ward's method: of clusters that are each other's nearest, until one is left."""
    count = len(centres)
    sources, targets = np.empty(max(0, count - 1), dtype=np.int64), np.empty(max(0, count - 1), dtype=np.int64)
    heights = np.empty(max(0, count - 1), dtype=np.float32)
    products = centres @ centres.T
    dispatch.merge_clusters(products, weights.copy(), sources, targets, heights)
    return _Tree(count, sources, targets, heights)
