"""Keys by which the server knows a request that is repeated."""

from __future__ import annotations

import uuid


def headers(key: str | None) -> dict[str, str | None]:
    """Return the header with a key, the caller's or a new one."""
    return {"Idempotency-Key": key if key is not None else str(uuid.uuid4())}
