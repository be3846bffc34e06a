"""Checks of a response before it is used: the service runs on another machine, perhaps operated by another party."""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from embeddings.client.errors import InvalidResponse, SpaceMismatch
from embeddings.contract import MAX_WORD_LENGTH, MAX_WORDS, Layout, MultiVector, VectorSpace

_MAX_ROWS = 65536
_MAX_DIM = 8192
_MAX_SCRIPT = 32
_NORM_TOLERANCE = 0.02


def parse_rows(value: Any) -> NDArray[Any]:
    """Return one multi-vector of a JSON response as an array: lists of floats, or base64 with its shape."""
    try:
        if not isinstance(value, Mapping):
            return np.asarray(value, dtype=np.float64)
        shape = tuple(int(side) for side in value["shape"])
        dtype = np.dtype({"float16": "<f2", "float32": "<f4"}[value.get("dtype", "float16")])
        data = base64.b64decode(value["data"], validate=True)
        if min(shape, default=0) < 1 or len(data) != dtype.itemsize * math.prod(shape):
            raise InvalidResponse("The embedding's data does not match its shape.")
        return np.frombuffer(data, dtype=dtype).reshape(shape)
    except (ValueError, TypeError, KeyError, OverflowError, binascii.Error) as error:
        raise InvalidResponse(f"The response contains an embedding that is not rows of numbers: {error}.") from error


def check_multi_vectors(multi_vectors: Sequence[MultiVector], *, count: int) -> list[MultiVector]:
    """Return the multi-vectors in float16, or raise InvalidResponse unless there are `count` and all are valid."""
    if len(multi_vectors) != count:
        raise InvalidResponse(f"{count} inputs were sent and {len(multi_vectors)} embeddings came back.")
    checked = [_check_multi_vector(multi_vector, index=index) for index, multi_vector in enumerate(multi_vectors)]
    if len({multi_vector.vectors.shape[1] for multi_vector in checked}) > 1:
        raise InvalidResponse("The embeddings of one response have different dimensions.")
    return checked


def check_scores(content: Mapping[str, Any], *, count: int) -> list[float]:
    """Return the scores of a response of POST /rerank in the order of the texts, or raise InvalidResponse."""
    scores: dict[int, float] = {}
    results = content.get("results")
    for result in results if isinstance(results, list) else ():
        match result:
            case {"index": int(index), "relevance_score": int() | float() as score} if 0 <= score <= 1:
                scores[index] = float(score)
            case _:
                raise InvalidResponse("The response has a result without an index and a score from 0 to 1.")
    if scores.keys() != set(range(count)):
        raise InvalidResponse(f"{count} texts were sent, and {len(scores)} of them have a score.")
    return [scores[index] for index in range(count)]


def check_space(space: VectorSpace, *, expected: VectorSpace | None) -> None:
    """Raise SpaceMismatch unless the spaces are the same. Older services do not name their model."""
    if expected is None:
        return
    same_model = not space.model or (space.model, space.revision) == (expected.model, expected.revision)
    if space.dim != expected.dim or not same_model:
        raise SpaceMismatch(f"Expected vectors of {_describe(expected)}; the service uses {_describe(space)}.")


def _describe(space: VectorSpace) -> str:
    return f"{space.model or 'an unnamed model'} at {space.revision or 'no revision'} ({space.dim} dimensions)"


def _check_multi_vector(multi_vector: MultiVector, *, index: int) -> MultiVector:
    vectors = multi_vector.vectors
    if (
        vectors.ndim != 2
        or vectors.dtype.kind != "f"
        or not 0 < vectors.shape[1] <= _MAX_DIM
        or len(vectors) > _MAX_ROWS
    ):
        raise InvalidResponse(f"Embedding {index} has shape {vectors.shape} and type {vectors.dtype}.")
    if not np.isfinite(vectors).all() or (np.abs(vectors) > 1 + _NORM_TOLERANCE).any():
        raise InvalidResponse(f"Embedding {index} has values that no unit vector has.")
    rows = vectors.astype(np.float32)
    norms = np.linalg.norm(rows, axis=1)
    layout = _check_layout(multi_vector.layout, rows=len(rows), index=index)
    if layout is None:
        # Simple services send the padding of their batch; it would take part in every score.
        rows, norms = rows[norms > 0], norms[norms > 0]
    if not len(rows) or (np.abs(norms - 1) > _NORM_TOLERANCE).any():
        raise InvalidResponse(f"Embedding {index} has rows that are not of unit length.")
    return MultiVector(rows.astype(np.float16), layout)


def _check_layout(layout: Layout | None, *, rows: int, index: int) -> Layout | None:
    match layout:
        case None:
            return None
        case {"kind": "grid", "n_x": int(n_x), "n_y": int(n_y), "offset": int(offset)} if (
            min(n_x, n_y) > 0 and offset >= 0 and offset + n_x * n_y <= rows
        ):
            return {"kind": "grid", "n_x": n_x, "n_y": n_y, "offset": offset}
        case {"kind": "boxes", "boxes": list(boxes)} if len(boxes) == rows and all(map(_is_box, boxes)):
            checked: Layout = {"kind": "boxes", "boxes": boxes}
            if words := _valid_words(layout):
                checked["words"] = words
            if _is_script(script := layout.get("unread_script")):
                checked["unread_script"] = script
            return checked
        case _:
            raise InvalidResponse(f"Embedding {index} has a layout that does not match its {rows} rows.")


def _valid_words(layout: Layout) -> list[list[str | float]]:
    """Return the valid words of a layout; invalid ones do no harm and are left out."""
    words = layout.get("words")
    if not isinstance(words, list):
        return []
    return [word for word in words[:MAX_WORDS] if _is_word(word)]


def _is_script(script: Any) -> TypeGuard[str]:
    return isinstance(script, str) and script.isalpha() and len(script) <= _MAX_SCRIPT


def _is_word(word: Any) -> bool:
    if not (isinstance(word, list) and len(word) == 5 and isinstance(word[0], str)):
        return False
    return 0 < len(word[0]) <= MAX_WORD_LENGTH and _is_box(word[1:])


def _is_box(box: Any) -> bool:
    if box is None:
        return True
    numbers = isinstance(box, list) and len(box) == 4 and all(type(edge) in (int, float) for edge in box)
    return numbers and all(0 <= edge <= 1 for edge in box)
