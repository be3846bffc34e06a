"""What the pages of webhooks have in common."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.access import Scope
from collections_app.api.webhook_serializers import DEFAULT_EVENTS
from collections_app.webhook_models import WebhookEvent
from console.views.forms import FormPage

_ABOUT = {
    WebhookEvent.DOCUMENT_READY: "a document can be searched",
    WebhookEvent.DOCUMENT_FAILED: "processing failed",
    WebhookEvent.DOCUMENT_CANCELLED: "processing was cancelled",
    WebhookEvent.UPSERT_SUCCESS: "as the first, in the form of ColiVara",
    WebhookEvent.UPSERT_FAIL: "as the second, in the form of ColiVara",
}
_FAILURES = {
    "refused": "Its address may not receive webhooks.",
    "unreachable": "It could not be reached in time.",
    "untrusted": "Its certificate is not valid.",
    "redirected": "It answered with a redirect, which is not followed.",
    "rejected": "It answered with an error.",
}


class WebhookPage(FormPage):
    """A page for callers who may manage webhooks."""

    scopes: ClassVar[dict[str, Scope | None]] = dict.fromkeys(("GET", "HEAD", "POST"), "admin")
    section = "webhooks"

    def settings_of(self, serializer_class: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the URL, description and events of the form, validated as the API does."""
        body = {
            "url": self.form.get("url", "").strip(),
            "description": self.form.get("description", ""),
            "events": self.form.getlist("events"),
        }
        serializer = serializer_class(data=body)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def choices(self, chosen: Any = DEFAULT_EVENTS) -> list[tuple[str, str, bool]]:
        """Return each event, when it is sent, and whether it is chosen: in the form, if one was sent."""
        if "url" in self.form:
            chosen = self.form.getlist("events")
        return [(event, _ABOUT[event], event in chosen) for event in WebhookEvent]


def failure_of(delivery: Any) -> str:
    """Return why the last attempt failed, as a sentence; empty if it did not."""
    return _FAILURES.get(delivery.error, "")
