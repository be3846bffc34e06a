"""Storage quotas, counted in Postgres in the transaction that changes what is stored.

The owner's usage row is the last row that a transaction locks, so two transactions never deadlock over it. The bytes
are those of uploaded files, of metadata, and of responses stored for `Idempotency-Key`; each row that counts has a
column with the number of its bytes that were charged.
"""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import Usage
from accounts.ownership import OwnerTransaction
from paliapi.database import Command, Row, execute_together, statement
from paliapi.errors import LimitReached
from paliapi.units import MEBIBYTE

# One conditional update. It changes no row if an amount does not fit, or if the owner has no row yet.
_CHARGE = statement(
    "UPDATE {usage} SET collections = greatest(collections + %s::bigint, 0), "
    "documents = greatest(documents + %s::bigint, 0), "
    "pages = greatest(pages + %s::bigint, 0), bytes = greatest(bytes + %s::bigint, 0) WHERE owner_id = %s "
    "AND (%s::bigint <= 0 OR collections + %s::bigint <= coalesce(max_collections, %s::bigint)) "
    "AND (%s::bigint <= 0 OR documents + %s::bigint <= coalesce(max_documents, %s::bigint)) "
    "AND (%s::bigint <= 0 OR pages + %s::bigint <= coalesce(max_pages, %s::bigint)) "
    "AND (%s::bigint <= 0 OR bytes + %s::bigint <= coalesce(max_bytes, %s::bigint)) RETURNING owner_id",
    usage=Usage,
)


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
    if any(amounts.values()):
        require_charged(tx, execute_together(charging(tx, **amounts))[0], **amounts)


def charging(
    tx: OwnerTransaction,
    *,
    collections: int = 0,
    documents: int = 0,
    pages: int = 0,
    bytes: int = 0,  # noqa: A002 - the unit
) -> Command:
    """Return the statement for `charge`; pass its rows to `require_charged`."""
    amounts = (collections, documents, pages, bytes)
    limits = _default_limits().values()
    checked = [value for amount, limit in zip(amounts, limits, strict=True) for value in (amount, amount, limit)]
    return Command(_CHARGE, (*amounts, tx.owner_id, *checked))


def require_charged(tx: OwnerTransaction, rows: list[Row], **amounts: int) -> None:
    """Raise QuotaReached if the statement of these amounts has changed no row."""
    if rows:
        return
    # The row is created on first use.
    Usage.objects.bulk_create([Usage(owner_id=tx.owner_id)], ignore_conflicts=True)
    if not execute_together(charging(tx, **amounts))[0]:
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


def _describe_excess(quota: Quota, amounts: dict[str, int]) -> str:
    sentences = []
    for name, amount in amounts.items():
        limit, used = getattr(quota, f"max_{name}"), getattr(quota, name)
        if amount > 0 and used + amount > limit:
            left = max(0, limit - used)
            sentences.append(f"{amount:,} more {name} exceed the quota: {left:,} of {limit:,} are left.")
    return " ".join(sentences)
