"""Who may ask."""

import hmac
from collections.abc import Mapping

from embeddings.config import Settings
from embeddings.errors import NotAuthorised


def check(headers: Mapping[str, str], *, settings: Settings) -> None:
    """Raise NotAuthorised unless a key of ours was sent, where this service is the one to check."""
    if settings.auth in ("gateway", "none"):
        return
    given = [headers.get("x-api-key", "")]
    if settings.auth == "bearer":
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given.append(token.strip() if scheme.lower() == "bearer" else "")
    # Every pair is compared, so that the time tells nothing of which key was near.
    matches = [hmac.compare_digest(ours.encode(), theirs.encode()) for ours in settings.api_keys for theirs in given]
    if not any(matches):
        raise NotAuthorised()
