"""The real service, run in this process on a free port."""

import base64
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import uvicorn
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from embeddings.backends.base import Backend, Reranker
from embeddings.backends.lexical import LexicalBackend
from embeddings.config import Settings, parse
from embeddings.server.app import create_app
from embeddings.server.engine import EmbeddingEngine

KEY = "key-of-the-tests"
DEADLINE_S = 20.0


def settings(**values: str) -> Settings:
    """Return settings as read from the environment."""
    return parse({"COLPALI_API_KEY": KEY, "COLPALI_BACKEND": "lexical"} | values)


@contextmanager
def serving(reranker: Reranker | None = None, /, **values: str) -> Iterator[httpx.Client]:
    """Run a service with the lexical backend, and yield a client of it."""
    with serving_with(LexicalBackend(), reranker, **values) as client:
        until_ready(client)
        yield client


@contextmanager
def serving_with(backend: Backend, reranker: Reranker | None = None, /, **values: str) -> Iterator[httpx.Client]:
    """Run a service and yield a client with its key; the model may still be loading."""
    chosen = settings(**values)
    engine = EmbeddingEngine(backend, settings=chosen, reranker=reranker)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(engine, settings=chosen), log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=DEADLINE_S) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(DEADLINE_S)
        listener.close()
    assert not thread.is_alive()


def until_ready(client: httpx.Client, *, timeout_s: float = DEADLINE_S) -> None:
    """Wait until /ready answers 200."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)  # poll, until the deadline above
    raise AssertionError("The service did not become ready.")


def text_image(*lines: str, size: tuple[int, int] = (640, 400)) -> Image.Image:
    """Return a white page with black lines of text."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((30, 30 + 40 * number), line, fill="black", font_size=24)
    return image


def encoded(image: Image.Image, *, kind: str = "PNG") -> str:
    """Return the image in base64."""
    out = io.BytesIO()
    image.save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


def maxsim(query: Any, page: Any) -> float:
    """Compute the late-interaction score in the slow and obvious way."""
    return float(sum(max(float(np.dot(q, p)) for p in floats(page)) for q in floats(query)))


def floats(rows: Any) -> NDArray[np.float32]:
    return np.asarray(rows, dtype=np.float32)
