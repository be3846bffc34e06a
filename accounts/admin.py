"""The admin pages of users, keys and usage. None of them shows a secret or a digest."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import key_lifecycle
from accounts.models import ApiKey, ApiKeyQuerySet, CustomUser, Usage
from accounts.ownership import acting_for
from accounts.sign_in_links import create_password_link

if TYPE_CHECKING:
    ApiKeyPages = admin.ModelAdmin[ApiKey]
    UsagePages = admin.ModelAdmin[Usage]
    UserPages = UserAdmin[CustomUser]
    NewUser = AdminUserCreationForm[CustomUser]
    ChangedUser = UserChangeForm[CustomUser]
else:
    ApiKeyPages = UsagePages = admin.ModelAdmin
    UserPages, NewUser, ChangedUser = UserAdmin, AdminUserCreationForm, UserChangeForm

# They are shown in a cookie, once.
MAX_PASSWORD_LINKS = 5


class NewUserForm(NewUser):
    class Meta:
        model = CustomUser
        fields = ("email",)


class ChangedUserForm(ChangedUser):
    class Meta:
        model = CustomUser
        fields = "__all__"


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, CustomUser) and request.user.is_superuser


def _owner_link(row: ApiKey | Usage) -> SafeString:
    address = reverse("admin:accounts_customuser_change", args=[row.owner_id])
    return format_html('<a href="{}">{}</a>', address, row.owner.email)


@admin.register(CustomUser)
class CustomUserAdmin(UserPages):
    """Users can be deactivated but not deleted here: deleting one would silently delete all their documents.

    Only superusers see and grant rights, and change the accounts of staff: others could give themselves any right, or
    log in as a user who has it.
    """

    form = ChangedUserForm
    add_form = NewUserForm
    list_display = ("email", "is_active", "is_staff", "last_login", "date_joined", "keys", "usage_link")
    list_filter = ("is_active", "is_staff", "is_superuser", "date_joined")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Name", {"fields": ("first_name", "last_name")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Important dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    actions = ("create_password_links",)
    rights = frozenset({"is_staff", "is_superuser", "groups", "user_permissions"})

    def get_fieldsets(self, request: HttpRequest, obj: CustomUser | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if _is_superuser(request):
            return fieldsets
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in self.rights]})
            for title, options in fieldsets
        ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in super().get_list_display(request) if _is_superuser(request) or name not in self.rights]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [name for name in super().get_list_filter(request) if _is_superuser(request) or name not in self.rights]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        if not _is_superuser(request) and lookup.split("__")[0] in self.rights:
            return False
        return super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request: HttpRequest, obj: CustomUser | None = None) -> bool:
        if obj is not None and (obj.is_staff or obj.is_superuser) and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: CustomUser | None = None) -> bool:
        return False

    @admin.action(description="Create links to set a password", permissions=["change"])
    def create_password_links(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        """Show a link for each selected user: to invite them, or because they forgot their password."""
        for user in queryset.filter(is_active=True)[:MAX_PASSWORD_LINKS]:
            if self.has_change_permission(request, user):
                self.message_user(
                    request, f"For {user.email}, once, within seven days: {create_password_link(user.pk)}"
                )

    @admin.display(description="API keys")
    def keys(self, user: CustomUser) -> SafeString:
        address = reverse("admin:accounts_apikey_changelist")
        return format_html('<a href="{}?owner__id__exact={}">keys</a>', address, user.pk)

    @admin.display(description="usage")
    def usage_link(self, user: CustomUser) -> SafeString:
        address = reverse("admin:accounts_usage_changelist")
        return format_html('<a href="{}?owner__id__exact={}">usage</a>', address, user.pk)


admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(GroupAdmin):
    """Groups of rights, for superusers only: a change of a group changes the rights of its members."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "active"), ("expired", "expired"), ("revoked", "revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        return queryset.in_state(state) if state and isinstance(queryset, ApiKeyQuerySet) else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ApiKeyPages):
    """Lists and revokes keys. They are created through the API or the command line, by the person who will use them."""

    list_display = ("hint", "owner_link", "name", "scopes", "state", "last_used_at", "expires_at", "created_at")
    list_filter = (StateFilter, "last_used_at", "expires_at", "created_at")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "name", "public_id", "=last4")
    ordering = ("-id",)
    date_hierarchy = "created_at"
    actions = ("revoke_selected",)
    fields = (
        "hint",
        "owner_link",
        "name",
        "scopes",
        "collections",
        "state",
        "expires_at",
        "last_used_at",
        "last_used_address",
        "revoked_at",
        "minted_by",
        "rotated_from",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name != "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    @admin.display(description="owner", ordering="owner__email")
    def owner_link(self, key: ApiKey) -> SafeString:
        return _owner_link(key)

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, selected: QuerySet[ApiKey]) -> None:
        for key in selected:
            with acting_for(key.owner_id) as tx:
                key_lifecycle.revoke(tx, key)
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"{len(selected)} revoked.", messages.SUCCESS)


@admin.register(Usage)
class UsageAdmin(UsagePages):
    """How much each owner stores, and any limits set for that owner alone."""

    list_display = (
        "owner_link",
        "collections",
        "documents",
        "pages",
        "bytes_display",
        "max_collections",
        "max_documents",
        "max_pages",
        "max_bytes_display",
    )
    list_select_related = ("owner",)
    search_fields = ("owner__email",)
    ordering = ("owner__email",)
    autocomplete_fields = ("owner",)
    fields = (
        "owner",
        "collections",
        "documents",
        "pages",
        "bytes",
        "max_collections",
        "max_documents",
        "max_pages",
        "max_bytes",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Usage | None = None) -> tuple[str, ...]:
        counted = ("collections", "documents", "pages", "bytes")
        return (*counted, "owner") if obj else counted

    def has_delete_permission(self, request: HttpRequest, obj: Usage | None = None) -> bool:
        return False

    @admin.display(description="bytes", ordering="bytes")
    def bytes_display(self, usage: Usage) -> str:
        return filesizeformat(usage.bytes)

    @admin.display(description="max bytes", ordering="max_bytes")
    def max_bytes_display(self, usage: Usage) -> str | None:
        return None if usage.max_bytes is None else filesizeformat(usage.max_bytes)

    @admin.display(description="owner", ordering="owner__email")
    def owner_link(self, usage: Usage) -> SafeString:
        return _owner_link(usage)
