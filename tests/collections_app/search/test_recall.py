"""Measured recall, by collection and day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.ownership import acting_as_staff, acting_for
from collections_app.models import Collection, SearchQuality
from collections_app.search import recall
from tests.cast import Someone, with_key


def create_collection(owner: Someone, name: str = "reports") -> Collection:
    assert owner.post("/v1/collections/", {"name": name}).status_code == 201
    with acting_for(owner.id):
        return Collection.objects.get(owner_id=owner.id, name=name)


def reported(who: Someone, name: str = "reports") -> dict[str, object]:
    return dict(who.get(f"/v1/collections/{name}/quality/").json())


def test_searches_of_a_day_add_up(alice: Someone) -> None:
    collection = create_collection(alice)
    before = reported(alice)
    assert (before["recall"], before["searches_compared"], before["k"], before["days"]) == (None, 0, 10, 30)
    with acting_for(alice.id) as tx:
        recall.count_comparison(tx, {collection.pk: (10, 10)})
        recall.count_comparison(tx, {collection.pk: (10, 9)})
        assert SearchQuality.objects.count() == 1
    after = reported(alice)
    assert (after["recall"], after["pages_expected"], after["pages_found"]) == (0.95, 20, 19)


def test_recall_is_visible_to_its_owner_only(alice: Someone, charlie: Someone) -> None:
    collection = create_collection(alice)
    create_collection(charlie)
    with acting_for(alice.id) as tx:
        recall.count_comparison(tx, {collection.pk: (10, 1)})
    assert reported(charlie)["recall"] is None
    limited = with_key(alice.user, collections=frozenset({"elsewhere"}))
    assert limited.get("/v1/collections/reports/quality/").status_code == 404


def test_recall_is_deleted_with_its_collection_and_after_a_month(alice: Someone) -> None:
    collection, other = create_collection(alice), create_collection(alice, "other")
    with acting_for(alice.id) as tx:
        recall.count_comparison(tx, {collection.pk: (10, 10), other.pk: (10, 10)})
        old = timezone.now().date() - timedelta(days=recall.RECALL_DAYS + 1)
        SearchQuality.objects.filter(collection=other).update(day=old)
    recall.delete_old_recall()
    with acting_as_staff():
        assert list(SearchQuality.objects.values_list("collection_id", flat=True)) == [collection.pk]
    assert alice.delete("/v1/collections/reports/").status_code == 204
    with acting_as_staff():
        assert SearchQuality.objects.count() == 0


def test_metrics_report_recall_by_collection(alice: Someone) -> None:
    collection = create_collection(alice)
    with acting_for(alice.id) as tx:
        recall.count_comparison(tx, {collection.pk: (10, 9)})
    shares, samples = recall.collect_recall_metrics()
    (sample,) = shares.samples
    assert sample.labels == {"collection": str(collection.pk)}
    assert sample.value == pytest.approx(0.9)
    assert [sample.value for sample in samples.samples] == [1]
