"""Two kinds of admin pages: to be looked at, and those whose rows a verb deletes."""

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

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
    ModelPages = admin.ModelAdmin
else:

    class ModelPages(admin.ModelAdmin, Generic[Row]):
        """As its stub has it: with the model in brackets."""


class ViewOnly(ModelPages[Row]):
    """Lists and pages to look at. Every row has its owner beside it."""

    list_per_page = 50
    # Counting all rows of a large table for a "of n in total" that nobody reads.
    show_full_result_count = False
    ordering: ClassVar[tuple[str | Combinable, ...]] = ("-id",)

    class Media:
        css = {"all": ("collections_app/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    @admin.display(description="owner", ordering="owner__email")
    def owner_link(self, row: Row) -> SafeString:
        return html.link_to(row.owner)


class DeletedByVerb(ViewOnly[Row]):
    """Deleting goes through the verb, so that quotas, files and what is searchable follow."""

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
                    self.delete_as(tx, caller, row)
            except NotFound:
                self.message_user(request, f"{row} was gone already.", messages.WARNING)

    def delete_as(self, tx: OwnerTransaction, caller: Caller, row: Row) -> None:
        raise NotImplementedError
