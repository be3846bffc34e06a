"""What Prometheus reads at /metrics; with several web processes, summed over all of them."""

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


class _WhenAsked(Collector):
    """Figures that stand in the database, so that every process would tell the same: read when somebody asks."""

    def __init__(self) -> None:
        self.tellers: list[Callable[[], Iterable[Metric]]] = []

    def collect(self) -> Iterator[Metric]:
        for tell in self.tellers:
            try:
                yield from tell()
            except DatabaseError as problem:
                log.warning("figures_unavailable", error=type(problem).__name__)


_when_asked = _WhenAsked()
_stored = CollectorRegistry()
_stored.register(_when_asked)


def when_asked(tell: Callable[[], Iterable[Metric]]) -> None:
    """Ask `tell` for its figures whenever metrics are read."""
    _when_asked.tellers.append(tell)


def _registry() -> CollectorRegistry:
    if values.ValueClass.__name__ != "MmapedValue":
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def view(request: HttpRequest) -> HttpResponse:
    """Open while developing; in production only for who has METRICS_TOKEN."""
    token = settings.ENV.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    allowed = hmac.compare_digest(given.encode(), token.encode()) if token else not settings.ENV.production
    if not allowed:
        return error_response(NotFound("There is nothing at this address."))
    return HttpResponse(generate_latest(_registry()) + generate_latest(_stored), content_type=CONTENT_TYPE_LATEST)
