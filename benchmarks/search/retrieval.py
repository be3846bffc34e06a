"""Measure retrieval quality: `python -m benchmarks.search.retrieval FOLDER QUERIES QRELS [--url URL --key KEY]`

FOLDER contains PDFs; QUERIES has JSON lines with `_id` and `text`; QRELS has tab-separated `query-id`, `corpus-id` and
`score` after a header line, where a corpus-id is `file.pdf#3` for its third page or `file.pdf` for any page. The files
are uploaded through the API of a running PaliAPI, or of one started for this purpose with the built-in model. Prints
nDCG, recall and MRR for each ranking and the loss against exact scoring; exits with 1 if the loss is too high.
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
    """The API under test."""

    client: httpx.Client

    def post(self, path: str, **how: Any) -> httpx.Response:
        """Send a POST, and retry when it is rate-limited or too early."""
        while True:
            answer = self.client.post(path, **how)
            if answer.status_code not in (429, 503):
                return answer.raise_for_status()
            time.sleep(float(answer.headers.get("Retry-After", 1)))


def main(argv: Sequence[str]) -> int:
    """Upload, search and report; return the exit code."""
    arguments = _arguments(argv)
    queries = _queries(arguments.queries)
    judged = _judged(arguments.qrels)
    by_page = any("#" in one for relevant in judged.values() for one in relevant)
    with _service(arguments.url, arguments.key) as service:
        count = _upload_all(service, sorted(arguments.folder.glob("*.pdf")))
        results: dict[str, Any] = {"documents": count, "queries": len(judged)}
        ways = {f"{ranking}": {"ranking": ranking} for ranking in RANKINGS}
        ways["exact"] = {"ranking": "maxsim", "mode": "exact"}
        for name, how in ways.items():
            results[name] = _measured(service, queries, judged, how, by_page=by_page)
    results["loss_ndcg10"] = round(results["exact"]["ndcg10"] - results["maxsim"]["ndcg10"], 4)
    sys.stdout.write(table(results))
    if arguments.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0 if results["loss_ndcg10"] <= MOST_LOSS else 1


@contextmanager
def _service(url: str, key: str) -> Iterator[Service]:
    if url:
        with _client(url, key) as client:
            yield Service(client)
        return
    generous = {"RATE_PER_MINUTE": "1000000", "RATE_BURST": "100000"}
    with household(generous, model="embedded") as house, served(house) as running:
        account = json.loads(house.run("manage.py", "first_admin", "--json").splitlines()[-1])
        with _client(running.url, account["api_key"]) as client:
            yield Service(client)


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120)


def _upload_all(service: Service, files: Sequence[Path]) -> int:
    """Upload all files and wait until they are searchable."""
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
            time.sleep(0.5)  # polling, within the deadline above
    return len(files)


def _status(service: Service, name: str) -> str:
    answer = service.client.get(f"/v1/documents/{name}/", params={"collection_name": _COLLECTION})
    return str(answer.raise_for_status().json()["status"])


def _measured(
    service: Service, queries: Mapping[str, str], judged: Judged, how: Mapping[str, str], *, by_page: bool
) -> dict[str, float]:
    figures: defaultdict[str, list[float]] = defaultdict(list)
    for number, relevant in judged.items():
        ranking = _ranking(service, queries[number], how, by_page=by_page)
        figures["ndcg5"].append(metrics.ndcg(ranking, relevant, at=5))
        figures["ndcg10"].append(metrics.ndcg(ranking, relevant, at=10))
        for at in (1, 5, 10, DEPTH):
            figures[f"recall{at}"].append(metrics.recall(ranking, relevant, at=at))
        figures["mrr"].append(metrics.reciprocal_rank(ranking, relevant))
    return {name: round(float(np.mean(values)), 4) for name, values in figures.items()}


def _ranking(service: Service, text: str, how: Mapping[str, str], *, by_page: bool) -> list[str]:
    """Return pages as `file.pdf#3`, or documents in the order of their best pages."""
    body = {"query": text, "collection_name": _COLLECTION, "top_k": DEPTH, "images": "none", **how}
    hits = service.post("/v1/search/", json=body).json()["results"]
    names = [f"{hit['document_name']}#{hit['page_number']}" if by_page else hit["document_name"] for hit in hits]
    return list(dict.fromkeys(names))


def _queries(file: Path) -> dict[str, str]:
    rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    return {str(row["_id"]): str(row["text"]) for row in rows}


def _judged(file: Path) -> Judged:
    judged: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        query, one, grade = line.split("\t")
        judged[query][one] = int(grade)
    return dict(judged)


def table(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    names = list(results["exact"])
    lines = [
        f"{results['documents']} documents, {results['queries']} queries",
        "",
        "| ranking | " + " | ".join(names) + " |",
        "|---" * (1 + len(names)) + "|",
    ]
    for way in (*RANKINGS, "exact"):
        cells = " | ".join(f"{results[way][name]:.3f}" for name in names)
        lines += [f"| {way} | {cells} |"]
    return "\n".join([*lines, "", f"loss against exact scoring: {results['loss_ndcg10']:.4f} nDCG@10"]) + "\n"


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search.retrieval", description="Measure retrieval quality.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("qrels", type=Path)
    parser.add_argument("--url", default="", help="a running PaliAPI; without it, one is started")
    parser.add_argument("--key", default="", help="its API key, with the scopes write and search")
    parser.add_argument("--write", action="store_true", help="store the figures in benchmarks/results/retrieval.json")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
