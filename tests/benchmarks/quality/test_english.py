"""Other ways to weigh the same vectors."""

import numpy as np

from benchmarks.quality.encoded import Encoded
from benchmarks.quality.english import centred, without


def test_centring_makes_the_mean_of_each_language_zero_and_keeps_the_order_within_it() -> None:
    scores = np.array([[0.9, 0.7, 0.2, 0.1], [0.1, 0.3, 0.8, 0.4]])
    languages = np.array(["de", "de", "en", "en"])
    np.testing.assert_allclose(centred(scores, languages), [[0.1, -0.1, 0.05, -0.05], [-0.1, 0.1, 0.2, -0.2]])


def test_dropped_vectors_are_left_out_unless_none_of_a_word_would_remain() -> None:
    queries = Encoded(np.arange(6, dtype=np.float16)[:, None], np.array([0, 3]))
    # Each has a last vector of the whole query, which is no word's.
    less = without(queries, [np.array([True, False]), np.array([True, True])])
    assert less.rows[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert less.starts.tolist() == [0, 2]
