"""Serves on a port of its own until told to stop."""

import logging
import socket
import sys
from types import FrameType

import uvicorn

from embeddings import config
from embeddings.backends.choose import choose
from embeddings.config import Settings
from embeddings.server.app import create_app
from embeddings.server.engine import EmbeddingEngine


class _Server(uvicorn.Server):
    """Tells the engine to take no more work as soon as it is told to stop."""

    def __init__(self, configuration: uvicorn.Config, *, engine: EmbeddingEngine) -> None:
        super().__init__(configuration)
        self.engine = engine

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.engine.drain()
        super().handle_exit(sig, frame)


def main() -> None:
    """Serve with the settings of the environment."""
    try:
        settings = config.load()
    except config.ConfigError as problem:
        sys.exit(str(problem))
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    engine = EmbeddingEngine(choose(settings), settings=settings)
    configuration = uvicorn.Config(
        create_app(engine, settings=settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=settings.log_level == "DEBUG",
        timeout_graceful_shutdown=settings.drain_s,
    )
    _Server(configuration, engine=engine).run(sockets=_two_ports(settings))


def _two_ports(settings: Settings) -> list[socket.socket] | None:
    """The port of the service and the one where a platform asks for its health, if that is another one."""
    if settings.health_port in (0, settings.port):
        return None
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return [
        socket.create_server((settings.host, port), family=family) for port in (settings.port, settings.health_port)
    ]
