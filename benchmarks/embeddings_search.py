"""Does the CPU model find the right page? `python -m benchmarks.embeddings_search`

Forty pages, once read from their pixels and once with their words given. Prints recall, milliseconds and memory, and
ends with 1 if it finds less than it should. It is a smoke test: one writer, one typeface, forty pages.
"""

import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.embeddings_pages import Page, pages, questions
from embeddings.backends.base import Item
from embeddings.backends.embedded import Embedded
from embeddings.contract import Vectors
from embeddings.scoring import maxsim

NEEDED = {"topic": 0.95, "identifier": 1.0}
DPI = 100


def main() -> int:
    """Run both ways."""
    backend = Embedded()
    began = time.perf_counter()
    backend.load()
    shown = list(pages(dpi=DPI))
    report: dict[str, float] = {"load_s": round(time.perf_counter() - began, 2), "pages": len(shown), "dpi": DPI}
    good = True
    for way in ("ocr", "words"):
        found = measure(backend, shown, with_words=way == "words")
        good = good and all(found[f"recall_at_1_{kind}"] >= least for kind, least in NEEDED.items())
        report |= {f"{way}_{name}": value for name, value in found.items()}
    report["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0 if good else 1


def measure(backend: Embedded, shown: Sequence[Page], *, with_words: bool) -> dict[str, float]:
    """Recall and times of one way."""
    items = [Item("document", image=page.image, words=page.words if with_words else None) for page in shown]
    vectors, page_ms = timed(backend, items)
    asked = questions()
    queries, query_ms = timed(backend, [Item("query", text=question.text) for question in asked])
    ranks: defaultdict[str, list[int]] = defaultdict(list)
    for question, query in zip(asked, queries, strict=True):
        scores = np.array([maxsim(query, page) for page in vectors])
        ranks[question.kind].append(int((scores > scores[question.page]).sum()))
    found: dict[str, float] = {
        "ms_per_page": page_ms,
        "ms_per_query": query_ms,
        "vectors_per_page": float(np.mean([len(one) for one in vectors])),
    }
    for kind, places in ranks.items():
        found[f"recall_at_1_{kind}"] = float(np.mean([place < 1 for place in places]))
        found[f"recall_at_3_{kind}"] = float(np.mean([place < 3 for place in places]))
    return {name: round(value, 3) for name, value in found.items()}


def timed(backend: Embedded, items: Sequence[Item]) -> tuple[list[Vectors], float]:
    """The vectors of the items, one after the other, and the median milliseconds for one."""
    found, times = [], []
    for item in items:
        began = time.perf_counter()
        found.append(backend.encode(backend.collate([backend.prepare(item)]))[0].vectors)
        times.append(1000 * (time.perf_counter() - began))
    return found, float(np.median(times))


if __name__ == "__main__":
    sys.exit(main())
