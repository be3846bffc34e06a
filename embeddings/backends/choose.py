"""Which backend the settings ask for."""

from embeddings.backends.base import Backend
from embeddings.backends.lexical import Lexical
from embeddings.config import Settings


def choose(_: Settings) -> Backend:
    """The backend by name."""
    return Lexical()
