"""The recall of all collections, and that of one by day."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from collections_app import catalogue
from collections_app.search import RECALL_DAYS, RECALL_K, MeasuredRecall, recall_by_day
from collections_app.storage.vectors import vectors_per_page
from console.views.addresses import collection_url
from console.views.base import ConsoleView
from console.views.listing import listing
from console.views.quality.chart import line


class _QualityView(ConsoleView):
    section = "quality"

    def page(self, **context: Any) -> HttpResponse:
        sampling: dict[str, Any] = {"percent": settings.ENV.shadow_percent, "k": RECALL_K, "days": RECALL_DAYS}
        return super().page(**sampling, **context)


class Quality(_QualityView):
    """Lists the collections with their recall."""

    template = "console/quality/list.html"

    def get(self, request: Request) -> HttpResponse:
        rows = catalogue.collections(self.transaction, self.caller).order_by("name", "pk")
        page = listing(request.query_params, rows, total=rows.count())
        by_day = recall_by_day(self.transaction, page.rows)
        measured = [(row, MeasuredRecall.total(by_day.get(row.pk, {}).values())) for row in page.rows]
        return self.page(
            listing=page,
            rows=[(row, one, collection_url(row.name, route="console-collection-quality")) for row, one in measured],
        )


class CollectionQuality(_QualityView):
    """The recall of one collection by day, and how its vectors are stored."""

    template = "console/quality/collection.html"

    def get(self, request: Request) -> HttpResponse:
        name = request.query_params.get("collection", "")
        collection = catalogue.find_collection(self.transaction, self.caller, name)
        by_day = recall_by_day(self.transaction, [collection]).get(collection.pk, {})
        shares = {day: one.recall for day, one in by_day.items() if one.recall is not None}
        return self.page(
            collection=collection,
            collection_url=collection_url(collection.name),
            measured=MeasuredRecall.total(by_day.values()),
            vectors_per_page=vectors_per_page(self.transaction, collection),
            by_day=sorted(by_day.items(), reverse=True),
            line=line(shares, days=RECALL_DAYS, today=timezone.now().date()) if shares else None,
        )
