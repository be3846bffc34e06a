"""Failures in the words of someone who can do something about them: what happened, and what to do next."""

from paliapi_client import (
    APIError,
    ConnectionFailed,
    DeadlineExceeded,
    Forbidden,
    PaliAPIError,
    QuotaExceeded,
    RateLimited,
    ServiceUnavailable,
    Unauthorized,
)

from paliapi_mcp.untrusted import clean, shortened

_MAX_DETAIL = 500
_MAX_PLACES = 5

# What to do about the errors with these codes.
_BY_CODE = {
    "collection_not_found": "Call list_collections to see the names.",
    "collection_out_of_reach": "Call list_collections to see which collections this key may use.",
    "document_not_found": "Call list_documents with the collection to see the names of its documents.",
    "document_ambiguous": "Name the collection.",
    "page_not_found": "document_status says how many pages the document has; pages are numbered from 1.",
    "answer_too_large": "Lower top_k, or use images=none.",
    "filter_invalid": "Correct the filter, or search without it.",
    "fetch_refused": "Only URLs of public web servers are fetched. Ask the user for the file itself.",
    "queue_full": "Too many documents of this account wait to be processed. Try again in a few minutes.",
    "quota_exceeded": "Tell the user: documents have to be deleted, or the operator has to raise the quota.",
}


class Refused(Exception):
    """A call that this server refuses; the message says why, and what to do instead."""


def advice(error: PaliAPIError, *, url: str) -> str:
    """Return the message that the model gets."""
    if isinstance(error, ConnectionFailed):
        return f"PaliAPI at {url} cannot be reached. Try again once; if it fails again, tell the user."
    if isinstance(error, DeadlineExceeded):
        return "PaliAPI did not answer in time. Try again once; if it fails again, tell the user."
    if not isinstance(error, APIError):
        return f"PaliAPI at {url} returned an answer that cannot be understood. Tell the user."
    lines = [_sentence(error.detail) or f"PaliAPI answered with status {error.status}."]
    lines += [f"- {_sentence(place)}" for place in _places(error)]
    lines.append(_next_step(error))
    if error.status >= 500 and error.request_id:
        lines.append(f"Request id: {_sentence(error.request_id)}")
    return "\n".join(line for line in lines if line)


def _next_step(error: APIError) -> str:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, Unauthorized):
        return "The API key is missing, wrong, revoked or expired. Do not try again; ask the user to check the key."
    if isinstance(error, Forbidden):
        return "The API key does not permit this. Do not try again; tell the user which permission is missing."
    if isinstance(error, QuotaExceeded):
        return _BY_CODE["quota_exceeded"]
    if isinstance(error, RateLimited):
        return "Too many requests. Wait a minute before the next call, and ask for less at a time."
    if isinstance(error, ServiceUnavailable) or error.status >= 500:
        return "This is temporary. Try again once in a few seconds; if it fails again, tell the user."
    return ""


def _places(error: APIError) -> list[str]:
    places = []
    for place in list(error.errors)[:_MAX_PLACES]:
        pointer, detail = str(getattr(place, "pointer", "")), str(getattr(place, "detail", ""))
        if detail and detail != error.detail:
            places.append(f"{pointer.lstrip('/')}: {detail}")
    return places


def _sentence(text: str) -> str:
    return shortened(" ".join(clean(str(text)).split()), _MAX_DETAIL)
