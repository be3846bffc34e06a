"""Abstract models: rows that belong to an owner, and rows that a worker leases."""

import os
from datetime import timedelta
from typing import ClassVar, Self, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, Subquery
from django.db.models.functions import Coalesce, Now

from collections_app.engine import process_name

_Row = TypeVar("_Row", bound="LeasedModel")

# The values of the lease columns of a row that no process holds.
NO_LEASE: dict[str, None] = {"lease_token": None, "lease_until": None}


class Owned(models.Model):
    """A row of one owner. Foreign keys between owned rows are created in migrations, over (owner_id, id)."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class LeasedQuerySet(models.QuerySet[_Row]):
    """Rows of a queue. A process leases a row for a limited time; a lease that is not renewed expires."""

    # The rows that are still to be worked on.
    unfinished: ClassVar[Q]

    def of_active_owners(self) -> Self:
        """Return the rows without those of deactivated owners, which wait until their owner is active again."""
        return self.filter(owner__is_active=True)

    def held(self) -> Self:
        """Return the rows that a process holds now."""
        return self.filter(self.unfinished, lease_until__gt=Now())

    def unheld(self) -> Self:
        return self.filter(self.unfinished, Q(lease_until__isnull=True) | Q(lease_until__lte=Now()))

    def due(self) -> Self:
        """Return the rows that a process could claim now."""
        return self.unheld().filter(next_try_at__lte=Now())

    def lease(self, duration: timedelta, **changes: object) -> UUID:
        """Lease the rows to this process, change them, and return the fencing token of the lease."""
        token = uuid4()
        holder = process_name.name_of(os.getpid())
        self.update(lease_token=token, lease_until=Now() + duration, lease_holder=holder, **changes)
        return token

    def count_per_owner(self) -> Coalesce:
        """Return an expression that counts these rows; they must be restricted to the owner of an outer query."""
        counts = self.order_by().values("owner").annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(counts), 0)

    def free_abandoned(self) -> int:
        """End the leases of processes of this machine that no longer exist, and return how many there were.

        Without this, their rows would wait until the leases expire.
        """
        held = self.held().exclude(lease_holder="").values_list("pk", "lease_token", "lease_holder")
        abandoned = [(pk, token) for pk, token, holder in held if process_name.is_gone(holder)]
        return sum(self.filter(pk=pk, lease_token=token).update(**NO_LEASE) for pk, token in abandoned)


class LeasedModel(Owned):
    """A row of a queue. `lease_token` fences writes: a process whose lease was given to another writes nothing."""

    next_try_at = models.DateTimeField(db_default=Now(), editable=False)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_holder = models.CharField(
        max_length=255, blank=True, default="", editable=False, help_text="The process that holds the lease."
    )

    class Meta:
        abstract = True
