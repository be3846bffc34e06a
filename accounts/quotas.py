"""Storage quotas, counted in Postgres in the transaction that changes what is stored.

The owner's usage row is the last row that a transaction locks, so two transactions never deadlock over it. The bytes
are those of uploaded files, of metadata, and of responses stored for `Idempotency-Key`; each row that counts has a
column with the number of its bytes that were charged.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest

from accounts.models import Usage
from accounts.ownership import OwnerTransaction
from paliapi.errors import LimitReached
from paliapi.units import MEBIBYTE


class QuotaReached(LimitReached):
    code = "quota_exceeded"
    title = "The storage quota of this account is reached."


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much an owner stores, and the limits."""

    collections: int
    documents: int
    pages: int
    bytes: int
    max_collections: int
    max_documents: int
    max_pages: int
    max_bytes: int


def charge(
    tx: OwnerTransaction,
    *,
    collections: int = 0,
    documents: int = 0,
    pages: int = 0,
    bytes: int = 0,  # noqa: A002 - the unit
) -> None:
    """Add to the owner's usage (negative amounts release), or raise QuotaReached and count nothing.

    Call after taking every other lock. Releasing always succeeds, so an owner above a lowered limit can delete.
    """
    amounts = {"collections": collections, "documents": documents, "pages": pages, "bytes": bytes}
    if _add(tx, amounts):
        return
    # The row is created on first use. If it exists already, the amounts did not fit.
    Usage.objects.bulk_create([Usage(owner_id=tx.owner_id)], ignore_conflicts=True)
    if not _add(tx, amounts):
        raise QuotaReached(_describe_excess(usage(tx), amounts))


def usage(tx: OwnerTransaction) -> Quota:
    """Return the owner's current usage and limits."""
    row = Usage.objects.filter(owner_id=tx.owner_id).first() or Usage(owner_id=tx.owner_id)
    limits = {
        f"max_{name}": default if (own := getattr(row, f"max_{name}")) is None else own
        for name, default in _default_limits().items()
    }
    counts = {name: getattr(row, name) for name in _default_limits()}
    return Quota(**counts, **limits)


def _default_limits() -> dict[str, int]:
    env = settings.ENV
    return {
        "collections": env.quota_collections,
        "documents": env.quota_documents,
        "pages": env.quota_pages,
        "bytes": env.quota_mb * MEBIBYTE,
    }


def _add(tx: OwnerTransaction, amounts: dict[str, int]) -> bool:
    """Add the amounts in one conditional update; return False if they do not fit or the row is missing."""
    defaults = _default_limits()
    fits = Q(owner_id=tx.owner_id)
    for name, amount in amounts.items():
        if amount > 0:
            fits &= Q(**{f"{name}__lte": Coalesce(F(f"max_{name}"), Value(defaults[name])) - amount})
    changes = {name: Greatest(F(name) + amount, Value(0)) for name, amount in amounts.items() if amount}
    return not changes or Usage.objects.filter(fits).update(**changes) == 1


def _describe_excess(quota: Quota, amounts: dict[str, int]) -> str:
    sentences = []
    for name, amount in amounts.items():
        limit, used = getattr(quota, f"max_{name}"), getattr(quota, name)
        if amount > 0 and used + amount > limit:
            left = max(0, limit - used)
            sentences.append(f"{amount:,} more {name} exceed the quota: {left:,} of {limit:,} are left.")
    return " ".join(sentences)
