"""One collection: its documents, and changing or deleting it."""

import json
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse

from accounts.ownership import OwnerTransaction, acting_for
from collections_app import catalogue
from collections_app.ingest import outlook
from console.views.addresses import collection_url, document_url
from console.views.forms import CollectionSettings, FormPage, FormView
from console.views.listing import listing, sort_links, with_param
from console.views.states import state_of

_ORDERS = {
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "updated": ("updated_at", "pk"),
    "-updated": ("-updated_at", "-pk"),
}
_STATES = (("", "All"), ("working", "In progress"), ("failed", "Failed"), ("ready", "Ready"))


class CollectionPage(FormPage):
    """The page of a collection. It asks for itself again while documents are being processed."""

    template = "console/collection.html"
    section = "documents"

    @property
    def name(self) -> str:
        return str(self.request.query_params.get("collection", ""))

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        params = self.request.query_params
        collection = catalogue.find_collection(tx, self.caller, self.name)
        order = params.get("sort", "")
        order = order if order in _ORDERS else "-updated"
        state, name_part = params.get("state", ""), params.get("name", "").strip()
        rows = catalogue.documents(tx, self.caller, collection_name=collection.name)
        rows = catalogue.with_name_like(rows, name_part)
        counts = catalogue.count_states(rows)
        page = listing(
            params,
            catalogue.in_state(rows, state).order_by(*_ORDERS[order]),
            total=counts.get(state, counts[""]),
            joins_many=True,
        )
        return self.page(
            collection=collection,
            metadata=json.dumps(collection.metadata, ensure_ascii=False, indent=2),
            listing=page,
            rows=[self._row(document) for document in page.rows],
            states=[(key, label, counts[key], with_param(params, state=key, page="")) for key, label in _STATES],
            state=state if state in counts else "",
            name_part=name_part,
            order=order,
            sort=sort_links(params, _ORDERS, order),
            here=f"{reverse('console-collection')}?{params.urlencode()}",
            working=counts["working"],
            left=outlook.of_owner(tx) if counts["working"] else None,
            **context,
        )

    def _row(self, document: Any) -> dict[str, Any]:
        return {
            "document": document,
            "state": state_of(document),
            "pages": document.shown.stored_pages if document.shown else 0,
            "url": document_url(collection=self.name, document=document.name),
        }


class ChangedCollection(FormView, CollectionPage):
    """Renames a collection, or replaces its metadata."""

    def change(self) -> str:
        fields = self.validated(CollectionSettings)
        with acting_for(self.caller.owner_id) as tx:
            changed = catalogue.change_collection(
                tx,
                self.caller,
                self.name,
                new_name=fields["name"] if fields["name"] != self.name else None,
                metadata=fields.get("metadata"),
                precondition=catalogue.unconditional,
            )
            return collection_url(changed.name)


class DeletedCollection(FormView, CollectionPage):
    """Deletes a collection after its name was typed."""

    costs: ClassVar = {"GET": 1, "POST": 5}

    def change(self) -> str:
        self.require_typed(self.name)
        with acting_for(self.caller.owner_id) as tx:
            catalogue.delete_collection(tx, self.caller, self.name, precondition=catalogue.unconditional)
        return reverse("console-collections")
