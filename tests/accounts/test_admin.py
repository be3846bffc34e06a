"""The admin site."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from accounts import keys
from accounts.models import ApiKey, CustomUser, Usage
from accounts.ownership import acting_as_staff, acting_for, managing_users
from tests.admin_client import PASSWORD, AdminClient, admin_client, staff_without_rights, superuser
from tests.cast import Someone


@pytest.fixture
def staff(db: None) -> Client:
    return admin_client()


@pytest.fixture
def key(alice: Someone) -> ApiKey:
    with acting_for(alice.id):
        Usage.objects.create(owner_id=alice.id, pages=7)
        return ApiKey.objects.get(owner_id=alice.id)


def log_in(email: str, password: str = PASSWORD) -> Any:
    return AdminClient().post("/admin/login/?next=/admin/", {"username": email, "password": password})


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
    client = admin_client(alice.user)
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
    with acting_as_staff():
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
    with managing_users():
        assert CustomUser.objects.filter(email="dora@example.com").count() == 1


USERS = "/admin/accounts/customuser/"
RIGHTS = {"is_staff": "on", "is_superuser": "on", "is_active": "on"}


def helper_with(*codenames: str) -> tuple[CustomUser, AdminClient]:
    """Return a user who is no superuser and has these permissions, and a client of theirs."""
    helper = staff_without_rights()
    with acting_as_staff():
        helper.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return helper, admin_client(helper)


def stored(user: CustomUser) -> CustomUser:
    with managing_users():
        return CustomUser.objects.get(pk=user.pk)


def test_staff_cannot_give_themselves_rights(db: None) -> None:
    helper, client = helper_with("view_customuser", "change_customuser")
    assert client.post(f"{USERS}{helper.pk}/change/", {"email": helper.email, **RIGHTS}).status_code == 403
    assert not stored(helper).is_superuser


def test_staff_change_users_but_not_their_rights(alice: Someone) -> None:
    _, client = helper_with("view_customuser", "change_customuser", "add_customuser")
    page = client.get(f"{USERS}{alice.id}/change/").content.decode()
    assert not [name for name in ("is_staff", "is_superuser", "groups", "user_permissions") if f'name="{name}"' in page]
    body = {"email": "renamed@example.com", **RIGHTS, "user_permissions": ["1"], "groups": ["1"]}
    assert client.post(f"{USERS}{alice.id}/change/", body).status_code == 302
    changed = stored(alice.user)
    assert (changed.email, changed.is_staff, changed.is_superuser) == ("renamed@example.com", False, False)
    with acting_as_staff():
        assert not changed.user_permissions.exists()


def test_staff_cannot_touch_accounts_of_staff(db: None) -> None:
    root = superuser()
    _, client = helper_with("view_customuser", "change_customuser")
    before = stored(root).password
    colleague = staff_without_rights("colleague@example.com")
    for user in (root, colleague):
        passwords = {"password1": "another good password", "password2": "another good password", "set-password": "1"}
        assert client.get(f"{USERS}{user.pk}/password/").status_code == 403
        assert client.post(f"{USERS}{user.pk}/password/", passwords).status_code == 403
        assert client.post(f"{USERS}{user.pk}/change/", {"email": "taken@example.com"}).status_code == 403
        assert stored(user).email == user.email
    assert stored(root).password == before


def test_staff_do_not_see_rights_in_the_list_of_users(alice: Someone) -> None:
    _, client = helper_with("view_customuser")
    page = client.get(USERS).content.decode()
    assert "alice@example.com" in page
    assert "column-is_staff" not in page
    assert "is_superuser" not in page
    assert client.get(f"{USERS}?is_superuser__exact=1").status_code == 400
    assert "column-is_staff" in admin_client().get(USERS).content.decode()


def test_groups_are_for_superusers_only(staff: AdminClient) -> None:
    _, client = helper_with("view_group", "add_group", "change_group", "delete_group")
    assert client.get("/admin/auth/group/").status_code == 403
    assert client.post("/admin/auth/group/add/", {"name": "mine"}).status_code == 403
    assert staff.post("/admin/auth/group/add/", {"name": "readers"}).status_code == 302
    assert "readers" in staff.get("/admin/auth/group/").content.decode()


def test_superuser_grants_rights(staff: AdminClient, alice: Someone) -> None:
    body = {"email": "alice@example.com", "is_active": "on", "is_staff": "on"}
    assert staff.post(f"{USERS}{alice.id}/change/", body).status_code == 302
    assert stored(alice.user).is_staff


def test_staff_can_log_in_regardless_of_the_case_of_their_e_mail(staff: Client) -> None:
    assert log_in("ROOT@example.com")["Location"] == "/admin/"


def test_owner_without_a_password_cannot_log_in(alice: Someone) -> None:
    alice.user.set_password(PASSWORD)
    with managing_users():
        alice.user.save()
    assert log_in("alice@example.com").status_code == 200


def test_api_does_not_accept_a_session(staff: Client) -> None:
    client = Client()
    client.cookies = staff.cookies
    assert client.get("/v1/me/").status_code == 401


def test_plural_names_are_spelt_correctly(staff: Client) -> None:
    plurals = [str(model._meta.verbose_name_plural) for model in admin.site._registry]
    assert "webhook deliveries" in plurals
    assert [plural for plural in plurals if re.search(r"[^aeiou]ys$|(s|x|ch)s$", plural)] == []


def test_links_to_set_a_password_are_created_for_others_than_staff_only(alice: Someone) -> None:
    root = superuser()
    _, client = helper_with("view_customuser", "change_customuser")
    chosen = {"action": "create_password_links", "_selected_action": [str(alice.id), str(root.pk)]}
    page = client.post(USERS, chosen, follow=True).content.decode()
    (url,) = re.findall(r"http://localhost:8001(/sign-in/password/\?token=\S+?)<", page)
    assert "alice@example.com" in Client().get(url).content.decode()
