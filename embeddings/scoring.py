"""Late interaction: every query vector takes its best match on the page, and the matches are added up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def maxsim(query: NDArray[Any], page: NDArray[Any]) -> float:
    """The score of a page (n, dim) for a query (m, dim), in float32. No padding may be in either."""
    similarities = query.astype(np.float32) @ page.astype(np.float32).T
    return float(similarities.max(axis=1).sum())
