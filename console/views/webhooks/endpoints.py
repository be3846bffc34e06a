"""The endpoints of webhooks: create, change, disable, test, rotate the secret, delete."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts.ownership import OwnerTransaction, acting_for
from collections_app import tasks
from collections_app.api.webhook_serializers import WebhookChange, WebhookIn
from collections_app.webhook_models import DeliveryStatus, DisabledReason
from collections_app.webhooks import endpoints, keys
from console.views.forms import FormView
from console.views.listing import listing, with_param
from console.views.webhooks.forms import WebhookPage, failure_of

_OVERLAP = timedelta(hours=24)
# The log asks for itself again while a message is about to be sent.
_SOON = timedelta(seconds=30)
_REASONS = {
    DisabledReason.BY_REQUEST: "It was disabled here or through the API.",
    DisabledReason.BY_STAFF: "The operator disabled it.",
    DisabledReason.FAILING: "Every delivery failed for several days. Enable it when the receiver works again.",
    DisabledReason.GONE: "The receiver answered with 410: it does not want messages any more.",
    DisabledReason.SECRET_LOST: "This server has lost the secret. Rotate it, and give the receiver the new one.",
}


class Webhooks(FormView, WebhookPage):
    template = "console/webhooks/list.html"

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        rows = [
            (row, endpoint_url(row.pk), _state(row)) for row in endpoints.visible_to(tx, self.caller).order_by("pk")
        ]
        return self.page(rows=rows, events=self.choices(), limit=settings.ENV.max_webhooks, **context)

    def respond(self) -> HttpResponseBase:
        """Create an endpoint; the response is the only page that shows its secret."""
        body = self.settings_of(WebhookIn)
        with acting_for(self.caller.owner_id) as tx:
            created = endpoints.create(tx, self.caller, **body)
            return self.page(
                template="console/webhooks/secret.html",
                status=201,
                endpoint=created,
                url=endpoint_url(created.pk),
                secret=keys.secret_of(created),
            )


class EndpointPage(WebhookPage):
    template = "console/webhooks/endpoint.html"

    @property
    def endpoint_id(self) -> int:
        return int(self.kwargs["webhook_id"])

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        params = self.request.query_params
        endpoint = endpoints.find(tx, self.caller, self.endpoint_id)
        status = params.get("status", "")
        status = status if status in DeliveryStatus.values else ""
        rows = endpoints.deliveries(tx, self.caller, endpoint.pk)
        rows = rows.filter(status=status) if status else rows
        page = listing(params, rows.defer("payload", "response_body").order_by("-pk"), total=rows.count())
        soon = timezone.now() + _SOON
        return self.page(
            endpoint=endpoint,
            state=_state(endpoint),
            reason=_REASONS.get(DisabledReason(endpoint.disabled_reason)) if endpoint.disabled_reason else "",
            events=self.choices(endpoint.events),
            listing=page,
            rows=[(row, failure_of(row)) for row in page.rows],
            statuses=[
                (key, label, with_param(params, status=key, page=""))
                for key, label in (
                    ("", "All"),
                    ("pending", "Pending"),
                    ("delivered", "Delivered"),
                    ("failed", "Failed"),
                )
            ],
            status_filter=status,
            list_url=endpoint_url(endpoint.pk),
            here=f"{endpoint_url(endpoint.pk)}?{params.urlencode()}",
            is_sending=endpoint.enabled
            and any(row.status == DeliveryStatus.PENDING and row.next_try_at <= soon for row in page.rows),
            **context,
        )


class _ChangedEndpoint(FormView, EndpointPage):
    costs: ClassVar = {"GET": 1, "POST": 1}

    def apply(self, tx: OwnerTransaction) -> None:
        """Change the endpoint."""
        raise NotImplementedError

    def change(self) -> str:
        with acting_for(self.caller.owner_id) as tx:
            self.apply(tx)
        tasks.nudge_courier()
        return endpoint_url(self.endpoint_id)


class ChangedEndpoint(_ChangedEndpoint):
    """Replaces URL, description and events."""

    def apply(self, tx: OwnerTransaction) -> None:
        update = endpoints.EndpointUpdate(**self.settings_of(WebhookChange))
        endpoints.update(tx, self.caller, self.endpoint_id, update)


class SwitchedEndpoint(_ChangedEndpoint):
    """Enables or disables the endpoint."""

    def apply(self, tx: OwnerTransaction) -> None:
        update = endpoints.EndpointUpdate(enabled=self.form.get("enabled") == "yes")
        endpoints.update(tx, self.caller, self.endpoint_id, update)


class TestedEndpoint(_ChangedEndpoint):
    """Sends a test message."""

    costs: ClassVar = {"GET": 1, "POST": 2}

    def apply(self, tx: OwnerTransaction) -> None:
        endpoints.send_test(tx, self.caller, self.endpoint_id)


class ReplayedDelivery(_ChangedEndpoint):
    """Sends a message again."""

    costs: ClassVar = {"GET": 1, "POST": 2}

    def apply(self, tx: OwnerTransaction) -> None:
        endpoints.replay(tx, self.caller, self.endpoint_id, int(self.kwargs["delivery_id"]))


class DeletedEndpoint(_ChangedEndpoint):
    def apply(self, tx: OwnerTransaction) -> None:
        endpoints.delete(tx, self.caller, self.endpoint_id)

    def change(self) -> str:
        super().change()
        return reverse("console-webhooks")


class RotatedSecret(_ChangedEndpoint):
    def respond(self) -> HttpResponseBase:
        """Give the endpoint a new secret, which only this response shows; the old one signs for another day."""
        with acting_for(self.caller.owner_id) as tx:
            endpoint = endpoints.rotate_secret(tx, self.caller, self.endpoint_id, overlap=_OVERLAP)
            return self.page(
                template="console/webhooks/secret.html",
                endpoint=endpoint,
                url=endpoint_url(endpoint.pk),
                secret=keys.secret_of(endpoint),
                old_until=endpoint.old_until,
            )


def endpoint_url(endpoint_id: int) -> str:
    return reverse("console-webhook", args=[endpoint_id])


def _state(endpoint: Any) -> tuple[str, str]:
    """Return the class of the badge, and its text."""
    if not endpoint.enabled:
        return "cancelled", "Disabled"
    return ("failed", "Failing") if endpoint.failing_since else ("ready", "Enabled")
