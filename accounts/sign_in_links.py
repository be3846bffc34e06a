"""Links that sign a browser in to the console, or set a password: they work once, and only their digests are stored.

A link names its owner, so that it is read and deleted in the owner's transaction: the web server needs no right to see
links of others, nor passwords.
"""

import hashlib
import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.access import Caller
from accounts.browsers.database import signing_in
from accounts.browsers.sessions import end_sessions
from accounts.key_lifecycle import Rights, mint_key
from accounts.models import CustomUser, SignInLink
from accounts.ownership import OwnerTransaction, acting_for, lock_owner
from paliapi.errors import Forbidden

LIFETIME = timedelta(minutes=10)
PASSWORD_LIFETIME = timedelta(days=7)
# A new link deletes those beyond this number, the oldest first.
MAX_LINKS = 10
KEY_NAME = "Console, by a sign-in link"

# The owner's id, which fits a bigint, and the secret.
_TOKEN = re.compile(r"([1-9][0-9]{0,17})\.([A-Za-z0-9_-]{43})", re.ASCII)


class LinkNotValid(Forbidden):
    code = "sign_in_link_not_valid"
    title = "This sign-in link has expired or was used before; create a new one."


def create_link(tx: OwnerTransaction, *, lifetime: timedelta = LIFETIME, sets_password: bool = False) -> str:
    """Create a link of the owner, and return its token, which is known only now."""
    lock_owner(tx)
    of_owner = SignInLink.objects.filter(owner_id=tx.owner_id)
    of_owner.filter(expires_at__lte=timezone.now()).delete()
    of_owner.filter(pk__in=list(of_owner.order_by("-pk").values_list("pk", flat=True)[MAX_LINKS - 1 :])).delete()
    secret = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        owner_id=tx.owner_id,
        digest=_digest(secret),
        expires_at=timezone.now() + lifetime,
        sets_password=sets_password,
    )
    return f"{tx.owner_id}.{secret}"


def url_of_link(token: str) -> str:
    """Return the URL of the console's page that signs in with a link."""
    return f"{settings.ENV.base_url}{reverse('console-sign-in-link')}?token={token}"


def create_password_link(user_id: int) -> str:
    """Create a link with which a user sets a password, and return its URL, which is known only now."""
    with acting_for(user_id) as tx:
        token = create_link(tx, lifetime=PASSWORD_LIFETIME, sets_password=True)
    return f"{settings.ENV.base_url}{reverse('console-password-link', urlconf=settings.API_URLCONF)}?token={token}"


def email_of_link(token: str, *, sets_password: bool = False) -> str:
    """Return the e-mail of the user of a link, without using it up, or raise LinkNotValid."""
    owner_id, secret = _parse(token)
    with acting_for(owner_id) as tx:
        email = _valid(tx, secret, sets_password=sets_password).values_list("owner__email", flat=True).first()
    if email is None:
        raise LinkNotValid
    return email


def redeem_link(token: str, *, session: timedelta) -> Caller:
    """Use a link up, and return a caller with a new key that expires with the session; or raise LinkNotValid."""
    owner_id, secret = _parse(token)
    with acting_for(owner_id) as tx:
        # Of two concurrent requests, the second waits for this lock, and then there is no link.
        deleted, _ = _valid(tx, secret, sets_password=False).delete()
        if not deleted:
            raise LinkNotValid
        rights = Rights(scopes=frozenset({"admin"}), expires_at=timezone.now() + session)
        key = mint_key(tx, rights=rights, name=KEY_NAME).key
        email = CustomUser.objects.values_list("email", flat=True).get(pk=tx.owner_id)
    return Caller(
        owner_id=tx.owner_id,
        email=email,
        key_id=key.pk,
        scopes=frozenset(key.scopes),
        collections=None,
        expires_at=key.expires_at,
    )


def set_password_by_link(token: str, password: str) -> None:
    """Use a link up, and set the password of its user, whose sessions all end; or raise LinkNotValid."""
    owner_id, secret = _parse(token)
    with acting_for(owner_id) as tx:
        deleted, _ = _valid(tx, secret, sets_password=True).delete()
        if not deleted:
            raise LinkNotValid
        # Before the link is gone for good, so that it still works if this fails.
        with signing_in():
            user = CustomUser.objects.get(pk=owner_id)
            user.set_password(password)
            user.save(update_fields=["password"])
            end_sessions(owner_id)


def _valid(tx: OwnerTransaction, secret: str, *, sets_password: bool) -> "QuerySet[SignInLink]":
    """Select the owner's link with this secret and purpose, unless it has expired or the owner is inactive."""
    return SignInLink.objects.filter(
        owner_id=tx.owner_id,
        digest=_digest(secret),
        expires_at__gt=timezone.now(),
        owner__is_active=True,
        sets_password=sets_password,
    )


def _parse(token: str) -> tuple[int, str]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise LinkNotValid
    return int(match.group(1)), match.group(2)


def _digest(secret: str) -> bytes:
    # The secret has 256 random bits, so a slow hash would not make it harder to guess.
    return hashlib.sha256(secret.encode()).digest()
