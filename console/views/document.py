"""One document: its pages, the state of its latest upload, and changing or deleting it."""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse

from accounts.ownership import OwnerTransaction, acting_for
from collections_app import catalogue, tasks
from collections_app.errors import CollectionNotFound
from collections_app.ingest import accept, jobs, outlook
from collections_app.storage import links
from collections_app.storage.links import FileLink
from console.views.addresses import collection_url, document_url
from console.views.forms import DocumentSettings, FormPage, FormView
from console.views.hits import page_url, thumbnail_size
from console.views.listing import with_param
from console.views.states import state_of
from paliapi.errors import Invalid

# So many thumbnails at once; the rest follows when the reader gets there.
PAGES = 120
_UPLOADS = 10
_COLLECTIONS = 200
_ACTIONS = ("change", "delete", "retry", "cancel")


class NoSuchCollection(Invalid):
    code = "no_such_collection"
    title = "There is no collection with this name to move the document to."


class DocumentPage(FormPage):
    template = "console/document.html"
    section = "documents"

    @property
    def place(self) -> dict[str, str]:
        """The names of the collection and the document."""
        params = self.request.query_params
        return {"collection": params.get("collection", ""), "document": params.get("document", "")}

    def find(self, tx: OwnerTransaction) -> Any:
        return catalogue.find_document(
            tx, self.caller, self.place["document"], collection_name=self.place["collection"]
        )

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        document = self.find(tx)
        return self.page(
            metadata=json.dumps(document.metadata, ensure_ascii=False, indent=2),
            uploads=list(catalogue.revisions(tx, document)[:_UPLOADS]),
            file_url=self._file_url(document),
            collection_url=collection_url(document.collection.name),
            collections=self._collections(tx) if self.caller.may("write") else [],
            **self.state(tx, document),
            **context,
        )

    def _collections(self, tx: OwnerTransaction) -> list[str]:
        rows = catalogue.collections(tx, self.caller).order_by("name")
        return list(rows.values_list("name", flat=True)[:_COLLECTIONS])

    def state(self, tx: OwnerTransaction, document: Any) -> dict[str, Any]:
        """Return what changes while the document is being processed."""
        latest, shown = document.latest, document.shown
        state = state_of(document)
        return {
            "document": document,
            "state": state,
            "actions": {action: _url(document, f"console-document-{action}") for action in _ACTIONS},
            "state_url": _url(document, "console-document-state"),
            "seconds_left": outlook.of_jobs(tx, [latest])[latest.pk].seconds if latest and state.is_working else None,
            "skipped": latest.skipped if latest else [],
            "timings": sorted(latest.timings.items()) if latest else [],
            "shown_pages": shown.stored_pages if shown else 0,
            **self._pages(tx, document),
        }

    def _pages(self, tx: OwnerTransaction, document: Any) -> dict[str, Any]:
        last = (document.shown.pages_total if document.shown else None) or 1
        text = self.request.query_params.get("from", "")
        start = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
        start = max(1, min(start, last))
        rows = list(catalogue.pages(tx, document).defer("text").filter(number__gte=start)[: PAGES + 1])
        return {
            "pages": [_thumbnail(page, document) for page in rows[:PAGES]],
            "first_page": start,
            "last_page": last,
            "earlier": self._from(max(1, start - PAGES)) if start > 1 else "",
            "more": self._from(rows[PAGES].number) if len(rows) > PAGES else "",
        }

    def _from(self, number: int) -> str:
        """Return the URL of the pages that begin with this one."""
        return f"{reverse('console-document')}?{with_param(self.request.query_params, **{'from': number})}"

    def _file_url(self, document: Any) -> str:
        """Return a link to the file that was uploaded, or downloaded from a URL."""
        revision = document.shown or document.latest
        if revision is None or revision.file is None:
            return ""
        link = FileLink(document.owner_id, self.caller.key_id, document.pk, revision.file.pk)
        return reverse("getFile", args=[links.file_token(link)])


def _url(document: Any, route: str) -> str:
    return document_url(collection=document.collection.name, document=document.name, route=route)


def _thumbnail(page: Any, document: Any) -> dict[str, Any]:
    width, height = thumbnail_size(page.width, page.height)
    return {
        "id": page.pk,
        "number": page.number,
        "width": width,
        "height": height,
        "kind": "thumbnail" if page.image.thumbnail_size else "image",
        "url": page_url(collection=document.collection.name, document=document.name, number=page.number),
    }


class DocumentState(DocumentPage):
    """The part of the page that changes while the document is being processed, with its pages once that is over."""

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        state = self.state(tx, self.find(tx))
        return self.page(
            template="console/document_state.html", swaps_pages=not state["state"].is_working, **state, **context
        )


class ChangedDocument(FormView, DocumentPage):
    """Renames a document, replaces its metadata, or moves it to another collection."""

    costs: ClassVar = {"GET": 1, "POST": 2}

    def change(self) -> str:
        fields, place = self.validated(DocumentSettings), self.place
        move_to = fields.get("move_to", place["collection"])
        update = accept.DocumentUpdate(
            name=fields["name"] if fields["name"] != place["document"] else None,
            metadata=fields.get("metadata"),
            move_to=move_to if move_to != place["collection"] else None,
        )
        try:
            changed = accept.update_document(
                self.caller,
                place["document"],
                update,
                None,
                collection_name=place["collection"],
                precondition=catalogue.unconditional,
            )
        except CollectionNotFound:
            raise NoSuchCollection from None
        return document_url(collection=changed.collection.name, document=changed.name)


class DeletedDocument(FormView, DocumentPage):
    """Deletes a document after its name was typed."""

    costs: ClassVar = {"GET": 1, "POST": 2}

    def change(self) -> str:
        place = self.place
        self.require_typed(place["document"])
        with acting_for(self.caller.owner_id) as tx:
            catalogue.delete_document(
                tx,
                self.caller,
                place["document"],
                collection_name=place["collection"],
                precondition=catalogue.unconditional,
            )
        return collection_url(place["collection"])


class _ChangedJob(FormView, DocumentPage):
    """Changes the processing of the latest upload."""

    do: ClassVar[Callable[..., Any]]

    def change(self) -> str:
        place = self.place
        with acting_for(self.caller.owner_id) as tx:
            type(self).do(tx, self.caller, place["document"], collection_name=place["collection"])
        tasks.nudge()
        return document_url(**place)


class RetriedDocument(_ChangedJob):
    do = staticmethod(jobs.retry)


class CancelledDocument(_ChangedJob):
    do = staticmethod(jobs.cancel)
