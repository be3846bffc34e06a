"""The projection that ships with the backend `embedded`."""

import numpy as np

from embeddings.backends import minilm, projection
from embeddings.backends.minilm import MiniLM


def test_shipped_projection_is_the_one_that_the_script_builds() -> None:
    axes, common = projection.load()
    assert axes.shape == (minilm.DIM, projection.SEMANTIC_DIMS)
    np.testing.assert_allclose(axes.T @ axes, np.eye(projection.SEMANTIC_DIMS), atol=2e-3)
    vectors = projection.vocabulary_vectors(MiniLM())
    np.testing.assert_allclose(vectors.mean(axis=0) @ axes, common, atol=2e-3)
    rebuilt = projection.principal_axes(vectors)
    # The sign and the order of similar axes depend on the library; the space that they span does not.
    np.testing.assert_allclose(np.linalg.svd(axes.T @ rebuilt, compute_uv=False), 1, atol=2e-3)
