"""The models under test."""

from collections.abc import Mapping
from dataclasses import replace

from embeddings.backends.embedded import ENGLISH, FORMER, MULTILINGUAL, EmbeddedBackend, TextModel

DEFAULT = "multilingual"
# The default model without the vectors of passages.
PIECES = "pieces"
NAMES: Mapping[str, TextModel] = {
    "minilm": FORMER,
    "english": ENGLISH,
    PIECES: replace(MULTILINGUAL, sentences=False),
    DEFAULT: MULTILINGUAL,
}


def load(name: str) -> EmbeddedBackend:
    """Return the loaded backend of a name."""
    backend = EmbeddedBackend(NAMES[name])
    backend.load()
    return backend
