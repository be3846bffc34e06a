"""The Prometheus metrics at /metrics, summed over all web server processes."""

import hmac
from collections.abc import Callable, Iterable, Iterator

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from paliapi.errors import NotFound
from paliapi.http.problems import error_response

log = structlog.get_logger(__name__)

requests = Counter("paliapi_requests", "Requests answered.", ["operation", "method", "status"])
request_seconds = Histogram(
    "paliapi_request_seconds",
    "Time to answer.",
    ["operation"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
limits_unavailable = Counter("paliapi_limits_unavailable", "Requests let through because Redis did not answer.")
component_up = Gauge(
    "paliapi_component_up", "1 when the readiness check reached it.", ["component"], multiprocess_mode="mostrecent"
)


class _ScrapeCollector(Collector):
    """Metrics read from the database on each scrape, because every process would report the same values."""

    def __init__(self) -> None:
        self.sources: list[Callable[[], Iterable[Metric]]] = []

    def collect(self) -> Iterator[Metric]:
        for collect in self.sources:
            try:
                yield from collect()
            except DatabaseError as problem:
                log.warning("figures_unavailable", error=type(problem).__name__)


_on_scrape = _ScrapeCollector()
_stored = CollectorRegistry()
_stored.register(_on_scrape)


def collect_on_scrape(collect: Callable[[], Iterable[Metric]]) -> None:
    """Call `collect` for metrics on each scrape."""
    _on_scrape.sources.append(collect)


def _registry() -> CollectorRegistry:
    if values.ValueClass.__name__ != "MmapedValue":
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def view(request: HttpRequest) -> HttpResponse:
    """Return all metrics, if the request has METRICS_TOKEN or, in development, none is set."""
    token = settings.ENV.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    allowed = hmac.compare_digest(given.encode(), token.encode()) if token else not settings.ENV.production
    if not allowed:
        return error_response(NotFound("There is no such URL."))
    return HttpResponse(generate_latest(_registry()) + generate_latest(_stored), content_type=CONTENT_TYPE_LATEST)
