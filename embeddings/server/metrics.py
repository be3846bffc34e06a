"""The Prometheus metrics of the service, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of one engine."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("paliembed_requests", "Responses.", ("route", "code"), registry=registry)
        self.request_seconds = Histogram(
            "paliembed_request_seconds", "Duration of requests.", ("route",), buckets=_SECONDS, registry=registry
        )
        self.inputs = Counter("paliembed_inputs", "Inputs embedded.", ("lane",), registry=registry)
        self.queue_items = Gauge("paliembed_queue_items", "Inputs accepted and not yet embedded.", registry=registry)
        self.queue_tokens = Gauge("paliembed_queue_tokens", "Estimated tokens of these inputs.", registry=registry)
        self.queue_wait_seconds = Histogram(
            "paliembed_queue_wait_seconds",
            "Time between preparation and forward pass.",
            ("lane",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.prepare_seconds = Histogram(
            "paliembed_preprocess_seconds", "Preparation of one input.", ("lane",), buckets=_SECONDS, registry=registry
        )
        self.batch_items = Histogram("paliembed_batch_items", "Inputs in a batch.", buckets=_SIZES, registry=registry)
        self.batch_tokens = Counter("paliembed_batch_tokens", "Tokens computed.", ("kind",), registry=registry)
        self.forward_seconds = Histogram(
            "paliembed_forward_seconds", "Forward pass of one batch.", buckets=_SECONDS, registry=registry
        )
        self.dropped = Counter(
            "paliembed_dropped", "Inputs whose client disconnected before their batch.", registry=registry
        )
        self.budget_tokens = Gauge(
            "paliembed_budget_tokens", "Current limit of padded tokens in a batch.", registry=registry
        )
        self.pair_budget_tokens = Gauge(
            "paliembed_pair_budget_tokens", "Current limit of padded tokens in a batch of pairs.", registry=registry
        )
        self.ready = Gauge("paliembed_ready", "1 when the model is ready.", registry=registry)
        self.model = Gauge(
            "paliembed_model_info",
            "The loaded models.",
            ("backend", "model", "revision", "dim", "device"),
            registry=registry,
        )

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
