"""The admin site."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts import keys
from accounts.models import ApiKey, CustomUser, Usage
from accounts.ownership import acting_as_staff, acting_for
from tests.cast import Someone

PASSWORD = "a long enough password"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(CustomUser.objects.create_superuser("root@example.com", password=PASSWORD))
    return client


@pytest.fixture
def key(alice: Someone) -> ApiKey:
    with acting_for(alice.id):
        Usage.objects.create(owner_id=alice.id, pages=7)
        return ApiKey.objects.get(owner_id=alice.id)


def log_in(email: str, password: str = PASSWORD) -> Any:
    return Client().post("/admin/login/?next=/admin/", {"username": email, "password": password})


PAGES = [
    "/admin/",
    "/admin/accounts/customuser/",
    "/admin/accounts/customuser/?q=alice",
    "/admin/accounts/customuser/?is_active__exact=1",
    "/admin/accounts/customuser/add/",
    "/admin/accounts/customuser/{owner}/change/",
    "/admin/accounts/customuser/{owner}/history/",
    "/admin/accounts/apikey/",
    "/admin/accounts/apikey/?q=alice",
    "/admin/accounts/apikey/?state=active",
    "/admin/accounts/apikey/?state=expired",
    "/admin/accounts/apikey/?state=revoked",
    "/admin/accounts/apikey/?owner__id__exact={owner}",
    "/admin/accounts/apikey/{key}/change/",
    "/admin/accounts/usage/",
    "/admin/accounts/usage/?q=alice",
    "/admin/accounts/usage/add/",
    "/admin/accounts/usage/{owner}/change/",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_and_shows_no_secret(staff: Client, alice: Someone, key: ApiKey, page: str) -> None:
    answer = staff.get(page.format(owner=alice.id, key=key.pk))
    assert answer.status_code == 200
    text = answer.content.decode()
    parts = keys.parse(alice.key)
    assert parts is not None
    assert parts.secret not in text
    assert bytes(key.digest).hex() not in text
    assert "digest" not in text


@pytest.mark.parametrize("page", PAGES)
def test_user_who_is_not_staff_is_redirected_to_the_login(alice: Someone, key: ApiKey, page: str) -> None:
    client = Client()
    client.force_login(alice.user)
    answer = client.get(page.format(owner=alice.id, key=key.pk))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_list_shows_every_owner_and_filters_by_state(staff: Client, key: ApiKey, charlie: Someone) -> None:
    everybody = staff.get("/admin/accounts/apikey/").content.decode()
    assert "alice@example.com" in everybody
    assert "charlie@example.com" in everybody
    assert "alice@example.com" not in staff.get("/admin/accounts/apikey/?state=revoked").content.decode()


def test_keys_can_be_revoked_from_the_list(staff: Client, alice: Someone, charlie: Someone, key: ApiKey) -> None:
    answer = staff.post("/admin/accounts/apikey/", {"action": "revoke_selected", "_selected_action": [key.pk]})
    assert answer.status_code == 302
    assert alice.get("/v1/me/").status_code == 401
    assert charlie.get("/v1/me/").status_code == 200
    assert LogEntry.objects.get().change_message == "Revoked."


def test_only_the_name_of_a_key_can_be_changed(staff: Client, key: ApiKey) -> None:
    body = {"name": "renamed", "scopes": "read", "collections": "x", "expires_at_0": "2020-01-01", "owner": "1"}
    assert staff.post(f"/admin/accounts/apikey/{key.pk}/change/", body).status_code == 302
    with acting_as_staff():
        changed = ApiKey.objects.get(pk=key.pk)
    assert changed.name == "renamed"
    assert (changed.scopes, changed.collections, changed.expires_at) == (key.scopes, None, None)
    assert changed.owner_id == key.owner_id


@pytest.mark.parametrize(
    "page", ["/admin/accounts/apikey/add/", "/admin/accounts/apikey/{key}/delete/", "/admin/accounts/usage/1/delete/"]
)
def test_keys_cannot_be_added_and_nothing_can_be_deleted(staff: Client, key: ApiKey, page: str) -> None:
    assert staff.get(page.format(key=key.pk)).status_code in {302, 403}


def test_owner_can_be_given_individual_limits(staff: Client, alice: Someone, key: ApiKey) -> None:
    staff.post(f"/admin/accounts/usage/{alice.id}/change/", {"max_pages": "5", "pages": "0"})
    usage = alice.get("/v1/usage/").json()
    assert (usage["pages"], usage["max_pages"]) == (7, 5)


def test_user_can_be_added_and_e_mails_are_unique_regardless_of_case(staff: Client) -> None:
    body = {"email": "Dora@Example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert staff.post("/admin/accounts/customuser/add/", body).status_code == 302
    again = staff.post("/admin/accounts/customuser/add/", {**body, "email": "dora@example.COM"})
    assert "There is a user with this e-mail." in again.content.decode()
    assert CustomUser.objects.filter(email="dora@example.com").count() == 1


def test_staff_can_log_in_regardless_of_the_case_of_their_e_mail(staff: Client) -> None:
    assert log_in("ROOT@example.com")["Location"] == "/admin/"


def test_owner_without_a_password_cannot_log_in(alice: Someone) -> None:
    alice.user.set_password(PASSWORD)
    alice.user.save()
    assert log_in("alice@example.com").status_code == 200


def test_api_does_not_accept_a_session(staff: Client) -> None:
    assert staff.get("/v1/me/").status_code == 401


def test_plural_names_are_spelt_correctly(staff: Client) -> None:
    plurals = [str(model._meta.verbose_name_plural) for model in admin.site._registry]
    assert "webhook deliveries" in plurals
    assert [plural for plural in plurals if re.search(r"[^aeiou]ys$|(s|x|ch)s$", plural)] == []
