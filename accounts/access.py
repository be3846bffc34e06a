"""The identity behind a request and what its key permits: plain values that need no request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self, get_args

Scope = Literal["read", "write", "search", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The owner whose data is used, and the limits of the key that was presented."""

    owner_id: int
    email: str
    key_id: int
    scopes: frozenset[str]
    collections: frozenset[str] | None  # names; None: all of the owner's
    expires_at: datetime | None = None

    @classmethod
    def of_owner(cls, owner_id: int, *, email: str) -> Self:
        """Return an unrestricted caller without a key: for the admin, and for sessions. No key has the id 0."""
        return cls(owner_id=owner_id, email=email, key_id=0, scopes=frozenset(SCOPES), collections=None)

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    def sees(self, collection_name: str) -> bool:
        return self.collections is None or collection_name in self.collections
