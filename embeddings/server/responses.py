"""What goes back: embeddings in the form that was asked for, and problems."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from starlette.responses import Response

from embeddings.contract import DIM_HEADER, MODEL_HEADER, NPZ, REVISION_HEADER, MultiVector, VectorSpace, pack
from embeddings.errors import RequestError
from embeddings.server.requests import EmbeddingRequest


def as_json(content: Any, *, status: int = 200, media_type: str = "application/json") -> Response:
    """A JSON answer; arrays may be in it."""
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), status_code=status, media_type=media_type)


def embeddings(order: EmbeddingRequest, embedded: Sequence[MultiVector], *, space: VectorSpace) -> Response:
    """The answer to an order, in its format."""
    if order.format == "npz":
        body = pack(embedded, input_type=order.input_type, space=space, with_layout="layout" in order.include)
        return Response(body, media_type=NPZ)
    if order.format == "base64":
        content: dict[str, Any] = {"embeddings": [_coded(one) for one in embedded], "encoding_format": "base64"}
    else:
        content = {"embeddings": [one.vectors.astype(np.float32) for one in embedded]}
    return as_json(content | _extras(order, embedded, space=space))


def _coded(one: MultiVector) -> dict[str, Any]:
    little = np.ascontiguousarray(one.vectors, dtype="<f2")
    return {"shape": list(little.shape), "dtype": "float16", "data": base64.b64encode(little.tobytes()).decode()}


def _extras(order: EmbeddingRequest, embedded: Sequence[MultiVector], *, space: VectorSpace) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if "layout" in order.include:
        extras["layout"] = [one.layout for one in embedded]
    if "usage" in order.include:
        extras["usage"] = {"inputs": len(embedded), "vectors": sum(len(one.vectors) for one in embedded)}
    if "model" in order.include:
        extras |= {"model": space.model, "revision": space.revision, "dim": space.dim}
    return extras


def problem(found: RequestError) -> Response:
    """A problem as application/problem+json, with a string `detail`."""
    content = {"type": "about:blank", "title": found.title, "status": found.status, "code": found.code}
    content |= {"detail": found.detail} | ({} if found.index is None else {"index": found.index})
    response = as_json(content, status=found.status, media_type="application/problem+json")
    if found.retry_after_s is not None:
        response.headers["retry-after"] = str(found.retry_after_s)
    if found.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def space_headers(space: VectorSpace) -> list[tuple[bytes, bytes]]:
    """The headers that name the space, for every answer; what is not known yet is left out."""
    named = ((MODEL_HEADER, space.model), (REVISION_HEADER, space.revision), (DIM_HEADER, str(space.dim or "")))
    return [(name.encode(), value.encode("ascii", "replace")) for name, value in named if value]
