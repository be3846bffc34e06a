"""Measured recall: which share of the exact best pages searches by sketch find.

Counted by collection and day, and stored for a month.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Sum
from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily

from accounts.ownership import OwnerTransaction, acting_as_housekeeping, counting_for_metrics
from collections_app.models import Collection, SearchQuality

RECALL_K = 10
RECALL_DAYS = 30
_METRICS_PERIOD = timedelta(days=7)
_MAX_COLLECTIONS = 100


@dataclass(frozen=True, slots=True)
class MeasuredRecall:
    """How many searches were compared, how many pages they should have found, and how many they found."""

    searches: int
    expected: int
    found: int

    @property
    def recall(self) -> float | None:
        return self.found / self.expected if self.expected else None

    @classmethod
    def total(cls, days: Iterable["MeasuredRecall"]) -> "MeasuredRecall":
        """Return the sum of what was measured."""
        all_days = [*days]
        return cls(
            searches=sum(one.searches for one in all_days),
            expected=sum(one.expected for one in all_days),
            found=sum(one.found for one in all_days),
        )


def count_comparison(tx: OwnerTransaction, counts: Mapping[int, tuple[int, int]]) -> None:
    """Add one compared search: (expected, found) by collection id."""
    today = timezone.now().date()
    # Always in the same order, so that concurrent transactions cannot deadlock.
    for collection_id, (expected, found) in sorted(counts.items()):
        row, _ = SearchQuality.objects.get_or_create(owner_id=tx.owner_id, collection_id=collection_id, day=today)
        SearchQuality.objects.filter(pk=row.pk).update(
            searches=F("searches") + 1, expected=F("expected") + expected, found=F("found") + found
        )


def recall_by_day(tx: OwnerTransaction, collections: Iterable[Collection]) -> dict[int, dict[date, MeasuredRecall]]:
    """Return the recall of each day of the last month, from the oldest on, by the id of the collection."""
    rows = SearchQuality.objects.filter(owner_id=tx.owner_id, collection__in=[one.pk for one in collections])
    days: defaultdict[int, dict[date, MeasuredRecall]] = defaultdict(dict)
    for row in rows.order_by("day"):
        days[row.collection_id][row.day] = MeasuredRecall(row.searches, row.expected, row.found)
    return dict(days)


def measured_recall(tx: OwnerTransaction, collection: Collection) -> MeasuredRecall:
    """Return the recall of a collection in the last month."""
    return MeasuredRecall.total(recall_by_day(tx, [collection]).get(collection.pk, {}).values())


def delete_old_recall() -> None:
    """Delete the counts of more than a month ago."""
    with acting_as_housekeeping():
        SearchQuality.objects.filter(day__lt=timezone.now().date() - timedelta(days=RECALL_DAYS)).delete()


def collect_recall_metrics() -> Iterator[GaugeMetricFamily]:
    """Yield metrics of the collections that were searched most in the last week."""
    with counting_for_metrics():
        rows = SearchQuality.objects.filter(day__gte=timezone.now().date() - _METRICS_PERIOD, expected__gt=0)
        sums = rows.values_list("collection_id").annotate(n=Sum("searches"), e=Sum("expected"), f=Sum("found"))
        most_searched = list(sums.order_by("-n", "collection_id")[:_MAX_COLLECTIONS])
    recall = GaugeMetricFamily(
        "paliapi_search_recall", "Share of the exact best ten that searches found, last week.", labels=["collection"]
    )
    samples = GaugeMetricFamily(
        "paliapi_search_recall_samples", "Searches that were repeated exactly, last week.", labels=["collection"]
    )
    for collection_id, count, expected, found in most_searched:
        recall.add_metric([str(collection_id)], found / expected)
        samples.add_metric([str(collection_id)], count)
    yield from (recall, samples)
