"""The verb that turns questions or images into multi-vectors, for programs that score by themselves."""

from typing import Literal

from collections_app import embedder
from collections_app.engine import coded
from embeddings.client import Embedded

Task = Literal["query", "image"]


def run(inputs: list[str], *, task: Task, at: str) -> Embedded:
    """One multi-vector for each input, in order; images are in base64."""
    if task == "query":
        return embedder.queries(inputs, at=at)
    return embedder.pages([coded.decoded(text, at=f"{at}/{number}") for number, text in enumerate(inputs)], at=at)
