"""Compare pages whose vectors were merged by `COLPALI_POOL_FACTOR`: `python -m benchmarks.quality.pool_factor [MODEL]`

The pages and questions are those of `make bench-quality`. Adds to benchmarks/results/compact.json.
"""

import sys
from functools import partial
from typing import Any

import numpy as np

from benchmarks.quality import fetch, models
from benchmarks.quality.compact import collection_of
from benchmarks.search import compact
from benchmarks.search.synthetic import Halves
from collections_app.engine.retrieval import maxsim
from embeddings.backends.pooling import pool

FACTORS = (2, 3, 4)


def main(model: str) -> int:
    """Measure, print and write."""
    fetch.fetch()
    queries, pages, gains = collection_of(model)
    whole = compact.ndcg(np.stack([maxsim.scores(query, pages) for query in queries]), gains)
    rows: list[dict[str, Any]] = [
        {"factor": 1, "vectors": _mean_length(pages), "ndcg10": round(float(whole.mean()), 4)}
    ]
    for factor in FACTORS:
        merged = list(map(partial(pool, factor=factor), pages))
        values = compact.ndcg(np.stack([maxsim.scores(query, merged) for query in queries]), gains)
        figures = {
            "factor": factor,
            "vectors": _mean_length(merged),
            "ndcg10": round(float(values.mean()), 4),
            "difference": round(float((values - whole).mean()), 4),
            "interval": compact.interval(values - whole),
        }
        rows.append(figures)
        sys.stdout.write(f"{figures}\n")
    compact.write("pooled", {"model": model, "pages": len(pages), "queries": len(queries), "factors": rows})
    return 0


def _mean_length(pages: list[Halves]) -> float:
    return round(float(np.mean([len(page) for page in pages])), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] else models.DEFAULT))
