"""Database constraints of accounts, and the states of keys."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import ApiKey, CustomUser, Usage
from accounts.ownership import acting_for, managing_users
from tests.cast import Someone


def test_e_mail_is_stored_in_lower_case(db: None) -> None:
    with managing_users():
        assert CustomUser.objects.create_user(" Dora@Example.COM ").email == "dora@example.com"


def test_e_mail_is_unique_regardless_of_case(alice: Someone) -> None:
    with pytest.raises(IntegrityError), managing_users():
        CustomUser.objects.create_user("ALICE@example.com")


def test_database_refuses_an_upper_case_e_mail(alice: Someone) -> None:
    with pytest.raises(IntegrityError, match="user_email_lower_case"), managing_users():
        CustomUser.objects.filter(pk=alice.id).update(email="Alice@example.com")


def test_user_needs_an_e_mail(db: None) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        CustomUser.objects.create_user(" ")


def test_user_without_a_password_cannot_log_in(alice: Someone) -> None:
    assert not alice.user.has_usable_password()
    assert not alice.user.is_staff


@pytest.mark.parametrize("scopes", [[], ["root"], ["read", "root"]])
def test_database_refuses_unknown_or_empty_scopes(alice: Someone, scopes: list[str]) -> None:
    with pytest.raises(IntegrityError, match="api_key_scopes_known"), acting_for(alice.id):
        ApiKey.objects.update(scopes=scopes)


@pytest.mark.parametrize("field", ["documents", "pages", "bytes", "max_documents", "max_pages", "max_bytes"])
def test_database_refuses_negative_counts_and_limits(alice: Someone, field: str) -> None:
    with pytest.raises(IntegrityError, match="usage_"), acting_for(alice.id), transaction.atomic():
        Usage.objects.create(owner_id=alice.id, **{field: -1})


@pytest.mark.parametrize(
    ("expires_in", "revoked", "state"),
    [
        (None, False, "active"),
        (timedelta(hours=1), False, "active"),
        (timedelta(0), False, "expired"),
        (-timedelta(hours=1), False, "expired"),
        (None, True, "revoked"),
        (timedelta(hours=1), True, "revoked"),
        (-timedelta(hours=1), True, "revoked"),
    ],
)
def test_state_property_and_in_state_agree(
    alice: Someone, expires_in: timedelta | None, revoked: bool, state: str
) -> None:
    now = timezone.now()
    with acting_for(alice.id):
        ApiKey.objects.update(
            expires_at=None if expires_in is None else now + expires_in, revoked_at=now if revoked else None
        )
        assert ApiKey.objects.get().state == state
        states = [each for each in ("active", "expired", "revoked") if ApiKey.objects.in_state(each).exists()]
    assert states == [state]
