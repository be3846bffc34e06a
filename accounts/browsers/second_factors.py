"""The second factors of a user: an authenticator app, security keys, and recovery codes."""

from dataclasses import dataclass, field
from datetime import datetime

from allauth.mfa.models import Authenticator

from accounts.browsers.database import signing_in


@dataclass(frozen=True, slots=True)
class SecurityKey:
    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(slots=True)
class SecondFactors:
    """What a user has; without an app or a key, the password alone signs in."""

    has_app: bool = False
    keys: list[SecurityKey] = field(default_factory=list)
    codes_left: int = 0

    @property
    def is_on(self) -> bool:
        return self.has_app or bool(self.keys)


def second_factors_of(user_id: int) -> SecondFactors:
    """Return the second factors of a user."""
    factors = SecondFactors()
    with signing_in():
        for row in Authenticator.objects.filter(user_id=user_id).order_by("pk"):
            if row.type == Authenticator.Type.TOTP:
                factors.has_app = True
            elif row.type == Authenticator.Type.RECOVERY_CODES:
                factors.codes_left = len(row.wrap().get_unused_codes())
            else:
                factors.keys.append(SecurityKey(row.pk, row.wrap().name, row.created_at, row.last_used_at))
    return factors
