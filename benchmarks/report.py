"""Writes docs/benchmarks.md from the figures in benchmarks/results: `python -m benchmarks.report`"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.load import http_load
from benchmarks.search import large, peers, retrieval
from paliapi.env import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
_NOTHING = "No figures are kept yet.\n"

_HEAD = """\
# Benchmarks

Written by `make bench-report` from the figures in `benchmarks/results/`. All of them come from the commands below, and
you can have your own: they need no network and no GPU, start a Postgres and a Redis of their own in a folder that is
gone afterwards, and print what they write. Pages that were made are kept in `.tools/bench`, which may be deleted.

Absolute times belong to one machine, and to the hour. What carries over are ratios inside one run, and what was found.
To compare by, NumPy over a thousand pages is measured in each run of searches.

A virtual machine shares its processors with others, and whoever waits for Postgres waits for a processor afterwards. So
of what is timed in rounds, those count of which the host took least: a round of which it took more than a fiftieth is
made again, for a minute at most (`benchmarks/harness/steal_time.py`). *stolen* is the largest share that it took of
any round that counts.
"""

_SEARCH = """
## Search beside others

`make bench-peers` asks every engine the same 50 questions over the same pages, each in a process of its own, one
after the other. `make bench` does it for those that need nothing but PaliAPI's own packages. After a run that was cut
off, `ARGS=--resume` goes on with it; `ARGS="--pages 1000 --engines paliapi_auto numpy"` measures a part.

The pages are synthetic (`benchmarks/search/synthetic.py`): 1,030 vectors of 128 dimensions each, in the geometry of
visual models, ten pages to a document that speak of the same things, so that the best ten are close to each other.
PaliAPI has them in Postgres, put in as a worker does it, and is asked through its verb, by the role that row-level
security binds. Before anything is timed, every question was asked once; `cold` is the first question of a new process,
compiled code and an empty index included. *recall@10* is how many of the ten best of exact float32 scoring are among
the ten that were found, *top-1* how often the first is the same. Engines with several settings are shown with their
quickest that reaches a recall of 0.97, or with the one that finds most.
"""

_NOTES = """
- `paliapi_auto`: the default of `POST /v1/search/`. `paliapi_exact`: `mode: exact`, which reads every page.
- `sql_rows`: a row for each vector, and MaxSim as a function in SQL; measured on 200 pages and multiplied.
- `pgvector_hnsw`: HNSW over 32 pooled vectors a page; the best candidates scored exactly, as PaliAPI does it.
- `numpy`: float32 in memory, every page.
- `qdrant`: Qdrant's engine in process, prefetch by 32 pooled vectors, its own MaxSim over all of them.
- `lancedb`: LanceDB in process, its index for multi-vectors, refined. Not at 10,000 pages: building it takes too long.
- `fast_plaid`: FastPlaid in process, on the processor. It brings gigabytes of PyTorch, so it is measured only where
  somebody has installed it (`pip install fast-plaid`); building its index over 1,000 pages takes long.
"""

_LARGE = """
## Many pages

`make bench-large` searches 100,000 pages, and parts of them, through the verb; and scans a million sketches in
memory. The sketches and pooled vectors are those of real vectors. All vectors are kept of those pages only that are
among the 100 best of a question: nothing else is ever read. Making the pages takes a while the first time, and 4 GB.
The process may keep 4 GB of sketches (`INDEX_MB`) and 2 GB of vectors (`VECTORS_CACHE_MB`).
"""

_LOAD = """
## Under load

`make bench-load` starts the web and the workers over 10,000 pages in 20 collections of 10 owners. Requests come at
times that were fixed before, whatever becomes of those that came earlier; 2 in 100 are uploads. The rate doubles
until half of the searches take more than a second, or not all get through. Time counts from when a request was due.
Above that rate, refusals must be clean: 429 or 503, with `Retry-After`. `ARGS="--minutes 30"` goes on for half an
hour at half the rate that got through, and watches the memory.
"""

_RETRIEVAL = """
## Does it find the right pages?

`python -m benchmarks.search.retrieval FOLDER QUERIES QRELS` takes a folder of PDFs, questions (`queries.jsonl`) and
what answers them (`qrels.tsv`) in the form of BEIR; corpus ids are `file.pdf#3` for a page or `file.pdf` for a
document. With `--url` and `--key` it asks a PaliAPI that is running, with whatever model that has. `make
bench-retrieval` tries it on pages made of what Python's own library says of itself, with the built-in model and
questions that were written by hand; it is a check that nothing is broken, not a comparison of models. `exact` is
`maxsim` with every page scored.
"""

_INGEST = """
## From upload to searchable

`make bench-ingest` sends a PDF of 500 pages through the whole path, with a worker for each core and the `lexical`
model, so that the path itself is measured; `bare` is the least that it can cost: the same pages drawn, encoded and put
into Postgres by one process that could survive nothing. `stored_ratio` is what is kept of a page of 1,030 vectors,
without its image, against the bytes of its vectors; of short pages the small forms are a larger part.

`make chaos` and `make thousand` break everything on the way; `make bombs` sends what is made to hurt.
"""

_EMBEDDINGS = """
## The embeddings service

`make bench-embeddings` measures the service around a model that takes a fixed time, and whether the built-in model
finds the right page among forty (`held_out`: questions that were written without a look at how it does).
`make bench-gpu` asks the visual models, on a GPU.
"""


def page() -> str:
    """The whole page."""
    return "".join(
        [
            _HEAD,
            _SEARCH,
            _table("search", _of_search),
            _NOTES,
            _LARGE,
            _table("large", _of_large),
            _LOAD,
            _table("load", http_load.table),
            _RETRIEVAL,
            _table("retrieval", retrieval.table),
            _INGEST,
            _table("ingest", _of_flat),
            _EMBEDDINGS,
            _table("embeddings", _of_flat),
            _table("embeddings_search", _of_flat),
        ]
    )


def _of_search(told: peers.Results) -> str:
    cold = {
        pages: engines["paliapi_auto"].get("cold_ms") for pages, engines in told.items() if "paliapi_auto" in engines
    }
    lines = [f"Cold, at {int(pages):,} pages: {ms} ms.\n" for pages, ms in cold.items()]
    return peers.table(told).lstrip("\n") + "".join(lines)


def _of_large(told: dict[str, Any]) -> str:
    return large.table(told) + "\n![Milliseconds against pages](figures/search-growth.svg)\n"


def _of_flat(told: dict[str, float]) -> str:
    rows = [f"| `{name}` | {value:,} |" for name, value in told.items()]
    return "\n".join(["| figure | value |", "|---|---|", *rows]) + "\n"


def _table(name: str, write: Callable[[Any], str]) -> str:
    file = Path(__file__).parent / "results" / f"{name}.json"
    if not file.is_file():
        return f"\n{_NOTHING}"
    return "\n" + write(json.loads(file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
