"""The verb that turns questions or images into multi-vectors, for programs that score by themselves."""

import base64
import binascii
from typing import Literal

from collections_app import embedder
from collections_app.errors import Base64Invalid
from embeddings.client import Embedded
from paliapi.errors import Problem

Task = Literal["query", "image"]


def run(inputs: list[str], *, task: Task, at: str) -> Embedded:
    """One multi-vector for each input, in order; images are in base64."""
    if task == "query":
        return embedder.queries(inputs, at=at)
    return embedder.pages([_decoded(text, at=f"{at}/{number}") for number, text in enumerate(inputs)], at=at)


def _decoded(text: str, *, at: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Base64Invalid(problems=(Problem(at, Base64Invalid.code, Base64Invalid.title),)) from None
