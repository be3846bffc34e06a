"""Endpoints of webhooks and their deliveries."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Scope
from accounts.views import OwnedView
from collections_app import tasks
from collections_app.api import webhook_serializers as serializers
from collections_app.api.errors import NothingToChange, WebhookStatusInvalid
from collections_app.api.parameters import CURSOR, LIMIT, LINK_HEADER
from collections_app.api.validation import validated
from collections_app.webhook_models import DeliveryStatus, WebhookEndpoint
from collections_app.webhooks import endpoints, keys
from paliapi.errors import Problem

# A webhook keeps sending data after the key that created it is revoked, so it needs the scope that creates keys.
_ADMIN_SCOPES: dict[str, Scope | None] = dict.fromkeys(("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"), "admin")
_ID = OpenApiParameter("webhook_id", int, "path", description="The webhook's `id`.")
_DELIVERY_ID = OpenApiParameter("delivery_id", int, "path", description="The delivery's `id`.")
_STATUS = OpenApiParameter(
    "status", str, "query", enum=DeliveryStatus.values, description="Only deliveries with this status; default: all."
)


def _with_secret(row: WebhookEndpoint, *, status: int) -> Response:
    return Response({**serializers.represent_webhook(row), "secret": keys.secret_of(row)}, status=status)


class Webhooks(OwnedView):
    costs: ClassVar = {"GET": 1, "POST": 1}
    query = frozenset({"limit", "cursor"})
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_SCOPES

    @extend_schema(
        operation_id="listWebhooks",
        tags=["webhooks"],
        summary="List webhooks",
        description="Lists all your webhooks, oldest first. Needs the scope `admin` and a key for all collections.",
        parameters=[LIMIT, CURSOR, LINK_HEADER],
        responses=serializers.WebhookOut(many=True),
        examples=[serializers.WEBHOOK],
    )
    def get(self, _request: Request) -> Response:
        page = self.paginate(endpoints.visible_to(self.transaction, self.caller))
        return Response([serializers.represent_webhook(row) for row in page.rows], headers=page.headers)

    @extend_schema(
        operation_id="createWebhook",
        tags=["webhooks"],
        summary="Create a webhook",
        description=(
            "Messages are signed according to Standard Webhooks. The secret is returned only once, in this response. "
            "Needs the scope `admin` and a key for all collections."
        ),
        request=serializers.WebhookIn,
        responses={201: serializers.WebhookWithSecret},
        examples=[serializers.NEW_WEBHOOK, serializers.WITH_SECRET],
    )
    def post(self, request: Request) -> Response:
        body = validated(serializers.WebhookIn, request)
        webhook = endpoints.create(
            self.transaction,
            self.caller,
            url=body["url"],
            description=body.get("description", ""),
            events=body.get("events", serializers.DEFAULT_EVENTS),
        )
        return _with_secret(webhook, status=201)


class WebhookDetail(OwnedView):
    costs: ClassVar = {"GET": 1, "PATCH": 1, "DELETE": 1}
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_SCOPES

    @extend_schema(
        operation_id="getWebhook",
        tags=["webhooks"],
        summary="Get a webhook",
        description="The response does not include the secret. Needs the scope `admin`.",
        parameters=[_ID],
        responses=serializers.WebhookOut,
        examples=[serializers.WEBHOOK],
    )
    def get(self, _request: Request, webhook_id: int) -> Response:
        return Response(serializers.represent_webhook(endpoints.find(self.transaction, self.caller, webhook_id)))

    @extend_schema(
        operation_id="updateWebhook",
        tags=["webhooks"],
        summary="Change, disable or enable a webhook",
        description=(
            "Null means omitted. No new messages are created for a disabled webhook; pending ones are sent once it is "
            "enabled again. Needs the scope `admin`."
        ),
        parameters=[_ID],
        request=serializers.WebhookChange,
        responses=serializers.WebhookOut,
        examples=[serializers.PAUSE, serializers.WEBHOOK],
    )
    def patch(self, request: Request, webhook_id: int) -> Response:
        body = validated(serializers.WebhookChange, request)
        if not body:
            raise NothingToChange
        webhook = endpoints.update(self.transaction, self.caller, webhook_id, endpoints.EndpointUpdate(**body))
        transaction.on_commit(tasks.nudge_courier)
        return Response(serializers.represent_webhook(webhook))

    @extend_schema(
        operation_id="deleteWebhook",
        tags=["webhooks"],
        summary="Delete a webhook",
        description="Deletes its deliveries too; nothing more is sent. Needs the scope `admin`.",
        parameters=[_ID],
        responses={204: None},
    )
    def delete(self, _request: Request, webhook_id: int) -> Response:
        endpoints.delete(self.transaction, self.caller, webhook_id)
        return Response(status=204)


class RotateSecret(OwnedView):
    costs: ClassVar = {"POST": 1}
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_SCOPES

    @extend_schema(
        operation_id="rotateWebhookSecret",
        tags=["webhooks"],
        summary="Rotate the secret of a webhook",
        description=(
            "The new secret is returned only once, in this response. During the overlap, messages carry two "
            "signatures: one with the new secret and one with the old. Needs the scope `admin`."
        ),
        parameters=[_ID],
        request=serializers.SecretRotation,
        responses=serializers.WebhookWithSecret,
        examples=[serializers.ROTATION, serializers.WITH_SECRET],
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        overlap = timedelta(hours=validated(serializers.SecretRotation, request)["overlap_hours"])
        return _with_secret(
            endpoints.rotate_secret(self.transaction, self.caller, webhook_id, overlap=overlap), status=200
        )


class SendTest(OwnedView):
    costs: ClassVar = {"POST": 2}
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_SCOPES
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="testWebhook",
        tags=["webhooks"],
        summary="Send a test message to a webhook",
        description="Sends `webhook.test`, whatever the webhook subscribes to. Its deliveries show the result.",
        parameters=[_ID],
        request=None,
        responses={202: serializers.DeliveryOut},
        examples=[serializers.DELIVERY],
    )
    def post(self, _request: Request, webhook_id: int) -> Response:
        delivery = endpoints.send_test(self.transaction, self.caller, webhook_id)
        transaction.on_commit(tasks.nudge_courier)
        return Response(serializers.represent_delivery(delivery), status=202)


class WebhookDeliveries(OwnedView):
    costs: ClassVar = {"GET": 1}
    query = frozenset({"status", "limit", "cursor"})
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_SCOPES

    @extend_schema(
        operation_id="listWebhookDeliveries",
        tags=["webhooks"],
        summary="List deliveries of a webhook",
        description="Newest first; deliveries are stored for some days. Long lists are paginated by the `Link` header.",
        parameters=[_ID, _STATUS, LIMIT, CURSOR, LINK_HEADER],
        responses=serializers.DeliveryOut(many=True),
        examples=[serializers.DELIVERY],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        rows = endpoints.deliveries(self.transaction, self.caller, webhook_id)
        if status := _status(request):
            rows = rows.filter(status=status)
        page = self.paginate(rows, newest_first=True)
        return Response([serializers.represent_delivery(row) for row in page.rows], headers=page.headers)


class ReplayDelivery(OwnedView):
    costs: ClassVar = {"POST": 2}
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_SCOPES
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="replayWebhookDelivery",
        tags=["webhooks"],
        summary="Resend a message",
        description="Sends it with the same `webhook-id`, even if it was delivered. A pending one is sent at once.",
        parameters=[_ID, _DELIVERY_ID],
        request=None,
        responses={202: serializers.DeliveryOut},
        examples=[serializers.DELIVERY],
    )
    def post(self, _request: Request, webhook_id: int, delivery_id: int) -> Response:
        delivery = endpoints.replay(self.transaction, self.caller, webhook_id, delivery_id)
        transaction.on_commit(tasks.nudge_courier)
        return Response(serializers.represent_delivery(delivery), status=202)


class ColiVarasWebhook(OwnedView):
    """Creation at the path that ColiVara's clients use."""

    costs: ClassVar = {"POST": 1}
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_SCOPES

    @extend_schema(
        operation_id="addWebhookCompatible",
        tags=["webhooks"],
        summary="Create a webhook (ColiVara-compatible)",
        description=(
            "Creates the single webhook of an account, as in ColiVara, for `upsert.success` and `upsert.fail`. Another "
            "call changes its URL, enables it and returns the same secret. Needs the scope `admin`."
        ),
        request=serializers.ColiVarasWebhookIn,
        responses=serializers.ColiVarasWebhookOut,
        examples=[serializers.COLIVARAS, serializers.COLIVARAS_ANSWER],
    )
    def post(self, request: Request) -> Response:
        body = validated(serializers.ColiVarasWebhookIn, request)
        row = endpoints.create_compatible(self.transaction, self.caller, url=body["url"])
        return Response(
            {"app_id": f"owner-{row.owner_id}", "endpoint_id": str(row.pk), "webhook_secret": keys.secret_of(row)}
        )


def _status(request: Request) -> str:
    status: Any = request.query_params.get("status")
    if status is not None and status not in DeliveryStatus.values:
        detail = "status must be one of " + ", ".join(DeliveryStatus.values) + "."
        raise WebhookStatusInvalid(detail, problems=(Problem("/status", WebhookStatusInvalid.code, detail),))
    return status or ""
