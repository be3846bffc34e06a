"""Measure whether the CPU model finds the right page: `python -m benchmarks.embeddings.search_quality`

Forty pages, read by OCR and with their words given; then held-out queries, among these and eighteen more pages. Prints
recall, milliseconds and memory, writes them to benchmarks/results/embeddings_search.json, and exits with 1 if recall is
too low. With the name of a model that is not the default, nothing is written. It is a smoke test: one author, one
typeface, few pages.
"""

import json
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.embeddings.pages import Page, full_page, known, pages, questions
from embeddings.backends.base import Item
from embeddings.backends.embedded import DEFAULT, MODELS, EmbeddedBackend
from embeddings.backends.ocr import OcrReader
from embeddings.contract import Vectors
from embeddings.scoring import maxsim

RESULTS = Path(__file__).parents[1] / "results" / "embeddings_search.json"
NEEDED = {"topic": 0.95, "identifier": 1.0}
DPI = 100


@dataclass(frozen=True, slots=True)
class Timed:
    """Vectors, and the median wall-clock and CPU milliseconds per item."""

    vectors: list[Vectors]
    ms: float
    cpu_ms: float


def main() -> int:
    """Measure both variants, of the default model or of the one that is named."""
    model = MODELS[sys.argv[1]] if len(sys.argv) > 1 else DEFAULT
    backend = EmbeddedBackend(model)
    began = time.perf_counter()
    backend.load()
    report: dict[str, float] = {"load_s": round(time.perf_counter() - began, 2)}
    shown = list(pages(dpi=DPI))
    report |= {"pages": known(), "pages_with_held_out": len(shown), "dpi": DPI}
    good = True
    for way in ("ocr", "words"):
        figures = measure(backend, shown, with_words=way == "words")
        good = good and all(figures[f"recall_at_1_{kind}"] >= least for kind, least in NEEDED.items())
        report |= {f"{way}_{name}": value for name, value in figures.items()}
    report["held_out_r1"] = report["ocr_recall_at_1_held_out"]
    report |= read_whole(full_page(dpi=DPI))
    report["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    text = json.dumps(report, indent=2) + "\n"
    sys.stdout.write(text)
    if model is DEFAULT:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if good else 1


def measure(backend: EmbeddedBackend, shown: Sequence[Page], *, with_words: bool) -> dict[str, float]:
    """Return recall and times of one variant."""
    read = timed(
        backend, [Item("document", image=page.image, words=page.words if with_words else None) for page in shown]
    )
    judged = questions()
    queries = timed(backend, [Item("query", text=question.text) for question in judged])
    ranks: defaultdict[str, list[int]] = defaultdict(list)
    for question, query in zip(judged, queries.vectors, strict=True):
        among = read.vectors if question.kind == "held_out" else read.vectors[: known()]
        scores = np.array([maxsim(query, page) for page in among])
        ranks[question.kind].append(int((scores > scores[question.page]).sum()))
    figures: dict[str, float] = {
        "ms_per_page": read.ms,
        "cpu_ms_per_page": read.cpu_ms,
        "ms_per_query": queries.ms,
        "vectors_per_page": float(np.mean([len(one) for one in read.vectors])),
    }
    for kind, places in ranks.items():
        figures[f"questions_{kind}"] = len(places)
        figures[f"recall_at_1_{kind}"] = float(np.mean([place < 1 for place in places]))
        figures[f"recall_at_3_{kind}"] = float(np.mean([place < 3 for place in places]))
    return {name: round(value, 3) for name, value in figures.items()}


def read_whole(page: Page) -> dict[str, float]:
    """Return the time of OCR for a page full of text, and the share of words it reads."""
    reader = OcrReader()
    began, began_cpu = time.perf_counter(), time.process_time()
    read_words = Counter(word.text for word in reader.read(page.image))
    took = {"full_page_ocr_ms": time.perf_counter() - began, "full_page_ocr_cpu_ms": time.process_time() - began_cpu}
    printed = Counter(word.text for word in page.words)
    return {name: round(1000 * value, 1) for name, value in took.items()} | {
        "full_page_words": printed.total(),
        "full_page_words_read": round((printed & read_words).total() / printed.total(), 3),
    }


def timed(backend: EmbeddedBackend, items: Sequence[Item]) -> Timed:
    """Embed the items one by one."""
    vectors, times, cpu_times = [], [], []
    for item in items:
        began, began_cpu = time.perf_counter(), time.process_time()
        vectors.append(backend.encode(backend.collate([backend.prepare(item)]))[0].vectors)
        times.append(1000 * (time.perf_counter() - began))
        cpu_times.append(1000 * (time.process_time() - began_cpu))
    return Timed(vectors, float(np.median(times)), float(np.median(cpu_times)))


if __name__ == "__main__":
    sys.exit(main())
