"""How much an owner may keep. Counted in Postgres, in the transaction that changes what is kept.

The owner's row of usage is the last row that a transaction locks, so two of them never wait for each other in a circle.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest

from accounts.models import Usage
from paliapi.errors import LimitReached
from paliapi.units import MEBIBYTE


class QuotaReached(LimitReached):
    code = "quota_exceeded"
    title = "This account may not keep more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an owner keeps, and may keep."""

    documents: int
    pages: int
    bytes: int
    max_documents: int
    max_pages: int
    max_bytes: int


def charge(owner_id: int, *, documents: int = 0, pages: int = 0, bytes: int = 0) -> None:  # noqa: A002 - the word
    """Count what is added, or with negative numbers released; QuotaReached, and nothing counted, where it does not fit.

    Inside `acting_for(owner_id)`, after every other lock. Releasing always succeeds: nobody over a limit that was
    lowered may be kept from deleting.
    """
    amounts = {"documents": documents, "pages": pages, "bytes": bytes}
    if _add(owner_id, amounts):
        return
    # The row is made on first use; where it is there already, nothing fitted.
    Usage.objects.bulk_create([Usage(owner_id=owner_id)], ignore_conflicts=True)
    if not _add(owner_id, amounts):
        raise QuotaReached(_what_does_not_fit(usage(owner_id), amounts))


def usage(owner_id: int) -> Kept:
    """What the owner keeps now; inside `acting_for(owner_id)`."""
    row = Usage.objects.filter(owner_id=owner_id).first() or Usage(owner_id=owner_id)
    limits = {
        f"max_{name}": default if (own := getattr(row, f"max_{name}")) is None else own
        for name, default in _defaults().items()
    }
    return Kept(documents=row.documents, pages=row.pages, bytes=row.bytes, **limits)


def _defaults() -> dict[str, int]:
    env = settings.ENV
    return {"documents": env.quota_documents, "pages": env.quota_pages, "bytes": env.quota_mb * MEBIBYTE}


def _add(owner_id: int, amounts: dict[str, int]) -> bool:
    defaults = _defaults()
    fits = Q(owner_id=owner_id)
    for name, amount in amounts.items():
        if amount > 0:
            fits &= Q(**{f"{name}__lte": Coalesce(F(f"max_{name}"), Value(defaults[name])) - amount})
    changes = {name: Greatest(F(name) + amount, Value(0)) for name, amount in amounts.items() if amount}
    return not changes or Usage.objects.filter(fits).update(**changes) == 1


def _what_does_not_fit(kept: Kept, amounts: dict[str, int]) -> str:
    told = []
    for name, amount in amounts.items():
        most, now = getattr(kept, f"max_{name}"), getattr(kept, name)
        if amount > 0 and now + amount > most:
            told.append(f"{amount:,} more {name} do not fit: {max(0, most - now):,} of {most:,} are left.")
    return " ".join(told)
