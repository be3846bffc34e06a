"""The Modal application, built without a network or an account."""

import asyncio

import httpx
import modal
import pytest

from embeddings.launchers import modal_app
from tests.embeddings.serving import KEY, settings


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLPALI_BACKEND", "lexical")
    monkeypatch.setenv("COLPALI_API_KEY", KEY)


def test_application_is_built_offline() -> None:
    assert isinstance(modal_app.app, modal.App)
    assert modal_app.app.name == "paliapi-embeddings"
    assert isinstance(modal_app.serve, modal.Function)
    assert isinstance(modal_app.image, modal.Image)


@pytest.mark.usefixtures("_environment")
def test_function_returns_the_application_configured_by_the_environment() -> None:
    asgi = modal_app.serve.local()
    assert {"/embeddings", "/ready"} <= {route.path for route in asgi.routes}


def test_application_starts_with_its_model_loaded() -> None:
    asgi = modal_app.preloading_app(settings())

    async def statuses() -> list[int]:
        async with asgi.router.lifespan_context(asgi):
            transport = httpx.ASGITransport(asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://modal") as client:
                body = {"input_type": "text", "inputs": ["hello"]}
                key = {"authorization": f"Bearer {KEY}"}
                responses = [
                    await client.get("/ready"),
                    await client.post("/embeddings", json=body),
                    await client.post("/embeddings", json=body, headers=key),
                ]
        return [response.status_code for response in responses]

    assert asyncio.run(statuses()) == [200, 401, 200]
