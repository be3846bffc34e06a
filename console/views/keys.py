"""The keys of the account: create, rotate, revoke, and when each was last used."""

import re
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from rest_framework.request import Request

from accounts import key_lifecycle
from accounts.access import SCOPES, Scope
from accounts.key_lifecycle import Minted, Rights
from accounts.models import ApiKey
from accounts.serializers import KeyIn
from console.views.base import ConsoleView

PAGE_LENGTH = 100
# Days until a new key expires, as offered; the API accepts any moment.
LIFETIMES = (30, 90, 365)
_OVERLAP = timedelta(hours=24)

_ABOUT = {
    "read": "look at documents, pages and collections",
    "write": "upload, change and delete",
    "search": "search",
    "admin": "everything, and manage keys",
}
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


class _KeyAdministration(ConsoleView):
    """A view for callers who may manage keys."""

    scopes: ClassVar[dict[str, Scope | None]] = dict.fromkeys(("GET", "HEAD", "POST"), "admin")
    template = "console/keys.html"
    section = "keys"

    def show(self, *, minted: Minted | None = None, before: str = "") -> HttpResponse:
        """Return the page, with the text of a key that was created a moment ago."""
        keys = ApiKey.objects.manageable_by(self.caller).order_by("-pk")
        if _ID.fullmatch(before):
            keys = keys.filter(pk__lt=int(before))
        rows = list(keys[: PAGE_LENGTH + 1])
        context: dict[str, Any] = {
            "keys": rows[:PAGE_LENGTH],
            "next": rows[PAGE_LENGTH - 1].pk if len(rows) > PAGE_LENGTH else None,
            "scopes": [(scope, _ABOUT[scope]) for scope in SCOPES],
            "lifetimes": LIFETIMES,
            "minted": minted,
            "base": settings.ENV.base_url,
        }
        return self.page(status=201 if minted else 200, **context)


class Keys(_KeyAdministration):
    def get(self, request: Request) -> HttpResponse:
        return self.show(before=request.query_params.get("before", ""))

    def post(self, _request: Request) -> HttpResponse:
        """Create a key; the response is the only page that shows it."""
        body = KeyIn(data=self._body())
        body.is_valid(raise_exception=True)
        data = body.validated_data
        own = Rights.of(self.caller)
        names = data.get("collections", own.collections)
        rights = Rights(
            scopes=frozenset(data["scopes"]),
            collections=None if names is None else frozenset(names),
            expires_at=data.get("expires_at", own.expires_at),
        )
        return self.show(minted=key_lifecycle.mint_for(self.transaction, self.caller, rights=rights, name=data["name"]))

    def _body(self) -> dict[str, Any]:
        """Return the form as the API's body; what is left empty is that of the key in use."""
        body: dict[str, Any] = {"name": self.form.get("name", ""), "scopes": self.form.getlist("scopes")}
        if names := [line.strip() for line in self.form.get("collections", "").splitlines() if line.strip()]:
            body["collections"] = names
        days = self.form.get("days", "")
        if days in {str(number) for number in LIFETIMES}:
            body["expires_at"] = timezone.now() + timedelta(days=int(days))
        return body


class RevokedKey(_KeyAdministration):
    def post(self, _request: Request, key_id: int) -> HttpResponse:
        key = key_lifecycle.find(self.transaction, self.caller, key_id=key_id)
        key_lifecycle.revoke(self.transaction, key, with_descendants=self.form.get("with") == "descendants")
        return redirect("console-keys")


class RotatedKey(_KeyAdministration):
    def post(self, _request: Request, key_id: int) -> HttpResponse:
        """Replace a key; the old one works for another day."""
        return self.show(minted=key_lifecycle.rotate(self.transaction, self.caller, key_id=key_id, overlap=_OVERLAP))
