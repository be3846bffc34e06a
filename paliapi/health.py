"""Is it alive, is it ready, and which part is not."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import httpx
import redis
import structlog
from django.conf import settings
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from paliapi import metrics

log = structlog.get_logger(__name__)

T = TypeVar("T")

_KEEP_S = 2.0


class HealthOut(serializers.Serializer[dict[str, str]]):
    status = serializers.CharField(help_text="Always `ok`: the web answers.")


class Health(APIView):
    """Open to everybody, like signed links and nothing else of the API."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        operation_id="getHealth",
        tags=["health"],
        summary="Say that the web answers",
        description="Needs no key and checks nothing else; `/readyz` tells the state of every part.",
        auth=[],
        responses=HealthOut,
        examples=[OpenApiExample("Alive", value={"status": "ok"}, response_only=True)],
    )
    def get(self, _request: Request) -> Response:
        return Response({"status": "ok"})


def livez(_request: HttpRequest) -> JsonResponse:
    """The process runs; nothing else is asked, so an outage elsewhere restarts nobody."""
    return JsonResponse({"status": "ok"})


# What others have to tell beside the parts: a name, and whom to ask. It decides nothing.
details: dict[str, Callable[[], object]] = {}


class Readiness:
    """Asks every part, at most every two seconds whoever asks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked_at = float("-inf")
        self._parts: dict[str, str] = {}
        self._details: dict[str, object] = {}
        self._migrated = False

    def parts_and_details(self) -> tuple[dict[str, str], dict[str, object]]:
        with self._lock:
            if time.monotonic() - self._asked_at > _KEEP_S:
                self._parts = self._ask()
                self._details = {name: _state(name, tell) for name, tell in details.items()}
                self._asked_at = time.monotonic()
            return self._parts, self._details

    def _ask(self) -> dict[str, str]:
        checks: dict[str, Callable[[], str]] = {
            "database": _database,
            "migrations": self._migrations,
            "redis": _redis,
            "storage": _storage,
            "embeddings": _embeddings,
        }
        parts = {name: _state(name, check) for name, check in checks.items()}
        for name, state in parts.items():
            metrics.component_up.labels(name).set(state == "ok")
        return parts

    def _migrations(self) -> str:
        if not self._migrated:
            executor = MigrationExecutor(connection)
            self._migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return "ok" if self._migrated else "pending"


def _state(name: str, check: Callable[[], T]) -> T | str:
    # Whatever goes wrong in a check is what it is there to find.
    try:
        return check()
    except Exception as exc:
        log.warning("not_ready", part=name, error=type(exc).__name__)
        return "unreachable"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        row = cursor.fetchone()
    return "ok" if row == (False,) else "role bypasses row-level security"


def _redis() -> str:
    with redis.Redis.from_url(settings.ENV.redis_url, socket_timeout=1, socket_connect_timeout=1) as client:
        client.ping()
    return "ok"


def _storage() -> str:
    storages["default"].exists("readiness")
    return "ok"


def _embeddings() -> str:
    response = httpx.get(f"{settings.ENV.embeddings_url.rstrip('/')}/ready", timeout=1.0, follow_redirects=True)
    return "ok" if response.is_success else "not ready"


_readiness = Readiness()


def readyz(_request: HttpRequest) -> JsonResponse:
    """503 when something we cannot do without is missing; without embeddings we are only degraded."""
    parts, more = _readiness.parts_and_details()
    needed = [state for name, state in parts.items() if name != "embeddings"]
    status = "unready" if any(state != "ok" for state in needed) else "ok"
    if status == "ok" and parts["embeddings"] != "ok":
        status = "degraded"
    body: dict[str, Any] = {"status": status, "parts": parts, **more}
    return JsonResponse(body, status=503 if status == "unready" else 200)
