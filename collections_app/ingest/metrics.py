"""Metrics of ingestion and webhooks: how much is queued, and what it waits for."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily

from accounts.ownership import counting_for_metrics
from collections_app.models import Outage, Revision
from collections_app.webhook_models import WebhookDelivery


def count_waiting() -> dict[str, int]:
    """Count the revisions that wait, by the code of what they wait for."""
    with counting_for_metrics():
        rows = Revision.objects.in_flight().exclude(waiting_for="").values_list("waiting_for")
        return dict(rows.annotate(n=Count("pk")).order_by("waiting_for"))


def collect() -> Iterator[GaugeMetricFamily]:
    """Yield the current values for `/metrics`."""
    with counting_for_metrics():
        revisions = Revision.objects.in_flight()
        counts = list(revisions.values_list("status", "waiting_for").annotate(n=Count("pk")).order_by())
        oldest_due = Revision.objects.of_active_owners().due().aggregate(at=Min("next_try_at"))["at"]
        outages = list(Outage.objects.values_list("part", "since"))
        pending_deliveries = WebhookDelivery.objects.pending().count()
    jobs = GaugeMetricFamily("paliapi_jobs", "Revisions being processed.", labels=["status", "waiting_for"])
    for status, waiting_for, count in counts:
        jobs.add_metric([status, waiting_for], count)
    yield jobs
    age = GaugeMetricFamily("paliapi_job_oldest_due_seconds", "How long the oldest due revision has waited.")
    age.add_metric([], max(0.0, (timezone.now() - oldest_due).total_seconds()) if oldest_due else 0.0)
    yield age
    outage = GaugeMetricFamily("paliapi_outage_seconds", "How long a required service has been down.", labels=["part"])
    for part, since in outages:
        outage.add_metric([part], (timezone.now() - since).total_seconds())
    yield outage
    pending = GaugeMetricFamily("paliapi_webhooks_pending", "Webhook messages that are not delivered yet.")
    pending.add_metric([], pending_deliveries)
    yield pending
