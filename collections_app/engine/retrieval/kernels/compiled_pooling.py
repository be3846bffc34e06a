"""Compiled loops of pooling: Ward's method by the nearest-neighbour chain, and the sums of clusters."""

import numpy as np

from collections_app.engine.retrieval.arrays import Floats, Numbers
from collections_app.engine.retrieval.kernels.jit import compiled


@compiled("void(float32[:, ::1], float32[::1], int64[::1], int64[::1], float32[::1])")
def merge_clusters(distances: Floats, weights: Floats, sources: Numbers, targets: Numbers, heights: Floats) -> None:
    """Build the tree of Ward's method; overwrites `distances`, which come as inner products, and `weights`.

    Merge i makes cluster `sources[i]` part of cluster `targets[i]` and raises the spread by `heights[i]`.
    """
    count = len(weights)
    squares = np.empty(count, dtype=np.float32)
    for i in range(count):
        squares[i] = distances[i, i]
    for i in range(count):
        for j in range(count):
            share = weights[i] * weights[j] / (weights[i] + weights[j])
            gap = squares[i] + squares[j] - np.float32(2) * distances[i, j]
            distances[i, j] = max(gap, np.float32(0)) * share
        distances[i, i] = np.inf
    alive = np.ones(count, dtype=np.bool_)
    chain = np.empty(count, dtype=np.int64)
    length, first = 0, 0
    for step in range(count - 1):
        if length == 0:
            while not alive[first]:
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
            # Only rounding can make the chain contain every cluster; then merge the nearest pair at hand.
            if (length > 1 and near == chain[length - 2]) or length == count:
                break
            chain[length] = near
            length += 1
        length = max(0, length - 2) if near == chain[length - 2] else 0
        sources[step], targets[step], heights[step] = last, near, least
        alive[last] = False
        for j in range(count):
            if alive[j] and j != near:
                both = (weights[last] + weights[j]) * distances[last, j] + (weights[near] + weights[j]) * distances[
                    near, j
                ]
                distances[near, j] = (both - weights[j] * least) / (weights[last] + weights[near] + weights[j])
                distances[j, near] = distances[near, j]
            distances[j, last] = np.inf
        weights[near] += weights[last]


@compiled("int64(int64[::1], int64[::1], int64[::1])")
def label_clusters(sources: Numbers, targets: Numbers, labels: Numbers) -> int:
    """Number the clusters that are left after the merges, in the order of their first members; return how many.

    `labels` comes as 0, 1, 2, ... and receives the number of each member's cluster.
    """
    parent = labels.copy()
    for step in range(len(sources)):
        left, right = sources[step], targets[step]
        while parent[left] != left:
            parent[left] = parent[parent[left]]
            left = parent[left]
        while parent[right] != right:
            parent[right] = parent[parent[right]]
            right = parent[right]
        parent[left] = right
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
def sum_by_label(vectors: Floats, weights: Floats, labels: Numbers, sums: Floats) -> None:
    """Add each vector, times its weight, to the sum of its label."""
    for i in range(len(vectors)):
        into = sums[labels[i]]
        for j in range(vectors.shape[1]):
            into[j] += weights[i] * vectors[i, j]


@compiled("int64(float32[:, ::1], float32[::1], int64, float32[:, ::1], float32[::1])")
def merge_vectors(vectors: Floats, weights: Floats, limit: int, means: Floats, totals: Floats) -> int:
    """Cluster weighted vectors by Ward's method until `limit` clusters are left, if possible; return their number.

    The weighted mean of each cluster is added to `means` and its weight to `totals`, which both come as zeros. All of
    this is one call: the vectors of a query are so few that several calls would take longer than the work.
    """
    count, dim = vectors.shape
    products, columns = np.zeros((count, count), dtype=np.float32), vectors.T.copy()
    for i in range(count):
        row = products[i]
        for k in range(dim):
            factor, column = vectors[i, k], columns[k]
            for j in range(count):
                row[j] += factor * column[j]
    sources, targets = np.empty(count - 1, dtype=np.int64), np.empty(count - 1, dtype=np.int64)
    heights = np.empty(count - 1, dtype=np.float32)
    merge_clusters(products, weights.copy(), sources, targets, heights)
    cheapest = np.argsort(heights, kind="mergesort")[: max(0, count - limit)]
    labels = np.arange(count)
    clusters = label_clusters(sources[cheapest], targets[cheapest], labels)
    sum_by_label(vectors, weights, labels, means)
    for i in range(count):
        totals[labels[i]] += weights[i]
    for cluster in range(clusters):
        for k in range(dim):
            means[cluster, k] /= totals[cluster]
    return clusters
