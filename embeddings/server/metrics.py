"""What the service counts, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """One set for one engine."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ours = self.registry
        self.requests = Counter("paliembed_requests", "Answers.", ("route", "code"), registry=ours)
        self.request_seconds = Histogram(
            "paliembed_request_seconds", "Whole requests.", ("route",), buckets=_QUICK, registry=ours
        )
        self.inputs = Counter("paliembed_inputs", "Inputs embedded.", ("lane",), registry=ours)
        self.queue_items = Gauge("paliembed_queue_items", "Inputs accepted and not embedded yet.", registry=ours)
        self.queue_tokens = Gauge("paliembed_queue_tokens", "Their tokens, as far as known.", registry=ours)
        self.queue_wait_seconds = Histogram(
            "paliembed_queue_wait_seconds", "Prepared to forward.", ("lane",), buckets=_QUICK, registry=ours
        )
        self.prepare_seconds = Histogram(
            "paliembed_preprocess_seconds", "Preparing one input.", ("lane",), buckets=_QUICK, registry=ours
        )
        self.batch_items = Histogram("paliembed_batch_items", "Inputs in a batch.", buckets=_SIZES, registry=ours)
        self.batch_tokens = Counter("paliembed_batch_tokens", "Tokens computed.", ("kind",), registry=ours)
        self.forward_seconds = Histogram(
            "paliembed_forward_seconds", "One batch on the device.", buckets=_QUICK, registry=ours
        )
        self.dropped = Counter("paliembed_dropped", "Inputs whose client was gone before their batch.", registry=ours)
        self.budget_tokens = Gauge("paliembed_budget_tokens", "Padded tokens that a batch may have now.", registry=ours)
        self.ready = Gauge("paliembed_ready", "1 when the model is ready.", registry=ours)
        self.model = Gauge(
            "paliembed_model_info", "What runs.", ("backend", "model", "revision", "dim", "device"), registry=ours
        )

    def text(self) -> bytes:
        """All of it, in the form Prometheus reads."""
        return generate_latest(self.registry)
