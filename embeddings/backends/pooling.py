"""Reduces the number of vectors of a page by merging similar ones."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from embeddings.contract import Vectors


def pool(vectors: Vectors, *, factor: int) -> Vectors:
    """Return at most n / factor unit vectors for n, but at least one: the means of clusters by Ward's method."""
    limit = max(len(vectors) // factor, 1)
    if limit >= len(vectors):
        return vectors
    exact = vectors.astype(np.float32)
    labels = fcluster(linkage(exact, method="ward"), t=limit, criterion="maxclust") - 1
    sums = np.zeros((labels.max() + 1, exact.shape[1]), dtype=np.float32)
    np.add.at(sums, labels, exact)
    sums /= np.linalg.norm(sums, axis=1, keepdims=True)
    return sums.astype(np.float16)
