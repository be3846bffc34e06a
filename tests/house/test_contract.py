"""Responses to generated requests, valid and invalid, conform to the OpenAPI document."""

import tomllib
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from pytest_django import Settings
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished

from paliapi.env import ROOT
from paliapi.wsgi import application
from tests.cast import Someone, someone
from tests.collections_app.documents import shown_with_pages
from tests.house.tables import pooled

_SEED = 20261121


@pytest.fixture
def owner(transactional_db: None, settings: Settings, embedding: None) -> Iterator[Someone]:
    """An owner with a little of everything, and no rate limit."""
    settings.ENV = replace(settings.ENV, rate_per_minute=10**9, rate_burst=10**9)
    owner = someone("contract@example.com")
    shown_with_pages(owner, "report.pdf", pages=2, metadata={"year": 2026})
    with pooled(4):
        yield owner


def _whole(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The web application with unstreamed responses, because schemathesis does not close streams."""
    answer = application(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


def _configured(key: str) -> SchemathesisConfig:
    captured = tomllib.loads((ROOT / "tests" / "contract" / "schemathesis.toml").read_text())
    return SchemathesisConfig.from_dict(
        {
            **captured,
            "seed": _SEED,
            "headers": {"Authorization": f"Bearer {key}"},
            "generation": {"max-examples": 6, "deterministic": True, "no-shrink": True},
            "phases": {"stateful": {"generation": {"max-examples": 4}}},
            "cache": {"enabled": False},
        }
    )


def _failures(events: Iterator[EngineEvent]) -> dict[str, str]:
    """Collect violations by operation and check, each with the first request that shows it."""
    results: dict[str, str] = {}
    for event in events:
        if isinstance(event, FatalError):
            raise event.exception
        if isinstance(event, NonFatalError):
            results[event.label] = "".join(traceback.format_exception(event.value))
        if isinstance(event, ScenarioFinished):
            for node in (node for nodes in event.recorder.checks.values() for node in nodes):
                if node.status is Status.FAILURE and node.failure_info is not None:
                    failure = node.failure_info.failure
                    shown = f"{failure}\n{node.failure_info.code_sample}"
                    results.setdefault(f"{failure.operation}: {node.name}", shown)
    return results


def test_generated_requests_conform_to_the_document(owner: Someone) -> None:
    schema: Any = schemathesis.openapi.from_wsgi("/v1/openapi.json", _whole, config=_configured(owner.key))
    results = _failures(from_schema(schema).execute())
    assert not results, "\n\n".join(f"{what}\n{shown}" for what, shown in results.items())
