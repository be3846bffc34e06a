"""The Modal application: `modal deploy -m embeddings.launchers.modal_app`, from the root of the repository.

The API key, and optionally other COLPALI_* variables, come from a secret:
`modal secret create paliapi-embeddings COLPALI_API_KEY=...`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import modal
from starlette.applications import Starlette

from embeddings import config
from embeddings.backends.choose import choose_backend, choose_reranker
from embeddings.config import Settings
from embeddings.server.app import create_app
from embeddings.server.engine import EmbeddingEngine

_CACHE: Final = "/cache"
_ROOT: Final = Path(__file__).parents[2]

image = (
    modal.Image.debian_slim(python_version="3.12")
    .uv_sync(str(_ROOT), groups=["gpu", "modal"], extra_options="--no-default-groups --no-install-project")
    .env({"COLPALI_BACKEND": "colpali", "HF_HOME": _CACHE, "HF_XET_HIGH_PERFORMANCE": "1"})
    .add_local_python_source("embeddings")
)
app = modal.App("paliapi-embeddings", image=image)
weights = modal.Volume.from_name("paliapi-embeddings-weights", create_if_missing=True)
secret = modal.Secret.from_name("paliapi-embeddings", required_keys=["COLPALI_API_KEY"])


@app.function(
    gpu=["L4", "A10"],
    volumes={_CACHE: weights},
    secrets=[secret],
    timeout=600,
    startup_timeout=1200,
    scaledown_window=300,
    max_containers=4,
)
@modal.concurrent(max_inputs=32, target_inputs=16)
@modal.asgi_app()
def serve() -> Starlette:
    """Return the application for Modal to serve."""
    return preloading_app(config.load())


def preloading_app(settings: Settings) -> Starlette:
    """Return an application whose startup waits for the model; Modal holds requests back until then."""
    engine = EmbeddingEngine(choose_backend(settings), settings=settings, reranker=choose_reranker(settings))
    asgi = create_app(engine, settings=settings)
    start_and_stop = asgi.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: Starlette) -> AsyncIterator[None]:
        async with start_and_stop(started):
            await engine.wait_until_loaded()
            yield

    asgi.router.lifespan_context = lifespan
    return asgi
