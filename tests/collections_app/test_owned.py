"""Leases of rows in a queue, which revisions and webhook deliveries share."""

import os
import subprocess
import sys
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import OuterRef
from django.utils import timezone

from accounts.models import CustomUser
from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine import process_name
from collections_app.models import Revision
from collections_app.owned import NO_LEASE, LeasedQuerySet
from collections_app.webhook_models import WebhookDelivery
from tests.cast import Someone
from tests.collections_app.documents import PDF, put
from tests.collections_app.webhooks.receiving import create_delivery

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["revision", "delivery"])
def rows(request: pytest.FixtureRequest, alice: Someone) -> LeasedQuerySet[Revision] | LeasedQuerySet[WebhookDelivery]:
    """A queue with one row, which is due."""
    if request.param == "revision":
        put(alice, "a.pdf", PDF)
        return Revision.objects.filter(owner_id=alice.id)
    create_delivery(alice)
    return WebhookDelivery.objects.filter(owner_id=alice.id)


def test_leased_row_is_held_until_the_lease_expires(alice: Someone, rows: LeasedQuerySet[Revision]) -> None:
    with acting_for(alice.id):
        assert (rows.held().count(), rows.unheld().count(), rows.due().count()) == (0, 1, 1)
        token = rows.lease(MINUTE)
        row = rows.get()
        assert isinstance(token, UUID)
        assert (row.lease_token, row.lease_holder) == (token, process_name.name_of(os.getpid()))
        assert (rows.held().count(), rows.unheld().count(), rows.due().count()) == (1, 0, 0)
        rows.update(lease_until=timezone.now() - MINUTE)
        assert (rows.held().count(), rows.due().count()) == (0, 1)
        rows.lease(MINUTE)
        rows.update(**NO_LEASE)
        assert rows.due().count() == 1


def test_row_is_due_only_once_its_time_has_come(alice: Someone, rows: LeasedQuerySet[Revision]) -> None:
    with acting_for(alice.id):
        rows.update(next_try_at=timezone.now() + MINUTE)
        assert (rows.unheld().count(), rows.due().count()) == (1, 0)


def test_finished_row_is_neither_held_nor_due(alice: Someone, rows: LeasedQuerySet[Revision]) -> None:
    with acting_for(alice.id):
        rows.lease(MINUTE)
        rows.update(status="failed")
        assert (rows.held().count(), rows.unheld().count(), rows.due().count()) == (0, 0, 0)


def test_only_leases_of_dead_processes_of_this_machine_end(alice: Someone, rows: LeasedQuerySet[Revision]) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with acting_for(alice.id):
        rows.lease(MINUTE)
        assert rows.free_abandoned() == 0
        rows.update(lease_holder="elsewhere:1")
        assert rows.free_abandoned() == 0
        rows.update(lease_holder=process_name.name_of(ended.pid))
        assert rows.free_abandoned() == 1
        assert rows.due().count() == 1


def test_rows_are_counted_for_each_owner(alice: Someone, charlie: Someone) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, PDF)
    with acting_as_staff():
        due = Revision.objects.filter(owner=OuterRef("pk")).due()
        owners = CustomUser.objects.filter(pk__in=[alice.id, charlie.id]).annotate(due=due.count_per_owner())
        assert dict(owners.values_list("pk", "due")) == {alice.id: 2, charlie.id: 0}
