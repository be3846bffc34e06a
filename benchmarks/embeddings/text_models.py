"""Measure the cost of the models of the backend `embedded`: `python -m benchmarks.embeddings.text_models`

For each model, in a process of its own: the milliseconds of one core for a page of 380 words that are given and for a
query, the pages per second of all cores, the seconds to load it, and the memory. Prints them and writes them to
benchmarks/results/embeddings_models.json, with what the processor needs to multiply two matrices, and with the share of
its time that was stolen.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.embeddings.pages import questions, texts
from benchmarks.harness.steal_time import Stolen
from embeddings import cores
from embeddings.backends.base import Item
from embeddings.backends.embedded import MODELS, EmbeddedBackend
from embeddings.contract import Word

RESULTS = Path(__file__).parents[1] / "results" / "embeddings_models.json"
# 453 word pieces for MiniLM, 525 for multilingual-e5-small.
WORDS = 380
_ROUNDS = 15


def main() -> None:
    """Measure all models, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS)
    if name := parser.parse_args().model:
        sys.stdout.write(json.dumps(measure(name)))
        return
    report: dict[str, Any] = {
        "processor": _processor(),
        "cores": cores.count(),
        "product_of_1024_ms": round(yardstick_ms(), 1),
        "models": {name: _measured_in_a_process(name) for name in MODELS},
    }
    text = json.dumps(report, indent=2) + "\n"
    sys.stdout.write(text)
    RESULTS.write_text(text, encoding="utf-8")


def table(report: dict[str, Any]) -> str:
    """Return the figures as a table."""
    facts = (
        f"{report['processor']}; {report['cores']} cores; {report['product_of_1024_ms']} ms of one core for a product"
    )
    columns = {
        "page_cpu_ms": "ms a page",
        "query_cpu_ms": "ms a query",
        "pages_per_s_all_cores": "pages/s",
        "load_s": "s to load",
        "memory_mb": "MB",
    }
    rows = [f"| model | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for name, figures in report["models"].items():
        rows.append(f"| `{name}` | {' | '.join(str(figures[column]) for column in columns)} |")
    stolen = max(figures["stolen"] for figures in report["models"].values())
    return (
        "\n".join(rows)
        + f"\n\n{facts} of two matrices of 1,024; at most {100 * stolen:.1f} % of its time was stolen.\n"
    )


def measure(name: str) -> dict[str, float]:
    """Return the figures of one model in this process."""
    stolen = Stolen()
    backend = EmbeddedBackend(MODELS[name])
    before, began = _peak_mb(), time.perf_counter()
    backend.load()
    load_s = time.perf_counter() - began
    page, queries = _page(), [Item("query", text=question.text) for question in questions()]

    def embed(item: Item) -> None:
        backend.encode(backend.collate([backend.prepare(item)]))

    embed(page)
    page_ms = [cpu_ms(lambda: embed(page)) for _ in range(_ROUNDS)]
    query_ms = [cpu_ms(lambda query=query: embed(query)) for query in queries]  # type: ignore[misc]
    with ThreadPoolExecutor(cores.count()) as threads:
        began = time.perf_counter()
        list(threads.map(embed, [page] * _ROUNDS * cores.count()))
        pages_per_s = _ROUNDS * cores.count() / (time.perf_counter() - began)
    figures = {
        "page_cpu_ms": float(np.median(page_ms)),
        "page_cpu_ms_least": min(page_ms),
        "query_cpu_ms": float(np.median(query_ms)),
        "pages_per_s_all_cores": pages_per_s,
        "load_s": load_s,
        "memory_mb": _peak_mb() - before,
        "stolen": stolen.share(),
    }
    return {name: round(value, 3 if name == "stolen" else 1) for name, value in figures.items()}


def cpu_ms(act: Callable[[], object]) -> float:
    """Return the milliseconds of processor time of this thread."""
    began = time.thread_time()
    act()
    return 1000 * (time.thread_time() - began)


def yardstick_ms() -> float:
    """Return the least milliseconds of one core for the product of two matrices of 1,024 x 1,024 float32."""
    matrix = np.random.default_rng(1).standard_normal((1024, 1024)).astype(np.float32)
    with threadpool_limits(limits=1):
        return min(cpu_ms(lambda: matrix @ matrix) for _ in range(20))


def _page() -> Item:
    """Return a page of our own texts."""
    words = " ".join(body for _, body in texts()).split()[:WORDS]
    on_page = tuple(Word(word, number / WORDS, 0.0, (number + 1) / WORDS, 1.0) for number, word in enumerate(words))
    return Item("document", image=Image.new("RGB", (8, 8)), words=on_page)


def _measured_in_a_process(name: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.embeddings.text_models", "--model", name]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _peak_mb() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor() -> str:
    """Return the name of the processor, and which instructions for products of eight-bit numbers it has."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if sys.platform == "linux" else []
    facts = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    flags = facts.get("flags", "").split()
    has = [flag for flag in ("avx2", "avx_vnni", "avx512_vnni", "amx_int8") if flag in flags]
    return f"{facts.get('model name', platform.machine()).strip()}, {' '.join(has)}"


if __name__ == "__main__":
    main()
