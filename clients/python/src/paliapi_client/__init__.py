"""The client of PaliAPI: collections, documents and search, blocking or with asyncio."""

from paliapi_client.async_client import AsyncClient
from paliapi_client.client import Client
from paliapi_client.errors import (
    APIError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    Forbidden,
    InvalidRequest,
    NotFound,
    PaliAPIError,
    Problem,
    ProcessingFailed,
    QuotaExceeded,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    SignatureInvalid,
    Unauthorized,
    UnexpectedAnswer,
)
from paliapi_client.filters import F, Filter
from paliapi_client.flows.folders import FileResult, FolderResult
from paliapi_client.flows.following import Progress
from paliapi_client.hits import AsyncHit, Hit, SearchResult
from paliapi_client.version import __version__
from paliapi_client.webhook_signatures import verify_webhook

__all__ = [
    "APIError",
    "AsyncClient",
    "AsyncHit",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "F",
    "FileResult",
    "Filter",
    "FolderResult",
    "Forbidden",
    "Hit",
    "InvalidRequest",
    "NotFound",
    "PaliAPIError",
    "Problem",
    "ProcessingFailed",
    "Progress",
    "QuotaExceeded",
    "RateLimited",
    "SearchResult",
    "ServerError",
    "ServiceUnavailable",
    "SignatureInvalid",
    "Unauthorized",
    "UnexpectedAnswer",
    "__version__",
    "verify_webhook",
]
