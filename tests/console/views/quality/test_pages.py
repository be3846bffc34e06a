"""Recall in the console: of all collections, and of one by day."""

from dataclasses import replace
from datetime import timedelta

from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_as_staff, acting_for
from collections_app.models import Collection, SearchQuality
from collections_app.search import recall
from tests.cast import Someone, with_key
from tests.collections_app.searchable import random_vectors, with_vectors
from tests.console.browser import Browser
from tests.statements import statements

NAME = "<b>sea & shore</b>"


def compare(who: Someone, name: str, *, found: int, days_ago: int = 0) -> None:
    """Count a search that found so many of ten pages."""
    with acting_for(who.id) as tx:
        collection = Collection.objects.get(owner_id=who.id, name=name)
        recall.count_comparison(tx, {collection.pk: (10, found)})
    with acting_as_staff():
        today = timezone.now().date()
        SearchQuality.objects.filter(collection_id=collection.pk, day=today).update(day=today - timedelta(days_ago))


def test_collections_have_the_recall_of_their_searches(alice: Someone, browser: Browser) -> None:
    assert "There is no collection" in browser.page("/quality/").content.decode()
    for name in (NAME, "other"):
        alice.post("/v1/collections/", {"name": name, "vector_storage": "compact"})
    compare(alice, NAME, found=9, days_ago=1)
    compare(alice, NAME, found=10)
    with statements() as sent:
        text = browser.page("/quality/").content.decode()
    assert len(sent) == 14
    assert "0.950" in text
    assert text.count(">compact<") == 2
    assert "repeats 1&nbsp;% of such searches" in text
    assert 'href="/quality/collection/?collection=%3Cb%3Esea+%26+shore' in text
    assert 'href="/evaluations/"' in text
    assert "<b>" not in text


def test_collection_has_its_recall_by_day_and_its_vectors(alice: Someone, browser: Browser) -> None:
    alice.post("/v1/collections/", {"name": NAME})
    with_vectors(alice, "x", [random_vectors(1, count=3), random_vectors(2, count=20)], collection=NAME)
    compare(alice, NAME, found=8, days_ago=30)
    compare(alice, NAME, found=10)
    with statements() as sent:
        text = browser.page("/quality/collection/", {"collection": NAME}).content.decode()
    assert len(sent) == 14
    assert "8 of 10" in text
    assert "0.900" in text
    assert '<polyline points="48.0,50.4 448.0,12.0">' in text  # from 0.8 above a floor of 0.5 to 1
    assert "11.5" in text
    assert "full" in text
    assert "<b>" not in text


def test_collection_without_compared_searches_says_how_they_arise(
    alice: Someone, browser: Browser, settings: Settings
) -> None:
    alice.post("/v1/collections/", {"name": "new"})
    text = browser.page("/quality/collection/", {"collection": "new"}).content.decode()
    assert "No search was compared yet" in text
    assert "always searched exactly" in text
    assert "<svg class" not in text
    settings.ENV = replace(settings.ENV, shadow_percent=0)
    assert "is 0 on this server" in browser.page("/quality/collection/", {"collection": "new"}).content.decode()


def test_what_a_key_does_not_reach_has_no_quality(alice: Someone, charlie: Someone, browser: Browser) -> None:
    for who, name in ((alice, "secret"), (alice, "open"), (charlie, "of charlie")):
        who.post("/v1/collections/", {"name": name})
    compare(alice, "secret", found=7)
    restricted = Browser(with_key(alice.user, collections=frozenset({"open"})))
    for one, hidden in ((restricted, "secret"), (browser, "of charlie")):
        text = one.page("/quality/").content.decode()
        assert "open" in text
        assert hidden not in text
        assert one.page("/quality/collection/", {"collection": hidden}).status_code == 404
    assert "0.700" not in restricted.page("/quality/").content.decode()
