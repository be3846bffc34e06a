"""Few vectors that stand for the many of a page: the centres of its clusters.

Clusters are those of Ward's method, which costs the square of the vectors. So a long page is first split into parts of
vectors that lie near each other, each part is clustered by itself until `_JOINED` clusters are left in all, and those
are clustered together. Little ends up in the wrong part, and the last step mends most of that.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.jit import compiled
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.single_threaded_blas import single_threaded

Floats: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.int64]

FINE = 128
COARSE = 32

_JOINED = 256
_PART = 128  # vectors, about
_MOST_PARTS = 32  # no more than COARSE: each leaves a cluster at least
_LARGEST_PART = 1024
_ROUNDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """At most FINE and at most COARSE vectors, each as long as those that it stands for are on average.

    `weights` tells for how many each of the fine ones stands.
    """

    fine: Floats
    coarse: Floats
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Clusters:
    """Centres, what they weigh, and how long the vectors in them are on average."""

    centres: Floats
    weights: Floats
    lengths: Floats

    def __len__(self) -> int:
        return len(self.centres)

    def merged(self, labels: Numbers, count: int) -> "_Clusters":
        """The clusters of these clusters."""
        weights = np.bincount(labels, self.weights, count).astype(np.float32)
        lengths = np.bincount(labels, self.weights * self.lengths, count).astype(np.float32) / weights
        return _Clusters(_sums(self.centres, self.weights, labels, count) / weights[:, None], weights, lengths)

    def stretched(self) -> Floats:
        """The centres in their full length: the mean of vectors is shorter than they are."""
        now = np.sqrt(np.einsum("ij,ij->i", self.centres, self.centres))
        stretched: Floats = self.centres * (self.lengths / np.maximum(now, np.float32(1e-12)))[:, None]
        return stretched


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """How `count` clusters become one: `gone[i]` became a part of `kept[i]` and raised the spread by `heights[i]`."""

    count: int
    gone: Numbers
    kept: Numbers
    heights: Floats

    def cut(self, most: int) -> tuple[Numbers, int]:
        """The number of the cluster of each after the cheapest merges, and how many are left: `most`, if it can be."""
        cheapest = np.argsort(self.heights, kind="stable")[: max(0, self.count - most)]
        labels = np.arange(self.count, dtype=np.int64)
        return labels, int(_label(self.gone[cheapest], self.kept[cheapest], labels))


def pool(page: MultiVector | Floats) -> Pooled:
    """The vectors of a page, pooled to both sizes. A page that is short enough stands for itself."""
    vectors = page.astype(np.float32)
    each = np.ones(len(vectors), dtype=np.float32)
    if len(vectors) <= COARSE:
        return Pooled(vectors, vectors, each)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    clusters = _Clusters(vectors, each, lengths)
    with single_threaded():
        if len(clusters) > _JOINED:
            clusters = clusters.merged(*_tree_of_parts(clusters).cut(_JOINED))
        tree = _tree(clusters.centres, clusters.weights)
    coarse = clusters.merged(*tree.cut(COARSE)).stretched()
    if len(vectors) <= FINE:
        return Pooled(vectors, coarse, each)
    fine = clusters.merged(*tree.cut(FINE))
    return Pooled(fine.stretched(), coarse, fine.weights)


def _tree_of_parts(clusters: _Clusters) -> _Tree:
    """The trees of the parts side by side, as one."""
    parts = _parts(clusters.centres)
    trees = [_tree(clusters.centres[part], clusters.weights[part]) for part in parts]
    return _Tree(
        len(clusters),
        np.concatenate([part[tree.gone] for part, tree in zip(parts, trees, strict=True)]),
        np.concatenate([part[tree.kept] for part, tree in zip(parts, trees, strict=True)]),
        np.concatenate([tree.heights for tree in trees]),
    )


def _parts(vectors: Floats) -> list[Numbers]:
    """Which vectors lie near each other: a few rounds of k-means, begun along the direction of the largest spread."""
    count = min(_MOST_PARTS, -(-len(vectors) // _PART))
    spread = vectors - vectors.mean(axis=0)
    direction = spread[0]
    for _ in range(2):
        direction = (spread @ direction) @ spread
        direction /= np.maximum(np.linalg.norm(direction), np.float32(1e-12))
    order = np.argsort(spread @ direction, kind="stable")
    centres = vectors[order[(2 * np.arange(count) + 1) * len(vectors) // (2 * count)]]
    labels, once = _nearest(vectors, centres), np.ones(len(vectors), dtype=np.float32)
    for _ in range(_ROUNDS):
        sums = _sums(vectors, once, labels, count)
        sizes = np.bincount(labels, minlength=count).astype(np.float32)[:, None]
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres)
        labels = _nearest(vectors, centres)
    members = (np.flatnonzero(labels == number) for number in range(count))
    return [some[start : start + _LARGEST_PART] for some in members for start in range(0, len(some), _LARGEST_PART)]


def _sums(vectors: Floats, weights: Floats, labels: Numbers, count: int) -> Floats:
    """Of the vectors of each label, times their weights; of none it is zero."""
    sums = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    _add_up(vectors, weights, labels, sums)
    return sums


def _nearest(vectors: Floats, centres: Floats) -> Numbers:
    nearness = vectors @ centres.T
    nearness -= np.float32(0.5) * np.einsum("ij,ij->i", centres, centres)
    nearest: Numbers = np.argmax(nearness, axis=1)
    return nearest


def _tree(centres: Floats, weights: Floats) -> _Tree:
    """All merges of Ward's method: of clusters that are each other's nearest, until one is left."""
    count = len(centres)
    gone, kept = np.empty(max(0, count - 1), dtype=np.int64), np.empty(max(0, count - 1), dtype=np.int64)
    heights = np.empty(max(0, count - 1), dtype=np.float32)
    distances = centres @ centres.T
    _merge(distances, weights.copy(), gone, kept, heights)
    return _Tree(count, gone, kept, heights)


@compiled("void(float32[:, ::1], float32[::1], int64[::1], int64[::1], float32[::1])")
def _merge(distances: Floats, weights: Floats, gone: Numbers, kept: Numbers, heights: Floats) -> None:
    """From inner products to the tree, by the chain of nearest neighbours; `distances` and `weights` are used up."""
    count = len(weights)
    squares = np.empty(count, dtype=np.float32)
    for i in range(count):
        squares[i] = distances[i, i]
    for i in range(count):
        for j in range(count):
            share = weights[i] * weights[j] / (weights[i] + weights[j])
            apart = squares[i] + squares[j] - np.float32(2) * distances[i, j]
            distances[i, j] = max(apart, np.float32(0)) * share
        distances[i, i] = np.inf
    there = np.ones(count, dtype=np.bool_)
    chain = np.empty(count, dtype=np.int64)
    length, first = 0, 0
    for step in range(count - 1):
        if length == 0:
            while not there[first]:
                first += 1
            chain[0] = first
            length = 1
        while True:
            last = chain[length - 1]
            near = chain[length - 2] if length > 1 else last
            least = distances[last, near]
            for j in range(count):
                if distances[last, j] < least:
                    least = distances[last, j]
                    near = j
            # A chain of all there are cannot be, but for rounding: then what is nearest now is merged.
            if (length > 1 and near == chain[length - 2]) or length == count:
                break
            chain[length] = near
            length += 1
        length = max(0, length - 2) if near == chain[length - 2] else 0
        gone[step], kept[step], heights[step] = last, near, least
        there[last] = False
        for j in range(count):
            if there[j] and j != near:
                both = (weights[last] + weights[j]) * distances[last, j] + (weights[near] + weights[j]) * distances[
                    near, j
                ]
                distances[near, j] = (both - weights[j] * least) / (weights[last] + weights[near] + weights[j])
                distances[j, near] = distances[near, j]
            distances[j, last] = np.inf
        weights[near] += weights[last]


@compiled("int64(int64[::1], int64[::1], int64[::1])")
def _label(gone: Numbers, kept: Numbers, labels: Numbers) -> int:
    """Number the clusters that are left in the order of their first members; `labels` comes as 0, 1, 2, ..."""
    parent = labels.copy()
    for step in range(len(gone)):
        one, other = gone[step], kept[step]
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        parent[one] = other
    number = np.full(len(labels), -1, dtype=np.int64)
    count = 0
    for i in range(len(labels)):
        root = i
        while parent[root] != root:
            root = parent[root]
        if number[root] < 0:
            number[root] = count
            count += 1
        labels[i] = number[root]
    return count


@compiled("void(float32[:, ::1], float32[::1], int64[::1], float32[:, ::1])")
def _add_up(vectors: Floats, weights: Floats, labels: Numbers, sums: Floats) -> None:
    for i in range(len(vectors)):
        into = sums[labels[i]]
        for j in range(vectors.shape[1]):
            into[j] += weights[i] * vectors[i, j]
