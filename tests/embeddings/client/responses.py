"""Responses of services, for the tests of the client."""

import io
from typing import Any

import numpy as np

from embeddings.client import RetryPolicy
from tests.embeddings.scripted import ReceivedRequest, Reply

FAST_RETRIES = RetryPolicy(connect_s=2, read_s=5, total_s=5, attempts=3, first_pause_s=0.01, max_pause_s=0.02)


def one_row(dim: int = 4) -> list[list[float]]:
    return [[1.0] + [0.0] * (dim - 1)]


def embeddings_of(request: ReceivedRequest) -> Reply:
    """Return a valid reply: one row for each input."""
    return Reply.json({"embeddings": [one_row()] * len(request.json()["inputs"])})


def npz(**arrays: Any) -> Reply:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return Reply(body=out.getvalue(), headers={"content-type": "application/x-npz"})
