"""Authentication by API key."""

import hmac
from collections.abc import Mapping

from embeddings.config import Settings
from embeddings.errors import NotAuthorised


def authenticate(headers: Mapping[str, str], *, settings: Settings) -> None:
    """Raise NotAuthorised unless a valid key was sent or this service does not check keys."""
    if settings.auth in ("gateway", "none"):
        return
    candidates = [headers.get("x-api-key", "")]
    if settings.auth == "bearer":
        scheme, _, token = headers.get("authorization", "").partition(" ")
        candidates.append(token.strip() if scheme.lower() == "bearer" else "")
    # Compare every pair, so that the duration does not depend on which key matches.
    matches = [
        hmac.compare_digest(key.encode(), candidate.encode()) for key in settings.api_keys for candidate in candidates
    ]
    if not any(matches):
        raise NotAuthorised()
