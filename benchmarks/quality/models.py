"""The models under test."""

from collections.abc import Mapping

from embeddings.backends.embedded import ENGLISH, FORMER, MULTILINGUAL, EmbeddedBackend, TextModel

DEFAULT = "multilingual"
NAMES: Mapping[str, TextModel] = {"minilm": FORMER, "english": ENGLISH, DEFAULT: MULTILINGUAL}


def load(name: str) -> EmbeddedBackend:
    """Return the loaded backend of a name."""
    backend = EmbeddedBackend(NAMES[name])
    backend.load()
    return backend
