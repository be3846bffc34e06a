"""Two kinds of admin pages: read-only ones, and those that can also delete rows."""

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from collections_app.admin_pages import html
from collections_app.owned import Owned
from paliapi.errors import NotFound

Row = TypeVar("Row", bound=Owned)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:

    class ModelAdmin(admin.ModelAdmin, Generic[Row]):
        """Django's class, which is generic in its type stubs only."""


class ReadOnlyAdmin(ModelAdmin[Row]):
    """Pages that list and show rows. Every row shows its owner."""

    list_per_page = 50
    # Counting every row of a large table is slow.
    show_full_result_count = False
    ordering: ClassVar[tuple[str | Combinable, ...]] = ("-id",)
    # Labels of fields whose names in the model are not meant for staff.
    labels: ClassVar[dict[str, str]] = {}

    class Media:
        css = {"all": ("collections_app/admin.css",)}

    def get_form(
        self,
        request: HttpRequest,
        obj: Row | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        return super().get_form(request, obj, change, labels=self.labels, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    @admin.display(description="owner", ordering="owner__email")
    def owner_link(self, row: Row) -> SafeString:
        return html.link_to(row.owner)


class DeletableAdmin(ReadOnlyAdmin[Row]):
    """Pages that delete rows with the operations of the API, so that quotas, files and indexes stay correct."""

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: Row) -> None:
        self._delete(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Row]) -> None:
        self._delete(request, list(queryset.select_related("owner")))

    def _delete(self, request: HttpRequest, rows: list[Row]) -> None:
        for row in rows:
            caller = Caller.of_owner(row.owner_id, email=row.owner.email)
            try:
                with acting_for(row.owner_id) as tx:
                    self.delete_row(tx, caller, row)
            except NotFound:
                self.message_user(request, f"{row} was already deleted.", messages.WARNING)

    def delete_row(self, tx: OwnerTransaction, caller: Caller, row: Row) -> None:
        """Delete the row on behalf of its owner; raise NotFound if it no longer exists."""
        raise NotImplementedError
