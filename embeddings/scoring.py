"""MaxSim, the late-interaction score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def maxsim(query: NDArray[Any], page: NDArray[Any]) -> float:
    """Sum, over the query's vectors (m, dim), the best match among the page's vectors (n, dim), in float32.

    Neither array may contain padding rows.
    """
    similarities = query.astype(np.float32) @ page.astype(np.float32).T
    return float(similarities.max(axis=1).sum())
