"""Liveness, readiness, and the state of each component."""

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

_CACHE_S = 2.0


class HealthOut(serializers.Serializer[dict[str, str]]):
    status = serializers.CharField(help_text="Always `ok`.")


class HealthView(APIView):
    """The only endpoint besides signed links that needs no key."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        operation_id="getHealth",
        tags=["health"],
        summary="Check liveness",
        description="Needs no key and checks nothing else; `/readyz` reports the state of every component.",
        auth=[],
        responses=HealthOut,
        examples=[OpenApiExample("Alive", value={"status": "ok"}, response_only=True)],
    )
    def get(self, _request: Request) -> Response:
        return Response({"status": "ok"})


def livez(_request: HttpRequest) -> JsonResponse:
    """Report that the process runs; check nothing else, so that an outage elsewhere restarts no process."""
    return JsonResponse({"status": "ok"})


# Further details that applications report, by name. They do not affect the status.
details: dict[str, Callable[[], object]] = {}


class Readiness:
    """The state of every component, checked at most every two seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._checked_at = float("-inf")
        self._parts: dict[str, str] = {}
        self._details: dict[str, object] = {}
        self._migrated = False

    def parts_and_details(self) -> tuple[dict[str, str], dict[str, object]]:
        with self._lock:
            if time.monotonic() - self._checked_at > _CACHE_S:
                self._parts = self._check()
                self._details = {name: _state(name, report) for name, report in details.items()}
                self._checked_at = time.monotonic()
            return self._parts, self._details

    def _check(self) -> dict[str, str]:
        checks: dict[str, Callable[[], str]] = {
            "database": _database,
            "migrations": self._migrations,
            "redis": _redis,
            "storage": _storage,
        }
        if settings.ENV.embeddings_url:
            checks["embeddings"] = _embeddings
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
    try:
        return check()
    except Exception as exc:  # any failure means that the component is not ready
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
    """Report 503 if a component is missing; without embeddings, the service is only degraded."""
    parts, more_details = _readiness.parts_and_details()
    required = [state for name, state in parts.items() if name != "embeddings"]
    status = "unready" if any(state != "ok" for state in required) else "ok"
    if status == "ok" and parts.get("embeddings", "ok") != "ok":
        status = "degraded"
    body: dict[str, Any] = {"status": status, "parts": parts, **more_details}
    return JsonResponse(body, status=503 if status == "unready" else 200)
