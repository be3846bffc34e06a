"""Builds responses: embeddings in the requested format, and errors."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from starlette.responses import Response

from embeddings.contract import DIM_HEADER, MODEL_HEADER, NPZ, REVISION_HEADER, MultiVector, VectorSpace, pack
from embeddings.errors import RequestError
from embeddings.server.requests import EmbeddingRequest


def json_response(content: Any, *, status: int = 200, media_type: str = "application/json") -> Response:
    """Return a JSON response; the content may contain arrays."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status_code=status, media_type=media_type)


def embeddings_response(
    request: EmbeddingRequest, multi_vectors: Sequence[MultiVector], *, space: VectorSpace
) -> Response:
    """Return the embeddings in the format of the request."""
    if request.format == "npz":
        with_layout = "layout" in request.include
        body = pack(multi_vectors, input_type=request.input_type, space=space, with_layout=with_layout)
        return Response(body, media_type=NPZ)
    if request.format == "base64":
        content: dict[str, Any] = {
            "embeddings": [_encode_base64(multi_vector) for multi_vector in multi_vectors],
            "encoding_format": "base64",
        }
    else:
        content = {"embeddings": [multi_vector.vectors.astype(np.float32) for multi_vector in multi_vectors]}
    return json_response(content | _included(request, multi_vectors, space=space))


def _encode_base64(multi_vector: MultiVector) -> dict[str, Any]:
    rows = np.ascontiguousarray(multi_vector.vectors, dtype="<f2")
    return {"shape": list(rows.shape), "dtype": "float16", "data": base64.b64encode(rows.tobytes()).decode()}


def _included(request: EmbeddingRequest, multi_vectors: Sequence[MultiVector], *, space: VectorSpace) -> dict[str, Any]:
    included: dict[str, Any] = {}
    if "layout" in request.include:
        included["layout"] = [multi_vector.layout for multi_vector in multi_vectors]
    if "usage" in request.include:
        included["usage"] = {
            "inputs": len(multi_vectors),
            "vectors": sum(len(multi_vector.vectors) for multi_vector in multi_vectors),
        }
    if "model" in request.include:
        included |= {"model": space.model, "revision": space.revision, "dim": space.dim}
    return included


def error_response(error: RequestError) -> Response:
    """Return an error as application/problem+json."""
    content = {"type": "about:blank", "title": error.title, "status": error.status, "code": error.code}
    content |= {"detail": error.detail} | ({} if error.index is None else {"index": error.index})
    response = json_response(content, status=error.status, media_type="application/problem+json")
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(error.retry_after_s)
    if error.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def space_headers(space: VectorSpace) -> list[tuple[bytes, bytes]]:
    """Return the headers that name the space; values that are not known yet are left out."""
    values = ((MODEL_HEADER, space.model), (REVISION_HEADER, space.revision), (DIM_HEADER, str(space.dim or "")))
    return [(name.encode(), value.encode("ascii", "replace")) for name, value in values if value]
