"""The axes of the multilingual model."""

import numpy as np

from benchmarks.embeddings import e5_axes


def test_axes_do_not_tell_languages_apart() -> None:
    rng = np.random.default_rng(4)
    names = ["de", "en", "fr", "ja"]
    languages = np.repeat(names, 500)
    # The languages differ in directions in which texts vary more than in any other.
    shifts = np.repeat(rng.standard_normal((len(names), 200)) * 3, 500, axis=0)
    vectors = rng.standard_normal((len(languages), 200)) + shifts
    projected = vectors @ e5_axes.axes(vectors, languages)
    means = np.stack([projected[languages == name].mean(axis=0) for name in names])
    np.testing.assert_allclose(means, np.broadcast_to(means[0], means.shape), atol=1e-9)
    assert np.linalg.matrix_rank(projected) == 112
