"""The database login that sees passwords, second factors and sessions, and the block of code that uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Model

from accounts.ownership import acting_as_sign_in

_signing_in: ContextVar[bool] = ContextVar("signing_in", default=False)


class SignInRouter:
    """Sends queries to the login for signing in within `signing_in`, and nowhere else."""

    def db_for_read(self, _model: type[Model], **_hints: Any) -> str | None:
        return settings.SIGN_IN_DATABASE if _signing_in.get() else None

    db_for_write = db_for_read

    def allow_relation(self, _one: Model, _other: Model, **_hints: Any) -> bool:
        return True  # it is one database, with two logins

    def allow_migrate(self, database: str, _app_label: str, **_hints: Any) -> bool:
        return database == DEFAULT_DB_ALIAS


@contextmanager
def signing_in() -> Iterator[None]:
    """Run the queries of a block as the login for signing in, in one transaction.

    Never open a transaction of an owner inside: its queries would run as this login, which sees no rows of owners.
    """
    if _signing_in.get():
        yield
        return
    token = _signing_in.set(True)
    try:
        if settings.SIGN_IN_DATABASE == DEFAULT_DB_ALIAS:
            with acting_as_sign_in():
                yield
        else:
            with transaction.atomic(using=settings.SIGN_IN_DATABASE):
                yield
    finally:
        _signing_in.reset(token)
        if settings.SIGN_IN_DATABASE != DEFAULT_DB_ALIAS:
            # There are few of these connections, so a request returns its own before it does anything else.
            connections[settings.SIGN_IN_DATABASE].close()
