"""The metrics of the service."""

import httpx

from embeddings.server.metrics import Metrics
from tests.embeddings.server.requesting import post

NAMES = {
    "paliembed_requests",
    "paliembed_request_seconds",
    "paliembed_inputs",
    "paliembed_queue_items",
    "paliembed_queue_tokens",
    "paliembed_queue_wait_seconds",
    "paliembed_preprocess_seconds",
    "paliembed_batch_items",
    "paliembed_batch_tokens",
    "paliembed_forward_seconds",
    "paliembed_dropped",
    "paliembed_budget_tokens",
    "paliembed_pair_budget_tokens",
    "paliembed_ready",
    "paliembed_model_info",
}


def test_names_are_stable() -> None:
    assert {metric.name for metric in Metrics().registry.collect()} == NAMES


def test_requests_are_counted_by_route_and_status_and_unknown_paths_together(service: httpx.Client) -> None:
    post(service, {"input_type": "text", "inputs": ["a"]})
    post(service, {})
    service.get("/unknown/path")
    text = service.get("/metrics").text
    assert 'paliembed_requests_total{code="200",route="/embeddings"}' in text
    assert 'paliembed_requests_total{code="422",route="/embeddings"}' in text
    assert 'paliembed_requests_total{code="404",route="other"}' in text
    assert "/unknown/path" not in text
    assert 'paliembed_model_info{backend="lexical"' in text
