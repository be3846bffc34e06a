"""Embeddings, and conversions of files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from paliapi_client.errors import UnexpectedAnswer
from paliapi_client.flows.readers import one, several
from paliapi_client.flows.steps import Request, Response
from paliapi_client.flows.uploads import Source, Upload, UploadForm
from paliapi_client.models.documents import RenderedPage
from paliapi_client.models.embeddings import Embeddings
from paliapi_client.operations.searching import image_base64


def of_queries(texts: Sequence[str]) -> Request[Embeddings]:
    """Return the vectors of queries."""
    return _embed("query", list(texts))


def of_images(images: Sequence[Source]) -> Request[Embeddings]:
    """Return the vectors of images: paths, bytes or file objects."""
    return _embed("image", [image_base64(image) for image in images])


def file_to_images(source: Source, *, name: str = "file") -> Request[list[RenderedPage]]:
    """Convert a file to images of its pages."""
    form = UploadForm({}, [("file", Upload(source, name))])
    return Request(
        method="POST", path="/helpers/file-to-imgbase64/", form=form, decode=several(RenderedPage), unlimited=True
    )


def file_to_base64(source: Source, *, name: str = "file") -> Request[str]:
    """Convert a file to base64, as ColiVara's clients do on the server."""
    form = UploadForm({}, [("file", Upload(source, name))])
    return Request(method="POST", path="/helpers/file-to-base64/", form=form, decode=_base64_text, unlimited=True)


def _embed(task: str, inputs: list[str]) -> Request[Embeddings]:
    if isinstance(inputs, str):
        raise TypeError("Several inputs are expected.")
    return Request(
        method="POST", path="/embeddings/", json={"task": task, "input_data": inputs}, decode=one(Embeddings)
    )


def _base64_text(response: Response) -> str:
    body = response.json()
    text = body.get("data") if isinstance(body, dict) else None
    try:
        base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        text = None
    if not isinstance(text, str):
        raise UnexpectedAnswer("The answer is not base64.")
    return text
