"""Uploading: a page for it, files that a script sends one at a time, and URLs."""

from typing import Any, ClassVar

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from rest_framework.parsers import FormParser
from rest_framework.request import Request

from accounts.ownership import OwnerTransaction
from collections_app import catalogue
from collections_app.api.idempotency import AlreadyCompleted
from collections_app.api.upsert import ReceivesUploads, upload_slot
from console.views.addresses import document_url
from console.views.forms import FormView
from paliapi.http.parsers import MultiPartParser

_MAX_COLLECTIONS = 200


class Uploads(FormView, ReceivesUploads):
    """Files are sent with PUT: Django reads the body of a POST before it is known who sends it."""

    template = "console/uploads.html"
    section = "documents"
    costs: ClassVar = {"GET": 1, "POST": 0, "PUT": 0}
    parser_classes = (MultiPartParser, FormParser)

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        collections = list(catalogue.collections(tx, self.caller).order_by("name")[:_MAX_COLLECTIONS])
        collection_name = self.form.get("collection_name") or self.request.query_params.get("collection", "")
        return self.page(
            collections=collections, collection_name=collection_name or catalogue.DEFAULT_COLLECTION, **context
        )

    def put(self, request: Request) -> HttpResponseBase:
        """Accept a file."""
        with upload_slot(self.caller):
            try:
                _, _, document = self.receive(request)
            except AlreadyCompleted as earlier:
                return earlier.response
        place = {"collection": document.collection.name, "document": document.name}
        return JsonResponse({**place, "url": document_url(**place)}, status=202)

    def change(self) -> str:
        """Accept a URL, from which a worker downloads the file."""
        fields = self.form
        try:
            with upload_slot(self.caller):
                self.receive(self.request)
        except AlreadyCompleted:
            pass
        return document_url(
            collection=fields.get("collection_name") or catalogue.DEFAULT_COLLECTION, document=fields.get("name", "")
        )
