"""Does a search find the right pages? `python -m benchmarks.search.retrieval FOLDER QUERIES QRELS [--url U --key K]`

FOLDER has PDFs; QUERIES is a file of JSON lines with `_id` and `text`; QRELS has lines of `query-id`, `corpus-id` and
`score` with tabs between, after a first line of names, where a corpus-id is `file.pdf#3` for its third page or
`file.pdf` for any. They go in through the API of a running PaliAPI, or of one that is started for it, with the built-in
model. Prints nDCG, recall and MRR for each ranking, and what is lost against exact scoring; ends with 1 if that is too
much.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import numpy as np

from benchmarks.harness.household import household, served
from benchmarks.search import metrics

RESULTS = Path(__file__).parents[1] / "results" / "retrieval.json"
MOST_LOSS = 0.005
RANKINGS = ("auto", "maxsim", "hybrid", "lexical")
DEPTH = 100
_COLLECTION = "retrieval"
_READY_WITHIN_S = 3600

Judged: TypeAlias = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Service:
    """Whom to ask."""

    client: httpx.Client

    def post(self, path: str, **how: Any) -> httpx.Response:
        """A POST that is repeated when it comes too often, or too early."""
        while True:
            answer = self.client.post(path, **how)
            if answer.status_code not in (429, 503):
                return answer.raise_for_status()
            time.sleep(float(answer.headers.get("Retry-After", 1)))


def main(argv: Sequence[str]) -> int:
    """Put in, ask, tell; the exit code."""
    asked = _arguments(argv)
    queries = _queries(asked.queries)
    judged = _judged(asked.qrels)
    by_page = any("#" in one for relevant in judged.values() for one in relevant)
    with _service(asked.url, asked.key) as service:
        count = _put_in(service, sorted(asked.folder.glob("*.pdf")))
        told: dict[str, Any] = {"documents": count, "queries": len(judged)}
        ways = {f"{ranking}": {"ranking": ranking} for ranking in RANKINGS}
        ways["exact"] = {"ranking": "maxsim", "mode": "exact"}
        for name, how in ways.items():
            told[name] = _measured(service, queries, judged, how, by_page=by_page)
    told["loss_ndcg10"] = round(told["exact"]["ndcg10"] - told["maxsim"]["ndcg10"], 4)
    sys.stdout.write(table(told))
    if asked.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0 if told["loss_ndcg10"] <= MOST_LOSS else 1


@contextmanager
def _service(url: str, key: str) -> Iterator[Service]:
    if url:
        with _client(url, key) as client:
            yield Service(client)
        return
    generous = {"RATE_PER_MINUTE": "1000000", "RATE_BURST": "100000"}
    with household(generous, model="embedded") as house, served(house) as running:
        made = json.loads(house.run("manage.py", "first_admin", "--json").splitlines()[-1])
        with _client(running.url, made["api_key"]) as client:
            yield Service(client)


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120)


def _put_in(service: Service, files: Sequence[Path]) -> int:
    """Upload all, and wait until they can be found."""
    for file in files:
        with file.open("rb") as content:
            service.post(
                "/v1/documents/upsert-document/",
                files={"file": (file.name, content)},
                data={"name": file.name, "collection_name": _COLLECTION},
            )
    until = time.monotonic() + _READY_WITHIN_S
    for file in files:
        while (status := _status(service, file.name)) != "ready":
            if status == "failed" or time.monotonic() > until:
                raise SystemExit(f"{file.name} is {status}.")
            time.sleep(0.5)  # between two looks, with the deadline above
    return len(files)


def _status(service: Service, name: str) -> str:
    answer = service.client.get(f"/v1/documents/{name}/", params={"collection_name": _COLLECTION})
    return str(answer.raise_for_status().json()["status"])


def _measured(
    service: Service, queries: Mapping[str, str], judged: Judged, how: Mapping[str, str], *, by_page: bool
) -> dict[str, float]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for number, relevant in judged.items():
        ranking = _ranking(service, queries[number], how, by_page=by_page)
        found["ndcg5"].append(metrics.ndcg(ranking, relevant, at=5))
        found["ndcg10"].append(metrics.ndcg(ranking, relevant, at=10))
        for at in (1, 5, 10, DEPTH):
            found[f"recall{at}"].append(metrics.recall(ranking, relevant, at=at))
        found["mrr"].append(metrics.reciprocal_rank(ranking, relevant))
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def _ranking(service: Service, text: str, how: Mapping[str, str], *, by_page: bool) -> list[str]:
    """Pages as `file.pdf#3`, or the documents in the order of their best pages."""
    body = {"query": text, "collection_name": _COLLECTION, "top_k": DEPTH, "images": "none", **how}
    hits = service.post("/v1/search/", json=body).json()["results"]
    names = [f"{hit['document_name']}#{hit['page_number']}" if by_page else hit["document_name"] for hit in hits]
    return list(dict.fromkeys(names))


def _queries(file: Path) -> dict[str, str]:
    rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    return {str(row["_id"]): str(row["text"]) for row in rows}


def _judged(file: Path) -> Judged:
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        query, one, grade = line.split("\t")
        found[query][one] = int(grade)
    return dict(found)


def table(told: Mapping[str, Any]) -> str:
    """The results for people."""
    names = list(told["exact"])
    lines = [
        f"{told['documents']} documents, {told['queries']} questions",
        "",
        "| ranking | " + " | ".join(names) + " |",
        "|---" * (1 + len(names)) + "|",
    ]
    for way in (*RANKINGS, "exact"):
        cells = " | ".join(f"{told[way][name]:.3f}" for name in names)
        lines += [f"| {way} | {cells} |"]
    return "\n".join([*lines, "", f"lost against exact scoring: {told['loss_ndcg10']:.4f} nDCG@10"]) + "\n"


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.search.retrieval", description="Does a search find the right pages?"
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("qrels", type=Path)
    parser.add_argument("--url", default="", help="of a running PaliAPI; left out, one is started")
    parser.add_argument("--key", default="", help="goes with the URL; it must be allowed to write and to search")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results/retrieval.json")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
