"""The account: whose it is, the key in use, and how much is stored."""

from typing import ClassVar

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from accounts import quotas
from accounts.access import Scope
from accounts.quotas import Quota
from console.views.base import ConsoleView
from paliapi.units import MEBIBYTE


class Account(ConsoleView):
    scopes: ClassVar[dict[str, Scope | None]] = {"GET": None, "HEAD": None}
    template = "console/account.html"
    section = "account"

    def get(self, _request: Request) -> HttpResponse:
        # What is stored counts all collections, so a key for some of them does not see it.
        everything = self.caller.collections is None
        stored = _stored(quotas.usage(self.transaction)) if everything else None
        return self.page(stored=stored, scopes=sorted(self.caller.scopes), env=settings.ENV)


def _stored(quota: Quota) -> list[tuple[str, int, int]]:
    """Return what is counted, how much there is, and how much there may be."""
    return [
        ("Collections", quota.collections, quota.max_collections),
        ("Documents", quota.documents, quota.max_documents),
        ("Pages", quota.pages, quota.max_pages),
        ("Megabytes", -(-quota.bytes // MEBIBYTE), quota.max_bytes // MEBIBYTE),
    ]
