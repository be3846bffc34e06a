"""The models under test."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from embeddings.backends.embedded import ENGLISH, FORMER, MULTILINGUAL, EmbeddedBackend, TextModel
from embeddings.backends.encoders.e5 import E5

DEFAULT = "multilingual"
# The default model without the vectors of passages.
PIECES = "pieces"
NAMES: Mapping[str, TextModel] = {
    "minilm": FORMER,
    "english": ENGLISH,
    PIECES: replace(MULTILINGUAL, sentences=False),
    DEFAULT: MULTILINGUAL,
}
# The default model whose matrices are not rounded to eight bits.
UNROUNDED = "float32"


def load(name: str) -> EmbeddedBackend:
    """Return the loaded backend of a name."""
    unrounded = replace(MULTILINGUAL, load=partial(E5, precision="float32"))
    backend = EmbeddedBackend(unrounded if name == UNROUNDED else NAMES[name])
    backend.load()
    return backend
