"""The projection that ships with the backend `embedded`."""

import numpy as np

from embeddings.backends import minilm, projection
from embeddings.backends.encoders.projected import SEMANTIC_DIMS, principal_axes
from embeddings.backends.minilm import MiniLM


def test_shipped_projection_is_the_one_that_the_script_builds() -> None:
    stored = projection.load()
    axes = stored.axes
    assert axes.shape == (minilm.DIM, SEMANTIC_DIMS)
    np.testing.assert_allclose(axes.T @ axes, np.eye(SEMANTIC_DIMS), atol=2e-3)
    vectors = projection.vocabulary_vectors(MiniLM())
    np.testing.assert_allclose(vectors.mean(axis=0) @ axes, stored.common, atol=2e-3)
    rebuilt = principal_axes(vectors)
    # The sign and the order of similar axes depend on the library; the space that they span does not.
    np.testing.assert_allclose(np.linalg.svd(axes.T @ rebuilt, compute_uv=False), 1, atol=2e-3)
