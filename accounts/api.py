"""The endpoints of keys and usage."""

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
from accounts.views import OwnedView, ParameterInvalid
from paliapi.errors import Problem

_ADMIN_ONLY: dict[str, Scope | None] = dict.fromkeys(("GET", "HEAD", "OPTIONS", "POST", "DELETE"), "admin")
_PAGING = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1}, description="The maximum number of keys to return."),
    OpenApiParameter("cursor", str, description="The page to return, from the `Link` header of the previous response."),
]
_DESCENDANTS = "descendants"
_WITH = OpenApiParameter(
    "with",
    str,
    "query",
    enum=[_DESCENDANTS],
    description="`descendants`: also revoke every key that this one created, that those created, and so on.",
)
_KEY_ID = OpenApiParameter("key_id", int, "path", description="The key's `id`, as in the list of keys.")


class MeView(OwnedView):
    costs: ClassVar = {"GET": 1}
    scopes: ClassVar[dict[str, Scope | None]] = {"GET": None}
    query: ClassVar[frozenset[str]] = frozenset()

    @extend_schema(
        operation_id="getMe",
        tags=["keys"],
        summary="Get the account of the key",
        description="Returns the account that the key belongs to and what the key permits. A good first call.",
        responses=MeOut,
        examples=[openapi_examples.ME],
    )
    def get(self, _request: Request) -> Response:
        key = key_lifecycle.own_key(self.transaction, self.caller)
        rights = {"scopes": key.scopes, "collections": key.collections, "expires_at": key.expires_at}
        return Response(MeOut({**rights, "email": self.caller.email, "key_id": key.pk, "key_name": key.name}).data)


class KeysView(OwnedView):
    costs: ClassVar = {"GET": 1, "POST": 1}
    query: ClassVar[frozenset[str]] = frozenset({"limit", "cursor"})
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_ONLY
    extra_statuses: ClassVar[dict[str, set[int]]] = {"GET": {422}}

    @extend_schema(
        operation_id="listKeys",
        tags=["keys"],
        summary="List the keys of the account",
        description=(
            "Lists all keys that reach no further than the key in use, including expired and revoked ones. "
            "Requires the scope `admin`."
        ),
        parameters=_PAGING,
        responses=KeyOut(many=True),
        examples=[openapi_examples.KEY],
    )
    def get(self, _request: Request) -> Response:
        page = self.paginate(ApiKey.objects.manageable_by(self.caller))
        return Response(KeyOut(page.rows, many=True).data, headers=page.headers)

    @extend_schema(
        operation_id="createKey",
        tags=["keys"],
        summary="Create a key",
        description=(
            "Returns the whole key, which is never shown again. A key cannot grant more than it has itself: scopes, "
            "collections and lifetime. Requires the scope `admin`.\n\nA key is restricted to collections *by name*: it "
            "reaches any collection that has such a name, now or later, and does not follow a renamed collection."
        ),
        request=KeyIn,
        responses={201: KeyMinted},
        examples=[openapi_examples.NEW_KEY, openapi_examples.MINTED],
    )
    def post(self, request: Request) -> Response:
        body = KeyIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        own = Rights.of(self.caller)
        names = data.get("collections", own.collections)
        rights = Rights(
            scopes=frozenset(data["scopes"]),
            collections=None if names is None else frozenset(names),
            expires_at=data.get("expires_at", own.expires_at),
        )
        return _minted_response(key_lifecycle.mint_for(self.transaction, self.caller, rights=rights, name=data["name"]))


class KeyView(OwnedView):
    costs: ClassVar = {"DELETE": 1}
    query: ClassVar[frozenset[str]] = frozenset({"with"})
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_ONLY
    extra_statuses: ClassVar[dict[str, set[int]]] = {"DELETE": {422}}

    @extend_schema(
        operation_id="revokeKey",
        tags=["keys"],
        summary="Revoke a key",
        description=(
            "Ends the key at once and for good, even the key in use. After a leak, `with=descendants` also ends all "
            "keys that exist because of it (`minted_by`), in one step. Requires the scope `admin`."
        ),
        parameters=[_KEY_ID, _WITH],
        responses={204: OpenApiResponse(description="Revoked.")},
    )
    def delete(self, request: Request, key_id: int) -> Response:
        extent = request.query_params.get("with")
        if extent not in {None, _DESCENDANTS}:
            problem = Problem("/with", ParameterInvalid.code, f"Must be `{_DESCENDANTS}`.")
            raise ParameterInvalid(problems=(problem,))
        key = key_lifecycle.find(self.transaction, self.caller, key_id=key_id)
        key_lifecycle.revoke(self.transaction, key, with_descendants=extent == _DESCENDANTS)
        return Response(status=204)


class KeyRotationView(OwnedView):
    costs: ClassVar = {"POST": 1}
    query: ClassVar[frozenset[str]] = frozenset()
    scopes: ClassVar[dict[str, Scope | None]] = _ADMIN_ONLY
    extra_statuses: ClassVar[dict[str, set[int]]] = {"POST": {409}}

    @extend_schema(
        operation_id="rotateKey",
        tags=["keys"],
        summary="Replace a key",
        description=(
            "Creates a key with the same rights and expires the old one after `overlap_hours`. If the old key has an "
            "expiry date, the new key has the same one. The key in use must have all rights of the old key and expire "
            "no earlier. Requires the scope `admin`."
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
        return _minted_response(key_lifecycle.rotate(self.transaction, self.caller, key_id=key_id, overlap=overlap))


class UsageView(OwnedView):
    costs: ClassVar = {"GET": 1}
    scopes: ClassVar[dict[str, Scope | None]] = {"GET": None}
    query: ClassVar[frozenset[str]] = frozenset()

    @extend_schema(
        operation_id="getUsage",
        tags=["keys"],
        summary="Get usage and limits",
        description=(
            "Returns how much the account stores, its quotas, and the rate limits of its keys. A key that is "
            "restricted to collections gets null for what is stored."
        ),
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
        usage = asdict(quotas.usage(self.transaction))
        if self.caller.collections is not None:
            usage |= dict.fromkeys(("collections", "documents", "pages", "bytes"))  # they count all collections
        return Response(UsageOut({**usage, **rates}).data)


def _minted_response(minted: Minted) -> Response:
    data: dict[str, Any] = {**KeyOut(minted.key).data, "key": minted.text}
    return Response(data, status=201)
