"""Webhooks in the admin: endpoints, messages and the results of their delivery. No page shows a secret."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app import tasks
from collections_app.admin_pages import columns, html
from collections_app.admin_pages.base import ReadOnlyAdmin
from collections_app.webhook_models import DisabledReason, WebhookDelivery, WebhookEndpoint
from collections_app.webhooks import endpoints
from collections_app.webhooks.errors import WebhookDisabled


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin[WebhookEndpoint]):
    list_display = ("__str__", "owner_link", "events", "state", "failing_since", "deliveries_link", "created_at")
    list_filter = ("enabled", "disabled_reason", "created_at")
    list_select_related = ("owner",)
    search_fields = ("url", "description", "owner__email")
    actions = ("disable_selected",)
    fields = (
        "url",
        "owner_link",
        "description",
        "events",
        "compatible",
        "state",
        "disabled_at",
        "failing_since",
        "failures",
        "rest_until",
        "deliveries_link",
        "old_until",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields
    labels = {"compatible": "ColiVara format", "rest_until": "Paused until", "old_until": "Old secret valid until"}

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("collections_app.change_webhookendpoint"))

    @admin.action(description="Disable selected webhooks", permissions=["disable"])
    def disable_selected(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in rows:
            endpoints.disable(endpoint, reason=DisabledReason.BY_STAFF)
            self.log_change(request, endpoint, "Disabled.")
        self.message_user(request, f"Webhooks disabled: {len(rows)}.", messages.SUCCESS)

    @admin.display(description="state", ordering="enabled")
    def state(self, row: WebhookEndpoint) -> SafeString:
        if not row.enabled:
            return format_html('<span class="state state-failed">disabled</span> {}', row.disabled_reason)
        style, label = ("failed", "failing") if row.failures else ("ready", "enabled")
        return format_html('<span class="state state-{}">{}</span>', style, label)

    @admin.display(description="deliveries")
    def deliveries_link(self, row: WebhookEndpoint) -> SafeString:
        return html.link_to_list(WebhookDelivery, "deliveries", endpoint__id__exact=row.pk)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin[WebhookDelivery]):
    list_display = (
        "id",
        "event",
        "endpoint_link",
        "owner_link",
        "state",
        "attempts",
        "response_status",
        "error",
        "attempted_at",
        "next_try_at",
        "created_at",
    )
    list_filter = ("status", "event", "error", "created_at")
    list_select_related = ("owner", "endpoint")
    search_fields = ("owner__email", "endpoint__url", "=id")
    actions = ("replay_selected",)
    fields = (
        "id",
        "name",
        "event",
        "endpoint_link",
        "owner_link",
        "state",
        "attempts",
        "attempted_at",
        "took_ms",
        "response_status",
        "error",
        "response",
        "next_try_at",
        "delivered_at",
        "payload_shown",
        "created_at",
    )
    readonly_fields = fields
    labels = {"next_try_at": "Next attempt at", "took_ms": "Duration (ms)"}

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("collections_app.change_webhookdelivery"))

    @admin.action(description="Resend selected messages", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, rows: QuerySet[WebhookDelivery]) -> None:
        resent = 0
        for row in rows.select_related("owner"):
            caller = Caller.of_owner(row.owner_id, email=row.owner.email)
            try:
                with acting_for(row.owner_id) as tx:
                    endpoints.replay(tx, caller, row.endpoint_id, row.pk)
            except WebhookDisabled:
                self.message_user(request, f"{row} was not resent, because its webhook is disabled.", messages.WARNING)
                continue
            self.log_change(request, row, "Resent.")
            resent += 1
        transaction.on_commit(tasks.nudge_courier)
        self.message_user(request, f"Messages to be resent: {resent}.", messages.SUCCESS)

    @admin.display(description="webhook-id")
    def name(self, row: WebhookDelivery) -> str:
        return row.name

    endpoint_link = columns.link("webhook", lambda delivery: delivery.endpoint)

    @admin.display(description="status", ordering="status")
    def state(self, row: WebhookDelivery) -> SafeString:
        style = {"delivered": "ready", "failed": "failed"}.get(row.status, "queued")
        return format_html('<span class="state state-{}">{}</span>', style, row.status)

    @admin.display(description="response")
    def response(self, row: WebhookDelivery) -> SafeString:
        return html.text(row.response_body)

    payload_shown = columns.json("payload", lambda delivery: delivery.payload)
