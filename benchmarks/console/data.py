"""The data of the console benchmark: `python -m benchmarks.harness.in_django benchmarks.console.data DOCUMENTS`

Creates an owner with that many documents of ten pages each, nine of ten in one collection; prints a key and a page.
The vectors of the pages are random; their texts are sentences of English prose. Of further documents, some hundred
wait in the queue for a later time and some have failed.
"""

import hashlib
import json
import random
import sys
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO

import numpy as np
from django.db.models.functions import Now

from accounts.access import SCOPES, Caller
from accounts.key_lifecycle import Rights, mint_key
from accounts.ownership import OwnerTransaction, acting_for
from benchmarks.harness import prose
from benchmarks.search import fill
from benchmarks.search.synthetic import DIM, Halves
from collections_app.engine.evaluation.questions import Judgement, Question
from collections_app.evaluations import judged
from collections_app.ingest import accept
from collections_app.ingest.accept import DocumentUpsert, Upload
from collections_app.models import Page, Revision, Status
from collections_app.webhook_models import WebhookEvent
from collections_app.webhooks import endpoints

PAGES_OF_A_DOCUMENT = 10
LARGE, SMALL = "archive", "projects"
_SHARE_OF_SMALL = 10
_VECTORS = 64
_SENTENCES_OF_A_PAGE = 15
_DOCUMENTS_AT_ONCE = 100
_QUEUED, _FAILED = 400, 100
_EVALUATIONS, _WEBHOOKS = 20, 5
_LATER = timedelta(days=1)


def main(documents: int) -> None:
    """Store the documents; print what the requests need as JSON."""
    caller = fill.owner("console@benchmarks.example")
    small = documents // _SHARE_OF_SMALL
    _store(fill.Shelf(caller, LARGE), documents - small, first=0)
    _store(fill.Shelf(caller, SMALL), small, first=documents - small)
    _leave(caller, status=Status.QUEUED, count=_QUEUED, next_try_at=Now() + _LATER)
    error = {"code": "file_missing", "detail": "The file is no longer in storage.", "page": None}
    _leave(caller, status=Status.FAILED, count=_FAILED, error=error)
    with acting_for(caller.owner_id) as tx:
        key = mint_key(tx, rights=Rights(scopes=frozenset(SCOPES))).text
        _evaluations_and_webhooks(tx, caller)
        page = Page.objects.select_related("revision__document").filter(owner_id=caller.owner_id).latest("pk")
        document = page.revision.document.name
    about = {
        "key": key,
        "large": LARGE,
        "pages": documents * PAGES_OF_A_DOCUMENT,
        "collection": SMALL,
        "document": document,
        "page": page.number,
    }
    sys.stdout.write(json.dumps(about) + "\n")


def _store(shelf: fill.Shelf, documents: int, *, first: int) -> None:
    sentences = prose.sentences()
    for start in range(first, first + documents, _DOCUMENTS_AT_ONCE):
        count = PAGES_OF_A_DOCUMENT * min(_DOCUMENTS_AT_ONCE, first + documents - start)
        number = start * PAGES_OF_A_DOCUMENT
        fill.put(
            shelf,
            _pages(count, seed=start),
            first=number,
            texts=[_text(number + place, sentences) for place in range(count)],
            pages_of_a_file=PAGES_OF_A_DOCUMENT,
        )


def _leave(caller: Caller, *, status: Status, count: int, **values: object) -> None:
    """Upload documents that are not processed, and change the state of their revisions."""
    for number in range(count):
        upload = Upload(file=BytesIO(fill.PDF), sha256=hashlib.sha256(fill.PDF).hexdigest(), size=len(fill.PDF))
        upsert = DocumentUpsert(name=f"{status}-{number}", collection_name=LARGE, metadata={})
        accept.upsert_document(caller, upsert, upload, claim=fill.nothing, remember=fill.nothing)
    with acting_for(caller.owner_id) as tx:
        rows = Revision.objects.filter(owner_id=tx.owner_id, document__name__startswith=f"{status}-")
        rows.update(status=status, **values)


def _evaluations_and_webhooks(tx: OwnerTransaction, caller: Caller) -> None:
    for number in range(_EVALUATIONS):
        questions = [Question(id="q", text="default values of parameters", relevant=(Judgement("from-0", 1, 1),))]
        judged.create(tx, caller, name=f"evaluation {number}", collection_name=LARGE, questions=questions)
    for number in range(_WEBHOOKS):
        url = f"https://hooks.example.com/{number}"
        endpoints.create(tx, caller, url=url, description="", events=WebhookEvent.values)


def _pages(count: int, *, seed: int) -> Halves:
    drawn = np.random.default_rng(seed).standard_normal((count, _VECTORS, DIM), dtype=np.float32)
    pages: Halves = (drawn / np.linalg.norm(drawn, axis=2, keepdims=True)).astype(np.float16)
    return pages


def _text(number: int, sentences: Sequence[str]) -> str:
    chosen = random.Random(number).choices(sentences, k=_SENTENCES_OF_A_PAGE)  # noqa: S311 - the same text every time
    return f"Page {number}\n" + " ".join(chosen)


if __name__ == "__main__":
    main(int(sys.argv[1]))
