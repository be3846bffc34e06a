"""The list of collections, and creating one."""

from typing import Any

from django.http import HttpResponse

from accounts.ownership import OwnerTransaction, acting_for
from collections_app import catalogue
from collections_app.api.collections import CollectionIn
from console.views.addresses import collection_url
from console.views.forms import FormView
from console.views.listing import listing, sort_links

_ORDERS = {
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "documents": ("num_documents", "pk"),
    "-documents": ("-num_documents", "-pk"),
    "created": ("created_at", "pk"),
    "-created": ("-created_at", "-pk"),
}


class Collections(FormView):
    template = "console/collections.html"
    section = "documents"

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        params = self.request.query_params
        order = params.get("sort", "")
        order = order if order in _ORDERS else "name"
        name_part = params.get("name", "").strip()
        rows = catalogue.with_name_like(catalogue.collections(tx, self.caller), name_part)
        page = listing(params, rows.order_by(*_ORDERS[order]), total=rows.count())
        links = [(row, collection_url(row.name)) for row in page.rows]
        return self.page(
            listing=page,
            rows=links,
            name_part=name_part,
            order=order,
            sort=sort_links(params, _ORDERS, order),
            **context,
        )

    def change(self) -> str:
        """Create a collection."""
        body = CollectionIn(data={"name": self.form.get("name", "")})
        body.is_valid(raise_exception=True)
        with acting_for(self.caller.owner_id) as tx:
            new = catalogue.create_collection(tx, self.caller, name=body.validated_data["name"], metadata={})
            return collection_url(new.name)
