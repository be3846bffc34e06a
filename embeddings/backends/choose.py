"""Which backend the settings ask for. A backend's module is imported only if it is chosen: each has needs of its own.

Each module `embeddings.backends.NAME` has a function `make(settings)`.
"""

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from embeddings.backends.base import Backend
from embeddings.config import Settings

log = logging.getLogger(__name__)


def choose(settings: Settings) -> Backend:
    """The backend by name; `auto` takes a visual model where one can run, and else the one that needs nothing."""
    name = settings.backend
    if name == "auto":
        name = "colpali" if _can_look(settings) else "embedded"
        if name == "embedded":
            log.warning("No visual model can run here: pages are searched by the English text that OCR reads on them.")
    return cast(Backend, import_module(f"embeddings.backends.{name}").make(settings))


def _can_look(settings: Settings) -> bool:
    """Whether a visual model could run here: torch, and weights that are there or may be fetched."""
    if not (find_spec("torch") and find_spec("colpali_engine")):
        return False
    if not settings.offline:
        return True
    try:
        import_module("embeddings.backends.colpali").weights(settings)
    except import_module("embeddings.backends.checkpoints").ModelNotFound:
        return False
    return True
