"""Sessions in the database: the engine that Django's middleware uses, and what their user sees and ends.

The cookie holds a random key, and the database only its digest. A session without a user, such as between the password
and the second factor, lives for a quarter of an hour. With a user, it ends after a time without requests, and in any
case some hours after signing in.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_ID
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.browsers.database import signing_in
from accounts.models import BrowserSession
from paliapi.http.client_address import client_address

_WITHOUT_USER = timedelta(minutes=15)
_SEEN_PRECISION = timedelta(minutes=1)
_STARTED, _ADDRESS, _USER_AGENT = "_started", "_address", "_user_agent"
_EXPIRED_AT_ONCE = 1000
_ID = re.compile(r"[0-9a-f]{40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SessionOfUser:
    """What a user sees of a session."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


class SessionStore(db.SessionStore):
    """The sessions of Django's middleware."""

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def load(self) -> dict[str, Any]:
        with signing_in():
            row = _alive().filter(session_key=_digest(self.session_key or "")).first()
            if row is None:
                self._session_key = None
                return {}
            if timezone.now() - row.last_seen_at > _SEEN_PRECISION:
                BrowserSession.objects.filter(pk=row.pk).update(last_seen_at=timezone.now())
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        with signing_in():
            return BrowserSession.objects.filter(session_key=_digest(session_key)).exists()

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - as Django calls it
        with signing_in():
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            with signing_in():
                BrowserSession.objects.filter(session_key=_digest(key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        now = timezone.now()
        started = datetime.fromtimestamp(data[_STARTED], UTC) if _STARTED in data else now
        user_id = data.get(USER_ID)
        lifetime = timedelta(seconds=settings.SESSION_COOKIE_AGE) if user_id else _WITHOUT_USER
        return BrowserSession(
            session_key=_digest(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=started + lifetime if user_id else now + lifetime,
            user_id=int(user_id) if user_id else None,
            created_at=started,
            last_seen_at=now,
            address=data.get(_ADDRESS) or None,
            user_agent=data.get(_USER_AGENT, ""),
        )


def begin(request: HttpRequest, **_signal: Any) -> None:
    """Note in a session that a user has just signed in, and from where; delete sessions that have expired."""
    if not isinstance(request.session, SessionStore):
        return  # the admin's
    request.has_signed_in = True  # type: ignore[attr-defined]  # for `pages.BrowserUser`
    request.session[_STARTED] = timezone.now().timestamp()
    request.session[_ADDRESS] = client_address(request)
    request.session[_USER_AGENT] = _printable(request.headers.get("User-Agent", ""))
    with signing_in():
        expired = BrowserSession.objects.filter(expire_date__lte=timezone.now())
        BrowserSession.objects.filter(pk__in=list(expired.values_list("pk", flat=True)[:_EXPIRED_AT_ONCE])).delete()


def sessions_of(user_id: int, *, current: str | None) -> list[SessionOfUser]:
    """Return the sessions of a user, the latest first; `current` is the key of the one in use."""
    own = _digest(current or "")
    with signing_in():
        return [
            SessionOfUser(
                row.session_key,
                row.address or "",
                row.user_agent,
                row.created_at,
                row.last_seen_at,
                row.session_key == own,
            )
            for row in _alive().filter(user_id=user_id).order_by("-last_seen_at")[:100]
        ]


def end_session(user_id: int, session_id: str) -> None:
    """End a session of this user, unless there is none with this id."""
    if not _ID.fullmatch(session_id):
        return
    with signing_in():
        BrowserSession.objects.filter(user_id=user_id, session_key=session_id).delete()


def end_sessions(user_id: int, *, but: str | None = None) -> None:
    """End all sessions of a user, but for the one with this key."""
    with signing_in():
        BrowserSession.objects.filter(user_id=user_id).exclude(session_key=_digest(but or "")).delete()


def _alive() -> "QuerySet[BrowserSession]":
    now = timezone.now()
    idle = timedelta(minutes=settings.ENV.session_idle_minutes)
    return BrowserSession.objects.filter(expire_date__gt=now, last_seen_at__gt=now - idle)


def _digest(session_key: str) -> str:
    # The key has 160 random bits, and so has the digest that is stored.
    return hashlib.sha256(session_key.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:200]
