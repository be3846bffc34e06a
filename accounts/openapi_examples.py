"""Examples for the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample

_KEY = {
    "id": 7,
    "name": "website",
    "key_hint": "pali_4fJ0QmXz81Lc_...9aTz",
    "scopes": ["read", "search"],
    "collections": ["manuals"],
    "state": "active",
    "created_at": "2026-11-21T09:30:00Z",
    "expires_at": "2027-11-21T00:00:00Z",
    "last_used_at": None,
    "last_used_address": None,
    "revoked_at": None,
    "minted_by": 1,
    "rotated_from": None,
}
_FULL_KEY = "pali_4fJ0QmXz81Lc_EXAMPLEexampleEXAMPLEexample0000009aTz"

_USED_KEY = {**_KEY, "last_used_at": "2026-11-21T09:45:00Z", "last_used_address": "203.0.113.7"}
KEY = OpenApiExample("A key for searching one collection", value=_USED_KEY, response_only=True)
NEW_KEY = OpenApiExample(
    "For searching one collection",
    value={
        "name": "website",
        "scopes": ["read", "search"],
        "collections": ["manuals"],
        "expires_at": "2027-11-21T00:00:00Z",
    },
    request_only=True,
)
MINTED = OpenApiExample("The new key", value={**_KEY, "key": _FULL_KEY}, response_only=True, status_codes=["201"])
ROTATION = OpenApiExample("With an overlap of two days", value={"overlap_hours": 48}, request_only=True)
SUCCESSOR = OpenApiExample(
    "The key that replaces key 7",
    value={**_KEY, "id": 8, "rotated_from": 7, "key": _FULL_KEY},
    response_only=True,
    status_codes=["201"],
)
ME = OpenApiExample(
    "An unrestricted key",
    value={
        "email": "alice@example.com",
        "key_id": 1,
        "key_name": "first",
        "scopes": ["admin"],
        "collections": None,
        "expires_at": None,
    },
    response_only=True,
)
USAGE = OpenApiExample(
    "A small account",
    value={
        "collections": 2,
        "documents": 12,
        "pages": 340,
        "bytes": 48_201_334,
        "max_collections": 10_000,
        "max_documents": 100_000,
        "max_pages": 1_000_000,
        "max_bytes": 104_857_600_000,
        "requests_per_minute": 600,
        "requests_at_once": 120,
        "searches_at_once": 8,
        "uploads_at_once": 4,
    },
    response_only=True,
)
