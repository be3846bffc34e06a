"""Webhooks over HTTP."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Scope
from accounts.views import OwnedView
from collections_app import tasks
from collections_app.api import webhook_serializers as forms
from collections_app.api.errors import NothingToChange, WebhookStatusInvalid
from collections_app.api.parameters import CURSOR, LIMIT, LINK_HEADER
from collections_app.api.validation import validated
from collections_app.webhook_models import DeliveryStatus, WebhookEndpoint
from collections_app.webhooks import endpoints, keys
from paliapi.errors import Problem
from paliapi.http.paging import paginate

# A webhook goes on telling after its key is revoked, so making one is as much as making a key.
_MANAGING: dict[str, Scope | None] = dict.fromkeys(("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"), "admin")
_ID = OpenApiParameter("webhook_id", int, "path", description="The webhook's `id`.")
_DELIVERY_ID = OpenApiParameter("delivery_id", int, "path", description="The delivery's `id`.")
_STATUS = OpenApiParameter(
    "status", str, "query", enum=DeliveryStatus.values, description="Only those in this state; left out: all."
)


def _with_secret(row: WebhookEndpoint, *, status: int) -> Response:
    return Response({**forms.webhook(row), "secret": keys.secret_of(row)}, status=status)


class Webhooks(OwnedView):
    query = frozenset({"limit", "cursor"})
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING

    @extend_schema(
        operation_id="listWebhooks",
        tags=["webhooks"],
        summary="List your webhooks",
        description="All of them, oldest first. Needs the scope `admin` and a key that reaches every collection.",
        parameters=[LIMIT, CURSOR, LINK_HEADER],
        responses=forms.WebhookOut(many=True),
        examples=[forms.WEBHOOK],
    )
    def get(self, request: Request) -> Response:
        page = paginate(request, endpoints.visible_to(self.transaction, self.caller))
        return Response([forms.webhook(row) for row in page.rows], headers=page.headers)

    @extend_schema(
        operation_id="createWebhook",
        tags=["webhooks"],
        summary="Be told at an address of yours",
        description=(
            "Messages are signed as Standard Webhooks has it. The secret is in the answer, this once. Needs the scope "
            "`admin` and a key that reaches every collection."
        ),
        request=forms.WebhookIn,
        responses={201: forms.WebhookWithSecret},
        examples=[forms.NEW_WEBHOOK, forms.WITH_SECRET],
    )
    def post(self, request: Request) -> Response:
        data = validated(forms.WebhookIn, request)
        made = endpoints.create(
            self.transaction,
            self.caller,
            url=data["url"],
            description=data.get("description", ""),
            events=data.get("events", forms.USUAL_EVENTS),
        )
        return _with_secret(made, status=201)


class WebhookDetail(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING

    @extend_schema(
        operation_id="getWebhook",
        tags=["webhooks"],
        summary="Read one webhook",
        description="Without its secret. Needs the scope `admin`.",
        parameters=[_ID],
        responses=forms.WebhookOut,
        examples=[forms.WEBHOOK],
    )
    def get(self, _request: Request, webhook_id: int) -> Response:
        return Response(forms.webhook(endpoints.find(self.transaction, self.caller, webhook_id)))

    @extend_schema(
        operation_id="updateWebhook",
        tags=["webhooks"],
        summary="Change a webhook, disable it or enable it again",
        description=(
            "Null counts as left out. While it is disabled nothing is written for it; what was pending waits, and is "
            "sent once it is enabled. Needs the scope `admin`."
        ),
        parameters=[_ID],
        request=forms.WebhookChange,
        responses=forms.WebhookOut,
        examples=[forms.PAUSE, forms.WEBHOOK],
    )
    def patch(self, request: Request, webhook_id: int) -> Response:
        data = validated(forms.WebhookChange, request)
        if not data:
            raise NothingToChange
        changed = endpoints.update(self.transaction, self.caller, webhook_id, endpoints.EndpointUpdate(**data))
        transaction.on_commit(tasks.nudge_courier)
        return Response(forms.webhook(changed))

    @extend_schema(
        operation_id="deleteWebhook",
        tags=["webhooks"],
        summary="Delete a webhook",
        description="With its deliveries; nothing more is sent. Needs the scope `admin`.",
        parameters=[_ID],
        responses={204: OpenApiResponse(description="It is deleted.")},
    )
    def delete(self, _request: Request, webhook_id: int) -> Response:
        endpoints.delete(self.transaction, self.caller, webhook_id)
        return Response(status=204)


class RotateSecret(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING

    @extend_schema(
        operation_id="rotateWebhookSecret",
        tags=["webhooks"],
        summary="Give a webhook a new secret",
        description=(
            "The new secret is in the answer, this once. Until the overlap is over, messages carry two signatures: one "
            "of the new secret and one of the old. Needs the scope `admin`."
        ),
        parameters=[_ID],
        request=forms.SecretRotation,
        responses=forms.WebhookWithSecret,
        examples=[forms.ROTATION, forms.WITH_SECRET],
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        overlap = timedelta(hours=validated(forms.SecretRotation, request)["overlap_hours"])
        return _with_secret(
            endpoints.rotate_secret(self.transaction, self.caller, webhook_id, overlap=overlap), status=200
        )


class SendTest(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="testWebhook",
        tags=["webhooks"],
        summary="Send a webhook a message of no consequence",
        description="A `webhook.test`, whatever it wants to be told. What became of it stands in its deliveries.",
        parameters=[_ID],
        request=None,
        responses={202: forms.DeliveryOut},
        examples=[forms.DELIVERY],
    )
    def post(self, _request: Request, webhook_id: int) -> Response:
        written = endpoints.send_test(self.transaction, self.caller, webhook_id)
        transaction.on_commit(tasks.nudge_courier)
        return Response(forms.delivery(written), status=202)


class WebhookDeliveries(OwnedView):
    query = frozenset({"status", "limit", "cursor"})
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING

    @extend_schema(
        operation_id="listWebhookDeliveries",
        tags=["webhooks"],
        summary="Read what was sent to a webhook",
        description="Newest first. They are kept for some days. A long list pages: follow the `Link` header.",
        parameters=[_ID, _STATUS, LIMIT, CURSOR, LINK_HEADER],
        responses=forms.DeliveryOut(many=True),
        examples=[forms.DELIVERY],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        rows = endpoints.deliveries(self.transaction, self.caller, webhook_id)
        if wanted := _status(request):
            rows = rows.filter(status=wanted)
        page = paginate(request, rows, newest_first=True)
        return Response([forms.delivery(row) for row in page.rows], headers=page.headers)


class ReplayDelivery(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="replayWebhookDelivery",
        tags=["webhooks"],
        summary="Send a message again",
        description="With the same `webhook-id`, whatever became of it before. One that waits is tried at once.",
        parameters=[_ID, _DELIVERY_ID],
        request=None,
        responses={202: forms.DeliveryOut},
        examples=[forms.DELIVERY],
    )
    def post(self, _request: Request, webhook_id: int, delivery_id: int) -> Response:
        again = endpoints.replay(self.transaction, self.caller, webhook_id, delivery_id)
        transaction.on_commit(tasks.nudge_courier)
        return Response(forms.delivery(again), status=202)


class ColiVarasWebhook(OwnedView):
    """The same under the address that ColiVara's clients use."""

    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING

    @extend_schema(
        operation_id="addWebhookCompatible",
        tags=["webhooks"],
        summary="Be told at an address of yours (ColiVara's way)",
        description=(
            "Makes the one webhook that an account has in ColiVara, for `upsert.success` and `upsert.fail`. A second "
            "call changes its URL, enables it and answers with the same secret. Needs the scope `admin`."
        ),
        request=forms.ColiVarasWebhookIn,
        responses=forms.ColiVarasWebhookOut,
        examples=[forms.COLIVARAS, forms.COLIVARAS_ANSWER],
    )
    def post(self, request: Request) -> Response:
        data = validated(forms.ColiVarasWebhookIn, request)
        row = endpoints.create_compatible(self.transaction, self.caller, url=data["url"])
        told = {"app_id": f"owner-{row.owner_id}", "endpoint_id": str(row.pk), "webhook_secret": keys.secret_of(row)}
        return Response(told)


def _status(request: Request) -> str:
    wanted: Any = request.query_params.get("status")
    if wanted is not None and wanted not in DeliveryStatus.values:
        detail = "status must be one of " + ", ".join(DeliveryStatus.values) + "."
        raise WebhookStatusInvalid(detail, problems=(Problem("/status", WebhookStatusInvalid.code, detail),))
    return wanted or ""
