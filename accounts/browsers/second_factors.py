"""How a user signs in: with a password or not, and the second factors: authenticator app, security keys, codes."""

from dataclasses import dataclass, field
from datetime import datetime

from allauth.mfa.models import Authenticator

from accounts.browsers.database import signing_in
from accounts.models import CustomUser


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


def has_password(user_id: int) -> bool:
    """Return whether a user can sign in with a password, unlike those who only ever used OpenID Connect."""
    with signing_in():
        return CustomUser.objects.get(pk=user_id).has_usable_password()


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
