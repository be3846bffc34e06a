"""The first visit: three steps in an account without documents, each of which shows whether it is done."""

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework.request import Request

from accounts.access import Scope
from accounts.ownership import OwnerTransaction
from collections_app import catalogue, costs, tasks
from collections_app.api.upsert import upload_slot
from collections_app.ingest import accept
from console.views.addresses import document_url
from console.views.base import ConsoleView
from console.views.states import state_of
from paliapi.env import ROOT

SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
_COLLECTION = "first-steps"
QUESTIONS = (
    "How far is a light seen that stands 40 metres high?",
    "Which order of lens is used at harbour walls?",
    "Who built the towers on the Eddystone rock?",
)


def first_visit(tx: OwnerTransaction, view: ConsoleView) -> dict[str, Any] | None:
    """Return what the steps need; None if the account has more than one document."""
    documents = list(catalogue.documents(tx, view.caller).order_by("pk")[:2])
    if len(documents) > 1:
        return None
    document = documents[0] if documents else None
    is_sample = document is not None and (document.name, document.collection.name) == (SAMPLE.stem, _COLLECTION)
    return {
        "document": document,
        "state": state_of(document) if document else None,
        "document_url": document_url(collection=document.collection.name, document=document.name) if document else "",
        "can_search": bool(document and document.shown_id),
        "questions": QUESTIONS if is_sample else (),
        "has_sample": SAMPLE.is_file() and view.caller.may("write") and view.caller.sees(_COLLECTION),
        "base": settings.ENV.base_url,
    }


class Sample(ConsoleView):
    """Adds the sample document."""

    scopes: ClassVar[dict[str, Scope | None]] = {"POST": "write"}
    costs: ClassVar = {"POST": 1}
    transactional = False  # the file is stored before the transaction begins

    def post(self, _request: Request) -> HttpResponseBase:
        with upload_slot(self.caller):
            size = _upload(self, SAMPLE)
        self.owe(costs.of_upload(size))
        tasks.nudge()
        return redirect(reverse("console-search"))


def _upload(view: ConsoleView, path: Path) -> int:
    """Upload a file of ours as the caller, and return its size."""
    content = path.read_bytes()
    upsert = accept.DocumentUpsert(name=path.stem, collection_name=_COLLECTION, metadata={})
    with path.open("rb") as file:
        upload = accept.Upload(file=file, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        accept.upsert_document(view.caller, upsert, upload, claim=_nothing, remember=_nothing)
    return len(content)


def _nothing(*_of_upload: Any) -> None:
    """Neither claim nor remember anything: a repeated request replaces the sample by itself."""
