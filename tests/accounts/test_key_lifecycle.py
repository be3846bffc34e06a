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
from tests.cast import Someone

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
        key_lifecycle.revoke(second.key)
        mint_key(tx, rights=Rights(scopes=frozenset({"read"})))


def test_the_newest_pepper_is_used(alice: Someone, settings: Settings) -> None:
    with acting_for(alice.id):
        assert ApiKey.objects.get(owner_id=alice.id).pepper_id == settings.ENV.api_key_peppers[-1][0]


def test_revoking_twice_keeps_the_first_date(alice: Someone) -> None:
    with acting_for(alice.id):
        key = ApiKey.objects.get(owner_id=alice.id)
        key_lifecycle.revoke(key)
        first = ApiKey.objects.get(pk=key.pk).revoked_at
        key_lifecycle.revoke(key)
        assert ApiKey.objects.get(pk=key.pk).revoked_at == first is not None


def test_repr_of_a_new_key_does_not_show_its_secret(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        minted = mint_key(tx, rights=Rights(scopes=frozenset({"read"})))
    assert minted.text not in repr(minted)
