"""What the routes of webhooks read and write."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from collections_app.webhook_models import (
    LONGEST_DESCRIPTION,
    TEST,
    DeliveryStatus,
    Event,
    WebhookDelivery,
    WebhookEndpoint,
    WhyDisabled,
)
from paliapi.http.serializers import FlagField, StrictSerializer, TextField

LONGEST_URL = 2000
LONGEST_OVERLAP_H = 168
USUAL_EVENTS = (Event.DOCUMENT_READY, Event.DOCUMENT_FAILED, Event.DOCUMENT_CANCELLED)


class URLField(TextField):
    """Only its shape; where it leads is for the verb to judge."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LONGEST_URL, **kwargs})


class EventsField(serializers.ListField):
    def __init__(self, **kwargs: Any) -> None:
        child = serializers.ChoiceField(choices=Event.choices)
        super().__init__(**{"child": child, "min_length": 1, "max_length": len(Event), **kwargs})


class WebhookIn(StrictSerializer[WebhookEndpoint]):
    url = URLField(help_text="An http or https URL of a public server.")
    description = TextField(
        max_length=LONGEST_DESCRIPTION, required=False, allow_blank=True, allow_null=True, help_text="For you."
    )
    events = EventsField(
        required=False, allow_null=True, help_text="What to be told; left out: all that begins with `document.`."
    )


class WebhookChange(StrictSerializer[WebhookEndpoint]):
    url = URLField(required=False, allow_null=True, help_text="Where to send to from now on; the secret stays.")
    description = TextField(
        max_length=LONGEST_DESCRIPTION, required=False, allow_blank=True, allow_null=True, help_text="For you."
    )
    events = EventsField(required=False, allow_null=True, help_text="Replaces the list as a whole.")
    enabled = FlagField(
        required=False,
        allow_null=True,
        help_text="false: nothing is written for it any more, and what is pending waits.",
    )


class SecretRotation(StrictSerializer[WebhookEndpoint]):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP_H,
        required=False,
        default=24,
        help_text="How long messages are signed with the old secret too.",
    )


class ColiVarasWebhookIn(serializers.Serializer[WebhookEndpoint]):
    url = URLField(help_text="An http or https URL of a public server.")


class ColiVarasWebhookOut(serializers.Serializer[WebhookEndpoint]):
    app_id = serializers.CharField(help_text="Always the same for an account.")
    endpoint_id = serializers.CharField(help_text="The id of the webhook, as text.")
    webhook_secret = serializers.CharField(help_text="What messages are signed with.")


class WebhookOut(serializers.Serializer[dict[str, Any]]):
    id = serializers.IntegerField()
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(choices=Event.choices))
    enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(
        choices=WhyDisabled.choices, allow_null=True, help_text="Why nothing is sent to it."
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="When it first did not take a message, with no success since."
    )
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when messages are signed with the old secret too."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WebhookWithSecret(WebhookOut):
    secret = serializers.CharField(help_text="What messages are signed with. It is shown this once.")


class DeliveryOut(serializers.Serializer[dict[str, Any]]):
    id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The `webhook-id`; the same at every attempt.")
    event = serializers.ChoiceField(choices=[*Event.choices, (TEST, TEST)])
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    attempts = serializers.IntegerField(help_text="Since it was written or last sent again by hand.")
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="Where it is pending.")
    attempted_at = serializers.DateTimeField(allow_null=True, help_text="When it was last tried.")
    took_ms = serializers.IntegerField(allow_null=True, help_text="How long the last attempt took.")
    error = serializers.ChoiceField(
        choices=["refused", "unreachable", "untrusted", "redirected", "rejected"],
        allow_null=True,
        help_text="Why the last attempt failed.",
    )
    response_status = serializers.IntegerField(allow_null=True)
    response_body = serializers.CharField(help_text="How the last answer begins.")
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
PAUSE = OpenApiExample("Send nothing for a while", value={"enabled": False}, request_only=True)
ROTATION = OpenApiExample("With two days to change over", value={"overlap_hours": 48}, request_only=True)
COLIVARAS = OpenApiExample("An address", value={"url": "https://example.com/hooks/paliapi"}, request_only=True)
COLIVARAS_ANSWER = OpenApiExample(
    "As ColiVara answers",
    value={"app_id": "owner-1", "endpoint_id": "3", "webhook_secret": _SECRET},
    response_only=True,
)
DELIVERY = OpenApiExample(
    "A delivery that waits for its third try", value=_DELIVERY, response_only=True, status_codes=["200", "202"]
)


def webhook(row: WebhookEndpoint) -> dict[str, Any]:
    same = ("id", "url", "description", "events", "enabled", "disabled_at", "failing_since", "created_at", "updated_at")
    told = {name: getattr(row, name) for name in same}
    return dict(
        WebhookOut({**told, "disabled_reason": row.disabled_reason or None, "old_secret_until": row.old_until}).data
    )


def delivery(row: WebhookDelivery) -> dict[str, Any]:
    same = ("id", "event", "status", "attempts", "attempted_at", "took_ms", "response_status", "response_body")
    told = {name: getattr(row, name) for name in (*same, "delivered_at", "created_at")}
    told["message_id"] = row.name
    told["next_try_at"] = row.next_try_at if row.status == DeliveryStatus.PENDING else None
    told["error"] = row.error or None
    return dict(DeliveryOut(told).data)
