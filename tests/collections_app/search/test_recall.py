"""How much of what exact scoring finds is found."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.ownership import acting_as_staff, acting_for
from collections_app.models import Collection, SearchQuality
from collections_app.search import recall as recall_log
from tests.cast import Someone, with_key


def shelf(who: Someone, name: str = "shelf") -> Collection:
    assert who.post("/v1/collections/", {"name": name}).status_code == 201
    with acting_for(who.id):
        return Collection.objects.get(owner_id=who.id, name=name)


def told(who: Someone, name: str = "shelf") -> dict[str, object]:
    return dict(who.get(f"/v1/collections/{name}/quality/").json())


def test_searches_of_a_day_add_up(alice: Someone) -> None:
    collection = shelf(alice)
    before = told(alice)
    assert (before["recall"], before["searches_compared"], before["k"], before["days"]) == (None, 0, 10, 30)
    with acting_for(alice.id):
        recall_log.record(alice.id, {collection.pk: (10, 10)})
        recall_log.record(alice.id, {collection.pk: (10, 9)})
        assert SearchQuality.objects.count() == 1
    after = told(alice)
    assert (after["recall"], after["pages_expected"], after["pages_found"]) == (0.95, 20, 19)


def test_it_is_nobody_elses(alice: Someone, charlie: Someone) -> None:
    collection = shelf(alice)
    shelf(charlie)
    with acting_for(alice.id):
        recall_log.record(alice.id, {collection.pk: (10, 1)})
    assert told(charlie)["recall"] is None
    limited = with_key(alice.user, collections=frozenset({"elsewhere"}))
    assert limited.get("/v1/collections/shelf/quality/").status_code == 404


def test_it_goes_with_the_collection_and_after_a_month(alice: Someone) -> None:
    collection, other = shelf(alice), shelf(alice, "other")
    with acting_for(alice.id):
        recall_log.record(alice.id, {collection.pk: (10, 10), other.pk: (10, 10)})
        old = timezone.now().date() - timedelta(days=recall_log.DAYS + 1)
        SearchQuality.objects.filter(collection=other).update(day=old)
    recall_log.forget_old()
    with acting_as_staff():
        assert list(SearchQuality.objects.values_list("collection_id", flat=True)) == [collection.pk]
    assert alice.delete("/v1/collections/shelf/").status_code == 204
    with acting_as_staff():
        assert SearchQuality.objects.count() == 0


def test_metrics_tell_recall_by_collection(alice: Someone) -> None:
    collection = shelf(alice)
    with acting_for(alice.id):
        recall_log.record(alice.id, {collection.pk: (10, 9)})
    recall, samples = recall_log.figures()
    (sample,) = recall.samples
    assert sample.labels == {"collection": str(collection.pk)}
    assert sample.value == pytest.approx(0.9)
    assert [sample.value for sample in samples.samples] == [1]
