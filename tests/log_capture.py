"""The log as a process writes it."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from paliapi import logs


@contextmanager
def log_written(*, level: str, form: str) -> Iterator[io.StringIO]:
    """Configure logging as a process does; yield what is written, and restore the former configuration afterwards."""
    root = logging.getLogger()
    handlers, former_level, configured = list(root.handlers), root.level, structlog.get_config()
    logs.configure(level=level, form=form)
    stream = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    try:
        yield stream
    finally:
        structlog.configure(**configured)
        root.handlers[:] = handlers
        root.setLevel(former_level)
