"""How much is on its way, and what it waits for; for metrics and readiness."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily

from accounts.ownership import acting_as_staff
from collections_app.models import Outage, Revision
from collections_app.webhook_models import WebhookDelivery


def waiting() -> dict[str, int]:
    """How many contents wait, by the code of what they wait for."""
    with acting_as_staff():
        rows = Revision.objects.in_flight().exclude(waiting_for="").values_list("waiting_for")
        return dict(rows.annotate(n=Count("pk")).order_by("waiting_for"))


def figures() -> Iterator[GaugeMetricFamily]:
    with acting_as_staff():
        flight = Revision.objects.in_flight()
        counts = list(flight.values_list("status", "waiting_for").annotate(n=Count("pk")).order_by())
        oldest = Revision.objects.due().aggregate(at=Min("next_try_at"))["at"]
        outages = list(Outage.objects.values_list("part", "since"))
        messages = WebhookDelivery.objects.pending().count()
    jobs = GaugeMetricFamily("paliapi_jobs", "Contents on their way.", labels=["status", "waiting_for"])
    for status, waiting_for, count in counts:
        jobs.add_metric([status, waiting_for], count)
    yield jobs
    age = GaugeMetricFamily("paliapi_job_oldest_due_seconds", "How long the longest has been waiting for a worker.")
    age.add_metric([], max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0)
    yield age
    away = GaugeMetricFamily("paliapi_outage_seconds", "How long a part that documents need is away.", labels=["part"])
    for part, since in outages:
        away.add_metric([part], (timezone.now() - since).total_seconds())
    yield away
    pending = GaugeMetricFamily("paliapi_webhooks_pending", "Messages that have not arrived yet.")
    pending.add_metric([], messages)
    yield pending
