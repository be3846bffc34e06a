"""Fewer vectors for a page: those that say nearly the same become one."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from embeddings.contract import Vectors


def pool(vectors: Vectors, *, factor: int) -> Vectors:
    """At most n / factor unit vectors for n, at least one: the means of clusters found with Ward's method."""
    most = max(len(vectors) // factor, 1)
    if most >= len(vectors):
        return vectors
    exact = vectors.astype(np.float32)
    labels = fcluster(linkage(exact, method="ward"), t=most, criterion="maxclust") - 1
    sums = np.zeros((labels.max() + 1, exact.shape[1]), dtype=np.float32)
    np.add.at(sums, labels, exact)
    sums /= np.linalg.norm(sums, axis=1, keepdims=True)
    return sums.astype(np.float16)
