"""How much of what exact scoring finds is found without it: counted by collection and day, and kept for a month."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Sum
from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily

from accounts.ownership import acting_as_staff
from collections_app.models import Collection, SearchQuality

K = 10
DAYS = 30
_RECENT = timedelta(days=7)
_MOST_COLLECTIONS = 100


@dataclass(frozen=True, slots=True)
class Quality:
    """Of so many searches, how many of the exact best pages there were, and how many of them were found."""

    searches: int
    expected: int
    found: int

    @property
    def recall(self) -> float | None:
        return self.found / self.expected if self.expected else None


def record(owner_id: int, counts: Mapping[int, tuple[int, int]]) -> None:
    """Count one search: (expected, found) by collection; inside `acting_for(owner_id)`."""
    today = timezone.now().date()
    # Always in the same order, so that two who count never wait for each other in a circle.
    for collection_id, (expected, found) in sorted(counts.items()):
        row, _ = SearchQuality.objects.get_or_create(owner_id=owner_id, collection_id=collection_id, day=today)
        SearchQuality.objects.filter(pk=row.pk).update(
            searches=F("searches") + 1, expected=F("expected") + expected, found=F("found") + found
        )


def of(collection: Collection) -> Quality:
    """The last month of a collection; inside `acting_for` its owner."""
    rows = SearchQuality.objects.filter(owner_id=collection.owner_id, collection=collection)
    sums = rows.aggregate(*(Sum(name, default=0) for name in ("searches", "expected", "found")))
    return Quality(sums["searches__sum"], sums["expected__sum"], sums["found__sum"])


def forget_old() -> None:
    with acting_as_staff():
        SearchQuality.objects.filter(day__lt=timezone.now().date() - timedelta(days=DAYS)).delete()


def figures() -> Iterator[GaugeMetricFamily]:
    """Of the collections that were searched most in the last week."""
    with acting_as_staff():
        rows = SearchQuality.objects.filter(day__gte=timezone.now().date() - _RECENT, expected__gt=0)
        sums = rows.values_list("collection_id").annotate(n=Sum("searches"), e=Sum("expected"), f=Sum("found"))
        most = list(sums.order_by("-n", "collection_id")[:_MOST_COLLECTIONS])
    recall = GaugeMetricFamily(
        "paliapi_search_recall", "Share of the exact best ten that searches found, last week.", labels=["collection"]
    )
    searches = GaugeMetricFamily(
        "paliapi_search_recall_samples", "Searches that were made again exactly, last week.", labels=["collection"]
    )
    for collection_id, count, expected, found in most:
        recall.add_metric([str(collection_id)], found / expected)
        searches.add_metric([str(collection_id)], count)
    yield from (recall, searches)
