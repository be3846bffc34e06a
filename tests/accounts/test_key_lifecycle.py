"""Creating and revoking keys, and what rights a key can grant."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import key_lifecycle
from accounts.access import SCOPES, Caller, Scope
from accounts.key_lifecycle import ExpiryInThePast, Rights, TooManyKeys, mint_key
from accounts.models import ApiKey
from accounts.ownership import acting_for
from paliapi.errors import Unauthenticated
from tests.cast import EVERYTHING, Someone, with_expired_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)

rights = st.builds(
    Rights,
    scopes=st.frozensets(st.sampled_from(SCOPES), min_size=1),
    collections=st.none() | st.frozensets(st.sampled_from("abc"), min_size=1),
    expires_at=st.none() | st.integers(1, 3).map(lambda days: NOW + timedelta(days=days)),
)


def caller_with(having: Rights) -> Caller:
    return Caller(
        owner_id=1,
        email="",
        key_id=1,
        scopes=having.scopes,
        collections=having.collections,
        expires_at=having.expires_at,
    )


@given(rights)
def test_rights_cover_themselves(having: Rights) -> None:
    assert having.cover(having)


@given(rights, rights, rights)
def test_covering_is_transitive(first: Rights, second: Rights, third: Rights) -> None:
    if first.cover(second) and second.cover(third):
        assert first.cover(third)


@given(rights, rights, st.sampled_from(SCOPES), st.sampled_from("abc"))
def test_covered_rights_permit_nothing_more(first: Rights, second: Rights, scope: Scope, name: str) -> None:
    if first.cover(second):
        giver, given_to = caller_with(first), caller_with(second)
        assert giver.may(scope) or not given_to.may(scope)
        assert giver.sees(name) or not given_to.sees(name)
        assert first.expires_at is None or (second.expires_at is not None and second.expires_at <= first.expires_at)


def test_rights_can_be_read_back_from_the_key(alice: Someone) -> None:
    given_rights = Rights(
        scopes=frozenset({"read", "search"}),
        collections=frozenset({"b", "a"}),
        expires_at=timezone.now() + timedelta(days=1),
    )
    with acting_for(alice.id) as tx:
        minted = mint_key(tx, rights=given_rights, name="website")
        assert Rights.of(ApiKey.objects.get(pk=minted.key.pk)) == given_rights


def test_expired_key_is_not_created(alice: Someone) -> None:
    ended = Rights(scopes=frozenset({"read"}), expires_at=timezone.now())
    with pytest.raises(ExpiryInThePast), acting_for(alice.id) as tx:
        mint_key(tx, rights=ended)


def test_number_of_active_keys_is_limited(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_lifecycle, "MAX_KEYS", 2)
    with acting_for(alice.id) as tx:
        second = mint_key(tx, rights=Rights(scopes=frozenset({"read"})))
        with pytest.raises(TooManyKeys):
            mint_key(tx, rights=Rights(scopes=frozenset({"read"})))
        key_lifecycle.revoke(tx, second.key)
        mint_key(tx, rights=Rights(scopes=frozenset({"read"})))


def test_the_newest_pepper_is_used(alice: Someone, settings: Settings) -> None:
    with acting_for(alice.id):
        assert ApiKey.objects.get(owner_id=alice.id).pepper_id == settings.ENV.api_key_peppers[-1][0]


def test_revoking_twice_keeps_the_first_date(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        key = ApiKey.objects.get(owner_id=alice.id)
        key_lifecycle.revoke(tx, key)
        first = ApiKey.objects.get(pk=key.pk).revoked_at
        key_lifecycle.revoke(tx, key)
        assert ApiKey.objects.get(pk=key.pk).revoked_at == first is not None


def test_repr_of_a_new_key_does_not_show_its_secret(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        minted = mint_key(tx, rights=Rights(scopes=frozenset({"read"})))
    assert minted.text not in repr(minted)


def chain(owner: Someone, length: int) -> list[int]:
    """Create keys, each by the one before it, and return their ids."""
    with acting_for(owner.id) as tx:
        ids = [ApiKey.objects.get(owner_id=owner.id).pk]
        for _ in range(length):
            ids.append(mint_key(tx, rights=Rights(scopes=EVERYTHING), minted_by=ids[-1]).key.pk)
    return ids


def end(owner: Someone, *key_ids: int, days_ago: float) -> None:
    with acting_for(owner.id):
        ApiKey.objects.filter(pk__in=key_ids).update(revoked_at=timezone.now() - timedelta(days=days_ago))


def origins(owner: Someone) -> dict[int, int | None]:
    with acting_for(owner.id):
        return dict(ApiKey.objects.values_list("pk", "minted_by"))


def test_ended_keys_are_forgotten_after_90_days(alice: Someone, charlie: Someone) -> None:
    first, revoked, recent = chain(alice, 2)
    expired = with_expired_key(charlie.user)
    end(alice, revoked, days_ago=91)
    end(alice, recent, days_ago=89)
    with acting_for(charlie.id):
        ApiKey.objects.filter(expires_at__lt=timezone.now()).update(expires_at=timezone.now() - timedelta(days=91))
    assert key_lifecycle.forget_ended() == 2
    assert set(origins(alice)) == {first, recent}
    assert len(origins(charlie)) == 1
    assert expired.get("/v1/me/").status_code == 401


def test_descendants_of_a_forgotten_key_are_still_known(alice: Someone) -> None:
    first, second, third, fourth, fifth = chain(alice, 4)
    end(alice, second, third, days_ago=91)
    key_lifecycle.forget_ended()
    assert origins(alice) == {first: None, fourth: first, fifth: fourth}


def test_keys_of_a_forgotten_first_key_have_no_origin(alice: Someone) -> None:
    first, second, third = chain(alice, 2)
    end(alice, first, days_ago=91)
    key_lifecycle.forget_ended()
    assert origins(alice) == {second: None, third: second}


def test_number_of_ended_keys_is_limited(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_lifecycle, "MAX_ENDED_KEYS", 2)
    first, *ended, last = chain(alice, 5)
    end(alice, *ended, days_ago=0)
    with acting_for(alice.id) as tx:
        newest = mint_key(tx, rights=Rights(scopes=EVERYTHING), minted_by=first).key.pk
    assert origins(alice) == {first: None, ended[2]: first, ended[3]: ended[2], last: ended[3], newest: first}


def test_a_key_that_has_ended_since_it_was_authenticated_creates_no_key(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        key = ApiKey.objects.get(owner_id=alice.id)
        caller = Caller(
            owner_id=alice.id, email="", key_id=key.pk, scopes=EVERYTHING, collections=None, expires_at=None
        )
        key_lifecycle.revoke(tx, key)
        with pytest.raises(Unauthenticated):
            key_lifecycle.mint_for(tx, caller, rights=Rights(scopes=EVERYTHING))
        with pytest.raises(Unauthenticated):
            key_lifecycle.rotate(tx, caller, key_id=key.pk, overlap=timedelta())
        assert ApiKey.objects.count() == 1
