"""The doors to keys and usage."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import key_lifecycle, openapi_examples, quotas
from accounts.access import Scope
from accounts.key_lifecycle import Minted, Rights
from accounts.models import ApiKey
from accounts.serializers import KeyIn, KeyMinted, KeyOut, MeOut, RotationIn, UsageOut
from accounts.views import OwnedView
from paliapi.http.paging import paginate

_MANAGING: dict[str, Scope | None] = dict.fromkeys(("GET", "HEAD", "OPTIONS", "POST", "DELETE"), "admin")
_PAGING = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1}, description="The most keys to answer with."),
    OpenApiParameter("cursor", str, description="Where to go on, from the `Link` header of the answer before."),
]
_KEY_ID = OpenApiParameter("key_id", int, "path", description="The key's `id`, as in the list of keys.")


class Me(OwnedView):
    scopes: ClassVar[dict[str, Scope | None]] = {"GET": None}
    query: ClassVar[frozenset[str]] = frozenset()

    @extend_schema(
        operation_id="getMe",
        tags=["keys"],
        summary="Say whose key this is",
        description="The account that the key belongs to, and what the key may do. A good first call.",
        responses=MeOut,
        examples=[openapi_examples.ME],
    )
    def get(self, _request: Request) -> Response:
        caller = self.caller
        key = key_lifecycle.own_key(caller)
        return Response(MeOut({**_rights(key), "email": caller.email, "key_id": key.pk, "key_name": key.name}).data)


class Keys(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset({"limit", "cursor"})
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING
    also_answers: ClassVar[dict[str, set[int]]] = {"GET": {422}}

    @extend_schema(
        operation_id="listKeys",
        tags=["keys"],
        summary="List the keys of the account",
        description="All keys that reach no further than the key in use, ended ones too. Needs the scope `admin`.",
        parameters=_PAGING,
        responses=KeyOut(many=True),
        examples=[openapi_examples.KEY],
    )
    def get(self, request: Request) -> Response:
        page = paginate(request, ApiKey.objects.manageable_by(self.caller))
        return Response(KeyOut(page.rows, many=True).data, headers=page.headers)

    @extend_schema(
        operation_id="createKey",
        tags=["keys"],
        summary="Make a key",
        description=(
            "The whole key is in the answer, this once. A key gives at most what it has itself: scopes, collections "
            "and time. Needs the scope `admin`.\n\nA key is limited to collections *by name*: it reaches whatever has "
            "such a name now or later, and follows no renaming."
        ),
        request=KeyIn,
        responses={201: KeyMinted},
        examples=[openapi_examples.NEW_KEY, openapi_examples.MINTED],
    )
    def post(self, request: Request) -> Response:
        body = KeyIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        own = Rights.of(self.caller)
        names = given.get("collections", own.collections)
        rights = Rights(
            scopes=frozenset(given["scopes"]),
            collections=None if names is None else frozenset(names),
            expires_at=given.get("expires_at", own.expires_at),
        )
        return _shown_once(key_lifecycle.mint_for(self.caller, rights=rights, name=given["name"]))


class Key(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING

    @extend_schema(
        operation_id="revokeKey",
        tags=["keys"],
        summary="Revoke a key",
        description="The key ends at once and for ever; it may be the one in use. Needs the scope `admin`.",
        parameters=[_KEY_ID],
        responses={204: OpenApiResponse(description="It is revoked.")},
    )
    def delete(self, _request: Request, key_id: int) -> Response:
        key_lifecycle.revoke(key_lifecycle.find(self.caller, key_id=key_id))
        return Response(status=204)


class Rotation(OwnedView):
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _MANAGING
    also_answers: ClassVar[dict[str, set[int]]] = {"POST": {409}}

    @extend_schema(
        operation_id="rotateKey",
        tags=["keys"],
        summary="Replace a key",
        description=(
            "Makes a key with the same rights, and ends the old one after `overlap_hours`. A key that ends at some "
            "time is replaced by one that ends at the same time. Only a key that may do all the old one may, for as "
            "long, can replace it. Needs the scope `admin`."
        ),
        parameters=[_KEY_ID],
        request=RotationIn,
        responses={201: KeyMinted},
        examples=[openapi_examples.ROTATION, openapi_examples.SUCCESSOR],
    )
    def post(self, request: Request, key_id: int) -> Response:
        body = RotationIn(data=request.data)
        body.is_valid(raise_exception=True)
        overlap = timedelta(hours=body.validated_data["overlap_hours"])
        return _shown_once(key_lifecycle.rotate(self.caller, key_id=key_id, overlap=overlap))


class UsageView(OwnedView):
    scopes: ClassVar[dict[str, Scope | None]] = {"GET": None}
    query: ClassVar[frozenset[str]] = frozenset()

    @extend_schema(
        operation_id="getUsage",
        tags=["keys"],
        summary="Say how much is kept, and the limits",
        description="What the account keeps and may keep, and how often its keys may call.",
        responses=UsageOut,
        examples=[openapi_examples.USAGE],
    )
    def get(self, _request: Request) -> Response:
        env = settings.ENV
        rates = {
            "requests_per_minute": env.rate_per_minute,
            "requests_at_once": env.rate_burst,
            "searches_at_once": env.max_concurrent_searches,
            "uploads_at_once": env.max_concurrent_uploads,
        }
        return Response(UsageOut({**asdict(quotas.usage(self.caller.owner_id)), **rates}).data)


def _rights(key: ApiKey) -> dict[str, Any]:
    return {"scopes": key.scopes, "collections": key.collections, "expires_at": key.expires_at}


def _shown_once(minted: Minted) -> Response:
    return Response({**KeyOut(minted.key).data, "key": minted.text}, status=201)
