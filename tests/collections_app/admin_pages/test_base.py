"""The two kinds of admin pages."""

from typing import Any

import pytest
from django.contrib import admin, messages
from django.test import RequestFactory

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_as_staff
from collections_app.admin_pages.base import DeletableAdmin, ReadOnlyAdmin
from collections_app.models import Collection
from paliapi.errors import NotFound
from tests.admin_client import superuser
from tests.cast import Someone


class CollectionPages(DeletableAdmin[Collection]):
    readonly_fields = fields = ("name", "vectors_seq")
    labels = {"vectors_seq": "Version"}

    def __init__(self, *, is_gone: bool = False) -> None:
        super().__init__(Collection, admin.site)
        self.is_gone = is_gone
        self.deleted: list[tuple[int, str, str]] = []
        self.messages: list[tuple[str, int]] = []

    def delete_row(self, tx: OwnerTransaction, caller: Caller, row: Collection) -> None:
        if self.is_gone:
            raise NotFound
        self.deleted.append((tx.owner_id, caller.email, row.name))

    def message_user(self, request: Any, message: Any, level: Any = messages.INFO, *_: Any, **__: Any) -> None:
        self.messages.append((message, level))


@pytest.fixture
def request_of_superuser(db: None) -> Any:
    request = RequestFactory().get("/")
    request.user = superuser()
    return request


@pytest.fixture
def collection(alice: Someone) -> Collection:
    with acting_as_staff():
        return Collection.objects.create(owner_id=alice.id, name="reports")


def test_rows_cannot_be_added_or_changed(request_of_superuser: Any) -> None:
    pages = CollectionPages()
    assert not pages.has_add_permission(request_of_superuser)
    assert not pages.has_change_permission(request_of_superuser)
    assert pages.has_delete_permission(request_of_superuser)
    assert not ReadOnlyAdmin(Collection, admin.site).has_delete_permission(request_of_superuser)


def test_labels_replace_those_of_the_model(request_of_superuser: Any) -> None:
    meta = CollectionPages().get_form(request_of_superuser)._meta
    assert meta.labels == {"vectors_seq": "Version"}


def test_rows_are_deleted_in_a_transaction_of_their_owner(
    request_of_superuser: Any, alice: Someone, collection: Collection
) -> None:
    pages = CollectionPages()
    with acting_as_staff():
        pages.delete_model(request_of_superuser, collection)
        pages.delete_queryset(request_of_superuser, Collection.objects.all())
    assert pages.deleted == [(alice.id, "alice@example.com", "reports")] * 2


def test_row_that_is_already_deleted_is_reported(request_of_superuser: Any, collection: Collection) -> None:
    pages = CollectionPages(is_gone=True)
    with acting_as_staff():
        pages.delete_model(request_of_superuser, collection)
    assert pages.messages == [("reports was already deleted.", messages.WARNING)]
