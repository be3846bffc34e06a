"""Selects the backend. Only the selected backend's module is imported, because each has dependencies of its own.

To add a backend, add a module `embeddings.backends.NAME` with a function `make(settings)`, and its name to `config`.
"""

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from embeddings.backends.base import Backend
from embeddings.config import Settings

log = logging.getLogger(__name__)


def choose_backend(settings: Settings) -> Backend:
    """Return the configured backend. `auto` prefers a visual model and falls back to `embedded`."""
    name = settings.backend
    if name == "auto":
        name = "colpali" if _visual_model_available(settings) else "embedded"
        if name == "embedded":
            log.warning("No visual model can run here: pages are searched by the text that OCR reads on them.")
    return cast(Backend, import_module(f"embeddings.backends.{name}").make(settings))


def _visual_model_available(settings: Settings) -> bool:
    """Check for torch, and for weights that are present or may be downloaded."""
    if not (find_spec("torch") and find_spec("colpali_engine")):
        return False
    return not settings.offline or import_module("embeddings.backends.colpali").weights(settings) is not None
