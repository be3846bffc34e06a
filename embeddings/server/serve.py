"""Serves on a port until the process is stopped."""

import socket
from types import FrameType

import uvicorn

from embeddings.backends.choose import choose_backend, choose_reranker
from embeddings.config import Settings
from embeddings.server.app import create_app
from embeddings.server.engine import EmbeddingEngine


class _Server(uvicorn.Server):
    """Drains the engine as soon as a signal to stop arrives."""

    def __init__(self, server_config: uvicorn.Config, *, engine: EmbeddingEngine) -> None:
        super().__init__(server_config)
        self.engine = engine

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.engine.drain()
        super().handle_exit(sig, frame)


def serve(settings: Settings) -> None:
    """Serve until a signal to stop arrives."""
    engine = EmbeddingEngine(choose_backend(settings), settings=settings, reranker=choose_reranker(settings))
    server_config = uvicorn.Config(
        create_app(engine, settings=settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=settings.log_level == "DEBUG",
        timeout_graceful_shutdown=settings.drain_s,
    )
    _Server(server_config, engine=engine).run(sockets=_sockets(settings))


def _sockets(settings: Settings) -> list[socket.socket] | None:
    """Open the service's port and the health port, or return None if there is no separate health port."""
    if settings.health_port in (0, settings.port):
        return None
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return [
        socket.create_server((settings.host, port), family=family) for port in (settings.port, settings.health_port)
    ]
