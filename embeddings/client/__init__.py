"""The client of the embeddings service.

with Client("http://localhost:8000", token="secret") as client:
    query = client.embed_queries(["total amount due"])
    pages = client.embed_pages([png], words=[[Word("Total", 0.1, 0.1, 0.2, 0.2)]], with_layout=True)
"""

from embeddings.client.client import Client, EmbeddingResult, RerankResult
from embeddings.client.errors import (
    AccessDenied,
    ClientError,
    InputRejected,
    InputTooLarge,
    InvalidResponse,
    NoReranker,
    ServiceUnavailable,
    SpaceMismatch,
)
from embeddings.client.retries import RetryPolicy

__all__ = [
    "AccessDenied",
    "Client",
    "ClientError",
    "EmbeddingResult",
    "InputRejected",
    "InputTooLarge",
    "InvalidResponse",
    "NoReranker",
    "RerankResult",
    "RetryPolicy",
    "ServiceUnavailable",
    "SpaceMismatch",
]
