"""The interface of a text encoder."""

from collections.abc import Sequence
from typing import Protocol

from embeddings.backends.encoders.bert import Floats
from embeddings.backends.pieces import WordPieces
from embeddings.contract import Task


class TextEncoder(Protocol):
    """Both methods are called on many threads."""

    def tokenize(self, text: str | Sequence[str]) -> WordPieces:
        """Return the word pieces of a text, or of a sequence of words."""
        ...

    def meanings(self, pieces: WordPieces, task: Task) -> Floats:
        """Return a unit vector (n, 112) for each piece that gets one; at least one does."""
        ...
