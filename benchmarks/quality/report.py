"""The table of the results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

RESULTS = Path(__file__).parents[1] / "results" / "quality.json"
# What is compared question by question: the first minus the second.
PAIRS: Final = (
    ("multilingual", "minilm"),
    ("english", "minilm"),
    ("multilingual", "english"),
    ("multilingual", "pieces"),
    ("multilingual", "BM25"),
    ("fused", "multilingual"),
    ("by places", "multilingual"),
    ("search: hybrid", "search: maxsim"),
    ("search: auto", "search: maxsim"),
)
# Only the first ten hits count: what storage and sketches lose against exact scores of floats.
CUT_PAIRS: Final = (
    ("search: maxsim", "multilingual"),
    ("search: maxsim, ten", "multilingual"),
    ("search: hybrid, ten", "search: hybrid"),
)


def table(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    kinds = list(results["questions"])
    head = "| | " + " | ".join(f"{kind} ({count})" for kind, count in results["questions"].items()) + " |\n"
    rule = "|---" * (1 + len(kinds)) + "|\n"
    quality = [
        f"| {name} | " + " | ".join(f"{by_kind[kind]['mrr']:.3f} / {by_kind[kind]['recall10']:.2f}" for kind in kinds)
        for name, by_kind in results["quality"].items()
    ]
    differences = [
        f"| {name} | " + " | ".join("{:+.3f} [{:+.3f}, {:+.3f}]".format(*by_kind[kind]) for kind in kinds)
        for name, by_kind in results["differences"].items()
    ]
    languages = ", ".join(f"{count:,} {name}" for name, count in results["languages"].items())
    return (
        f"{results['pages']:,} pages ({languages}); MRR / recall@10:\n\n"
        f"{head}{rule}" + "".join(f"{line} |\n" for line in quality) + "\n"
        f"Paired differences of the MRR, with 95 % bootstrap intervals:\n\n"
        f"{head}{rule}" + "".join(f"{line} |\n" for line in differences)
    )
