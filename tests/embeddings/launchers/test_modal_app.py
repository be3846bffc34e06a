"""The Modal application, built without network or account."""

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


def test_the_application_is_built_offline() -> None:
    assert isinstance(modal_app.app, modal.App)
    assert modal_app.app.name == "paliapi-embeddings"
    assert isinstance(modal_app.serve, modal.Function)
    assert isinstance(modal_app.image, modal.Image)


@pytest.mark.usefixtures("_environment")
def test_the_function_gives_the_application_of_the_environment() -> None:
    asgi = modal_app.serve.local()
    assert {"/embeddings", "/ready"} <= {route.path for route in asgi.routes}


def test_it_opens_only_with_its_model_loaded() -> None:
    asgi = modal_app.preloading_app(settings())

    async def asked() -> list[int]:
        async with asgi.router.lifespan_context(asgi):
            transport = httpx.ASGITransport(asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://modal") as client:
                body = {"input_type": "text", "inputs": ["hello"]}
                key = {"authorization": f"Bearer {KEY}"}
                answers = [
                    await client.get("/ready"),
                    await client.post("/embeddings", json=body),
                    await client.post("/embeddings", json=body, headers=key),
                ]
        return [answer.status_code for answer in answers]

    assert asyncio.run(asked()) == [200, 401, 200]
