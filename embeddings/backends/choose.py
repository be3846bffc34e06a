"""Selects the backend and the reranker. Only their modules are imported, because each has dependencies of its own.

To add a backend, add a module `embeddings.backends.NAME` with a function `make(settings)`, and its name to `config`.
"""

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from embeddings.backends.base import Backend, Reranker
from embeddings.config import ConfigError, Settings

log = logging.getLogger(__name__)


def choose_backend(settings: Settings) -> Backend:
    """Return the configured backend. `auto` prefers a visual model and falls back to `embedded`."""
    name = settings.backend
    if name == "auto":
        name = "colpali" if _visual_model_available(settings) else "embedded"
        if name == "embedded":
            log.warning("No visual model can run here: pages are searched by the text that OCR reads on them.")
    return cast(Backend, import_module(f"embeddings.backends.{name}").make(settings))


def choose_reranker(settings: Settings) -> Reranker | None:
    """Return the configured reranker; None without one."""
    if not settings.reranker:
        return None
    if not (find_spec("torch") and find_spec("transformers")):
        raise ConfigError(["COLPALI_RERANKER needs torch and transformers, which the dependency group gpu contains."])
    return cast(Reranker, import_module("embeddings.backends.cross_encoder").make(settings))


def _visual_model_available(settings: Settings) -> bool:
    """Check for torch, and for weights that are present or may be downloaded."""
    if not (find_spec("torch") and find_spec("colpali_engine")):
        return False
    return not settings.offline or import_module("embeddings.backends.colpali").weights(settings) is not None
