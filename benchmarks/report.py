"""Write docs/benchmarks.md from the figures in benchmarks/results: `python -m benchmarks.report`"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.console import server_time
from benchmarks.embeddings import text_models
from benchmarks.ingest import first_hour
from benchmarks.load import fairness, http_load, profile
from benchmarks.quality import english, precision
from benchmarks.quality import report as quality
from benchmarks.search import candidates, compact, large, peers, retrieval
from benchmarks.search.sketch_files import measure as sketch_files
from paliapi.env import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
_NOTHING = "No figures yet.\n"

_HEAD = """\
# Benchmarks

`make bench-report` writes this page from the figures in `benchmarks/results/`. All of them come from the commands
below. To measure your own, you need neither a network nor a GPU: the commands start a temporary Postgres and Redis,
and print what they write. Generated pages are kept in `.tools/bench`, which you may delete.

Absolute times depend on the machine and the hour. Ratios within one run and results carry over. As a baseline, every
search benchmark also times NumPy over 1,000 pages.

The machine is a VM, so only the quietest rounds count. A round in which the host stole more than 2 % of CPU time is
repeated, for up to a minute (`benchmarks/harness/steal_time.py`). *stolen* is the highest share in any round that
counts.
"""

_SEARCH = """
## Search, compared with other engines

`make bench-peers` runs the same 50 queries over the same pages in every engine, each in a process of its own, one after
the other. `make bench` does so for the engines that need only PaliAPI's own packages. `ARGS=--resume` continues an
interrupted run; `ARGS="--pages 1000 --engines paliapi_auto numpy"` measures a subset.

The pages are synthetic (`benchmarks/search/synthetic.py`): 1,030 vectors of 128 dimensions each, with the geometry of
visual models. The ten pages of a document are about the same concepts, so the ten best results are close to each
other. PaliAPI's pages are in Postgres, stored as a worker stores them, and searched through its search function under
the role bound by row-level security. Every query runs once before timing; `cold` is the first query of a new process,
including just-in-time compilation and an empty index. *recall@10* is the share of the exact float32 top ten among the
ten results, *top-1* how often the first result is the same. For engines with several settings, the table shows the
fastest with a recall of at least 0.97, or else the one with the highest recall.
"""

_NOTES = """
- `paliapi_auto`: the default of `POST /v1/search/`. `paliapi_exact`: `mode: exact`, which reads every page.
  `paliapi_compact`: the default, over a compact collection; recall is that of the best pages by full vectors.
- `sql_rows`: one row per vector, and MaxSim as an SQL function; measured on 200 pages and extrapolated.
- `pgvector_hnsw`: HNSW over 32 pooled vectors per page; the best candidates are scored exactly, as in PaliAPI.
- `numpy`: float32 in memory, every page.
- `qdrant`: Qdrant's engine in process, prefetch by 32 pooled vectors, its own MaxSim over all vectors. `qdrant_turbo`:
  with all vectors in TurboQuant's four bits. `qdrant_binary`: with binary codes, and only the best 40 by codes exactly.
- `lancedb`: LanceDB in process, its multi-vector index, refined. Not at 10,000 pages: building it takes too long.
- `fast_plaid`: FastPlaid in process, on the CPU. It needs gigabytes of PyTorch, so it is measured only if installed
  (`pip install fast-plaid`); building its index of 1,000 pages takes long.
"""

_LARGE = """
## Many pages

`make bench-large` searches a million pages, and leading subsets of them, with the search function from Postgres and
with the default settings of a web server process. The first 100,000 are pages of the synthetic world. Each other page
takes fifths of its vectors from several pages of one document, so each fifth is on up to ten pages; documents with
answers are left out of this, so that no answer has near copies. Rows, sketches and pooled vectors are those that
ingestion stores, but only pages that a search for any query may score, and some more, have all their vectors.
*without vectors* counts any other page that a search tried to score. Recall compares with the exact scores of all
pages. Making the pages takes about an hour the first time, and 35 GB; they are kept.

*p50 / NumPy* is relative to the time that NumPy takes for 1,000 pages, measured before and after the searches; *scored*
is the mean number of pages that get their exact score. Every query runs once before it is timed. The first search of a
new process includes opening the files of sketches; it is the median of five processes. Memory is that of whole
processes after all queries; what they share, such as these files, is divided among them.
"""

_CANDIDATES = """
Queries of many vectors are merged for the first looks at sketches. `python -m benchmarks.search.candidates` compares
this with looks by all vectors, in turns: the share of the exact ten among the candidates, in how many queries it is
higher or lower, and the time until candidates are selected, merging included. *few candidates*: as small a share of the
pages as among a million. *repeated*: the same sketches again and again, for times only. `python -m
benchmarks.quality.candidates` does the same with the pages of `make bench-quality`. For so
few pages, merging saves time only if a query is long; here all are merged: *questions* are those of that benchmark that
have more than eight vectors, *passages* are pieces of the pages' own text.
"""

_SKETCH_FILES = """
## Sketches in files

Processes share sketches in files that are mapped into memory ([why](decisions/0016-sketches-in-shared-files.md)).
`python -m benchmarks.search.sketch_files` compares this with processes that each load them from Postgres. Each row has
the medians of new processes: the time until the sketches are ready, which includes the check of the whole file, and
that of the first look at all of them, with a query of eight vectors. Later looks take turns. The files and the tables
are in the page cache of the machine. Memory is that of whole processes; what they share is divided among them.
"""

_COMPACT = """
## Compact storage

`python -m benchmarks.search.compact` compares the [two stored forms](decisions/0017-vectors-in-four-bits.md) of 1,030
vectors of 128 dimensions: everything that is stored of a page except its image (tables, TOAST, sketches, indexes), and
the time to read it from Postgres, 16 pages at a time, and to score it on all cores. Of synthetic pages, those are
relevant that share concepts with a query. `python -m benchmarks.quality.compact` does the same with the pages and
questions of `make bench-quality`. What differs are pages with nearly the same score: on text, some questions gain and
some lose, so the interval of the mean is wider than the loss. `python -m benchmarks.quality.pool_factor` merges the
vectors of these pages as `COLPALI_POOL_FACTOR` does (it needs scipy, of the group `gpu`).

"""

_LOAD = """
## Under load

`make bench-load` runs the web server and workers over 10,000 pages in 20 collections of 10 owners. Requests are sent at
predetermined times, whatever happens to earlier ones; 2 % are uploads. The rate doubles until half of the searches take
more than a second, or some fail. Latency counts from the time a request was due. Above that rate, rejections must be
clean: 429 or 503, with `Retry-After`. `ARGS="--minutes 30"` continues for half an hour at half the sustained rate, and
watches memory.

To see what a change costs, `python -m benchmarks.load.compare CHECKOUT` runs two versions at the same time, which take
turns: queries one at a time, at a usual rate and at more than fits, and the ingestion of a PDF.
"""

_PROFILE = """
### Where the time of a search goes

`python -m benchmarks.load.profile` keeps eight searches in flight over fewer pages, without uploads, and counts the
CPU time of each process. To divide what was counted, it then samples the web server with
[py-spy](https://github.com/benfred/py-spy), which has to be on the PATH, and has Postgres log the CPU time of each
statement. The last table says what a search spends its time on in the web server, waiting included.
"""

_FAIRNESS = """
## Two owners

`make bench-fairness` measures what one owner can do to another. First, each request is sent alone, without rate limits:
its time and its cost give the time of a unit. Then, with the default limits, one owner searches at a steady rate, first
alone and then while another sends the most expensive requests: with one key over sixteen connections, whatever the
response, and with two further keys as fast as their budgets allow. The 95th percentile may at most triple.
"""

_CONSOLE = """
## The console

`make bench-console` stores 10,000 documents of ten pages in one account, nine of ten in one collection, and 500 that
are queued or failed. It requests the pages of the console in turn over one connection, as a browser that has signed in:
the time until the whole page has arrived, and its size without images, scripts and the stylesheet, which browsers keep.
Pages have sentences of English prose and random vectors. The words searched for are common ones; the model that embeds
queries takes no time.
"""

_RETRIEVAL = """
## Retrieval quality

`python -m benchmarks.search.retrieval FOLDER QUERIES QRELS` takes a folder of PDFs, queries (`queries.jsonl`) and
relevance judgements (`qrels.tsv`) in BEIR format; corpus ids are `file.pdf#3` for a page or `file.pdf` for a document.
With `--url` and `--key` it tests a running PaliAPI, whatever its model. `make bench-retrieval` uses pages generated
from the documentation of Python's standard library, the built-in model and handwritten queries; it is a regression
check, not a comparison of models. `exact` is `maxsim` with every page scored.
"""

_QUALITY = """
## Languages

`make bench-quality` asks 400 questions about more than two thousand pages of real documentation from Debian packages
(`benchmarks/quality/packages.txt`): manual pages, help for desktop users in six languages, and a handbook. It fetches
the packages once, from a Debian mirror. The questions (`benchmarks/quality/questions.txt`) were written down before
anything was measured, in words that a user would use. *title*: the title of a page. *english* to *japanese*: everyday
wording about pages that exist in English only. *own language*: German, French, Spanish, Russian and Japanese about
topics that exist in that language, too. *identifier*: a name, option, number or code. Pages of equal scores share the
middle place.

`minilm` is the encoder of the first releases in float32, `english` the present English model, and `multilingual` the
default, whose scores are here computed from floats for every page. *pieces* is the default model without its vectors
of passages. *fused* are the scores of `multilingual` with the formula of `hybrid`. Not used is *by places*, reciprocal
rank fusion with BM25. *search* is PaliAPI's own search function over these pages in Postgres, with the default model:
*lexical*, *maxsim*, *hybrid* and *auto* score every page and return a hundred; *ten* is the default path by sketches
and returns ten. The difference of *maxsim, ten* from `multilingual` is what sketches and stored vectors lose against
exact scores of floats. `ARGS=--without-search` leaves this part out. Parameters are fitted on the documentation of
Python instead (`python -m benchmarks.quality.fit`).
"""

_PRECISION = """
`python -m benchmarks.quality.precision` multiplies the matrices of the default model in float32 instead of eight bits,
and asks the same questions about the same pages. The scores are computed from floats for every page.
"""

_ENGLISH = """
`python -m benchmarks.quality.english` looks for what everyday English loses with `multilingual`: it weighs the same
vectors in other ways, and ranks all pages by exact scores. *only English pages* are candidates; those of other
languages come last. *without stop words* a question has no vectors of them. *centred by language*: from each score, the
mean score of the pages in that language is subtracted. In parentheses: the mean difference from the scores as they are,
with its 95 % interval.
"""

_FIRST_HOUR = """
## The first hour

`make bench-first-hour` clones the last commit, and measures `make run` there with its default settings: the time until
the first search finds the first page, a long PDF with a text layer (330 words a page), PDFs of one page each,
scanned pages of 400 words, a few searches, and the peak memory of all processes. Packages come from the caches of uv
and pip if they are there. Each part waits until the machine is quiet; *stolen* is the time that the host took, *others*
the time that other programs used, and *gigaflops* the speed of one core multiplying matrices just before.
`scanned_page_cpu_s` counts the CPU time of all processes; figures such as `short_worker_cpu_s` are the CPU seconds of
one part of the stack, where `renderers` are the processes that open files.
"""

_INGEST = """
## From upload to searchable

`make bench-ingest` ingests a PDF of 500 pages through the whole path, with one worker per core and the `lexical` model,
so that the path itself is measured. `bare` is the minimal cost: the same pages rendered, encoded and inserted into
Postgres by one process that would survive no crash. `stored_ratio` is the stored size of a page of 1,030 vectors,
without its image, relative to its bare vectors; for short pages the reduced forms weigh more. Figures that begin with
`one_page` or `bare_one_page` are about documents of one page each; `one_page_worker_ms` and others like it are the CPU
time of each part of the stack per document.

The second table is about a thousand documents of one page and an embeddings service that takes 200 ms for up to eight
pages. `service_busy` is the share of the time in which it computes; the CPU milliseconds are those of each part, per
document.

The third table has the CPU milliseconds of rendering a file in a process of its own: `start_ms` is an image of 64
pixels, `page_ms` a PDF of one page, and `same_process_ms` that page if one process renders it again and again.

`make chaos` and `make thousand` inject faults along the way; `make bombs` uploads hostile files.
"""

_EMBEDDINGS = """
## The embeddings service

`make bench-embeddings` measures the service around a model that takes a fixed time, and whether the built-in model
finds the right one of forty pages (`held_out`: queries written without looking at the results). `make bench-gpu`
measures visual models on a GPU.
"""

_OCR = """
## OCR

`make bench-ocr` reads twelve pages of 400 words that look scanned: several typefaces, sizes and leadings, two columns,
figures, other languages, with grain, blur, uneven light and a slight rotation. `service` is the reader of the built-in
model, `published` RapidOCR's own pipeline with the same models as they are published. Seconds are of one core, the
least of three rounds. A box is on its word if it contains the centre of it. `ARGS="--only published"` measures one.
"""


_MODELS = """
`python -m benchmarks.embeddings.text_models` measures the models among which `COLPALI_MODEL_NAME` selects, on a page of
380 words that are given, so without OCR: CPU time of one core, and pages per second of all cores.
"""


_CLIENTS = """
## Clients

`make bench-clients` compares the client for Python with bare httpx. `overhead_ms` is the CPU time that a call takes
beyond it, from a request that is answered in the same process to the parsed answer. The upload sends 1,000 one-page
files, eight at a time, to a server without limits for keys: `upload_folder`, and in turn threads that only send.
"""


def page() -> str:
    """Return the whole page."""
    return "".join(
        [
            _HEAD,
            _SEARCH,
            _table("search", _of_search),
            _NOTES,
            _LARGE,
            _table("large", _of_large),
            _CANDIDATES,
            _table("candidates", candidates.table),
            _SKETCH_FILES,
            _table("sketch_files", sketch_files.table),
            _COMPACT,
            _table("compact", compact.table),
            _LOAD,
            _table("load", http_load.table),
            _PROFILE,
            _table("profile", profile.table),
            _FAIRNESS,
            _table("fairness", fairness.table),
            _CLIENTS,
            _table("clients", _of_flat),
            _CONSOLE,
            _table("console", server_time.table),
            _RETRIEVAL,
            _table("retrieval", retrieval.table),
            _QUALITY,
            _table("quality", quality.table),
            _PRECISION,
            _table("precision", precision.table),
            _ENGLISH,
            _table("quality_english", english.table),
            _FIRST_HOUR,
            _table("first_hour", first_hour.table),
            _INGEST,
            _table("ingest", _of_flat),
            _table("one_page_documents", _of_flat),
            _table("renderer_start", _of_flat),
            _EMBEDDINGS,
            _table("embeddings", _of_flat),
            _table("embeddings_search", _of_flat),
            _MODELS,
            _table("embeddings_models", text_models.table),
            _OCR,
            _table("ocr", _of_ocr),
        ]
    )


def _of_search(results: peers.Results) -> str:
    cold = {
        pages: engines["paliapi_auto"].get("cold_ms") for pages, engines in results.items() if "paliapi_auto" in engines
    }
    lines = [f"Cold, at {int(pages):,} pages: {ms} ms.\n" for pages, ms in cold.items()]
    return peers.table(results).lstrip("\n") + "".join(lines)


def _of_large(results: dict[str, Any]) -> str:
    return large.table(results) + "\n![Milliseconds against pages](figures/search-growth.svg)\n"


def _of_ocr(results: dict[str, Any]) -> str:
    figures = ("seconds_per_page", "words_right", "characters_right", "box_overlap", "boxes_on_their_word")
    rows = [f"| `{name}` | " + " | ".join(str(results[name][key]) for key in figures) + " |" for name in _READERS]
    head = "| reader | s per page | words right | characters right | overlap of boxes | boxes on their word |"
    pages = [
        f"| {style} | "
        + " | ".join(f"{results[name]['pages'][style][key]}" for key in ("seconds", "words_right") for name in _READERS)
        + " |"
        for style in results["service"]["pages"]
    ]
    by_page = "| page | s, `service` | s, `published` | words right, `service` | words right, `published` |"
    product, stolen = results["multiplication_ms"], results["stolen_percent"]
    yardstick = f"A product of two 768 x 768 matrices takes {product} ms; {stolen} % of CPU time were stolen.\n"
    tables = ([head, "|---" * 6 + "|", *rows], [by_page, "|---" * 5 + "|", *pages])
    return "\n".join("\n".join(lines) + "\n" for lines in tables) + "\n" + yardstick


_READERS = ("service", "published")


def _of_flat(results: dict[str, float]) -> str:
    rows = [f"| `{name}` | {value:,} |" for name, value in results.items()]
    return "\n".join(["| figure | value |", "|---|---|", *rows]) + "\n"


def _table(name: str, write: Callable[[Any], str]) -> str:
    file = Path(__file__).parent / "results" / f"{name}.json"
    if not file.is_file():
        return f"\n{_NOTHING}"
    return "\n" + write(json.loads(file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
