"""Request and response bodies of webhooks."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from collections_app.webhook_models import (
    MAX_DESCRIPTION_LENGTH,
    TEST_EVENT,
    DeliveryStatus,
    DisabledReason,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from paliapi.http.serializers import BoundedListField, FlagField, StrictSerializer, TextField, VisibleTextField

MAX_URL_LENGTH = 2000
MAX_OVERLAP_HOURS = 168
DEFAULT_EVENTS = (WebhookEvent.DOCUMENT_READY, WebhookEvent.DOCUMENT_FAILED, WebhookEvent.DOCUMENT_CANCELLED)


_WEBHOOK_COLUMNS = (
    "id",
    "url",
    "description",
    "events",
    "enabled",
    "disabled_at",
    "failing_since",
    "created_at",
    "updated_at",
)
_DELIVERY_COLUMNS = (
    "id",
    "event",
    "status",
    "attempts",
    "attempted_at",
    "took_ms",
    "response_status",
    "response_body",
    "delivered_at",
    "created_at",
)


class URLField(TextField):
    """A URL as text; its destination is checked by the operation."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_URL_LENGTH, **kwargs})


class EventsField(BoundedListField):
    def __init__(self, **kwargs: Any) -> None:
        child = serializers.ChoiceField(choices=WebhookEvent.choices)
        super().__init__(**{"child": child, "min_length": 1, "max_length": len(WebhookEvent), **kwargs})


class WebhookIn(StrictSerializer[WebhookEndpoint]):
    url = URLField(help_text="An http or https URL of a public server.")
    description = VisibleTextField(
        max_length=MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True, allow_null=True, help_text="Free text."
    )
    events = EventsField(
        required=False, allow_null=True, help_text="Events to send; default: all that begin with `document.`."
    )


class WebhookChange(StrictSerializer[WebhookEndpoint]):
    url = URLField(required=False, allow_null=True, help_text="The new URL; the secret stays the same.")
    description = VisibleTextField(
        max_length=MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True, allow_null=True, help_text="Free text."
    )
    events = EventsField(required=False, allow_null=True, help_text="Replaces the whole list.")
    enabled = FlagField(
        required=False,
        allow_null=True,
        help_text="`false`: no new messages are created, and pending ones wait.",
    )


class SecretRotation(StrictSerializer[WebhookEndpoint]):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=MAX_OVERLAP_HOURS,
        required=False,
        default=24,
        help_text="How long messages are also signed with the old secret.",
    )


class ColiVarasWebhookIn(serializers.Serializer[WebhookEndpoint]):
    url = URLField(help_text="An http or https URL of a public server.")


class ColiVarasWebhookOut(serializers.Serializer[WebhookEndpoint]):
    app_id = serializers.CharField(help_text="Fixed for an account.")
    endpoint_id = serializers.CharField(help_text="The id of the webhook, as text.")
    webhook_secret = serializers.CharField(help_text="The secret that signs messages.")


class WebhookOut(serializers.Serializer[dict[str, Any]]):
    id = serializers.IntegerField()
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(choices=WebhookEvent.choices))
    enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(
        choices=DisabledReason.choices, allow_null=True, help_text="Why it is disabled."
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="When the first message since the last success failed."
    )
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when messages are also signed with the old secret."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WebhookWithSecret(WebhookOut):
    secret = serializers.CharField(help_text="The secret that signs messages. Returned only once.")


class DeliveryOut(serializers.Serializer[dict[str, Any]]):
    id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The `webhook-id`, the same for every attempt.")
    event = serializers.ChoiceField(choices=[*WebhookEvent.choices, (TEST_EVENT, TEST_EVENT)])
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    attempts = serializers.IntegerField(help_text="Attempts since it was created or last resent.")
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="When the next attempt is, if it is pending.")
    attempted_at = serializers.DateTimeField(allow_null=True, help_text="When the last attempt was.")
    took_ms = serializers.IntegerField(allow_null=True, help_text="Duration of the last attempt.")
    error = serializers.ChoiceField(
        choices=["refused", "unreachable", "untrusted", "redirected", "rejected"],
        allow_null=True,
        help_text="Why the last attempt failed.",
    )
    response_status = serializers.IntegerField(allow_null=True)
    response_body = serializers.CharField(help_text="The beginning of the last response.")
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


_WEBHOOK = {
    "id": 3,
    "url": "https://example.com/hooks/paliapi",
    "description": "The website",
    "events": ["document.ready", "document.failed"],
    "enabled": True,
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": None,
    "old_secret_until": None,
    "created_at": "2026-11-21T09:30:00Z",
    "updated_at": "2026-11-21T09:30:00Z",
}
_SECRET = "whsec_RVhBTVBMRWV4YW1wbGVFWEFNUExFZXhhbXBsZTEyMzQ="  # noqa: S105 - an example
_DELIVERY = {
    "id": 71,
    "message_id": "msg_6f1c2d9a4b7e4c0c9d53a1e8f2b40771",
    "event": "document.ready",
    "status": "pending",
    "attempts": 2,
    "next_try_at": "2026-11-21T09:35:10Z",
    "attempted_at": "2026-11-21T09:30:06Z",
    "took_ms": 84,
    "error": "rejected",
    "response_status": 503,
    "response_body": "Down for maintenance",
    "delivered_at": None,
    "created_at": "2026-11-21T09:30:00Z",
}

WEBHOOK = OpenApiExample("A webhook", value=_WEBHOOK, response_only=True, status_codes=["200"])
NEW_WEBHOOK = OpenApiExample(
    "For two events",
    value={name: _WEBHOOK[name] for name in ("url", "description", "events")},
    request_only=True,
)
WITH_SECRET = OpenApiExample(
    "With its secret", value={**_WEBHOOK, "secret": _SECRET}, response_only=True, status_codes=["200", "201"]
)
PAUSE = OpenApiExample("Disable", value={"enabled": False}, request_only=True)
ROTATION = OpenApiExample("With two days of overlap", value={"overlap_hours": 48}, request_only=True)
COLIVARAS = OpenApiExample("A URL", value={"url": "https://example.com/hooks/paliapi"}, request_only=True)
COLIVARAS_ANSWER = OpenApiExample(
    "ColiVara-compatible",
    value={"app_id": "owner-1", "endpoint_id": "3", "webhook_secret": _SECRET},
    response_only=True,
)
DELIVERY = OpenApiExample(
    "A delivery that waits for its third attempt", value=_DELIVERY, response_only=True, status_codes=["200", "202"]
)


def represent_webhook(row: WebhookEndpoint) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in _WEBHOOK_COLUMNS}
    fields["disabled_reason"] = row.disabled_reason or None
    fields["old_secret_until"] = row.old_until
    return dict(WebhookOut(fields).data)


def represent_delivery(row: WebhookDelivery) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in _DELIVERY_COLUMNS}
    fields["message_id"] = row.name
    fields["next_try_at"] = row.next_try_at if row.status == DeliveryStatus.PENDING else None
    fields["error"] = row.error or None
    return dict(DeliveryOut(fields).data)
