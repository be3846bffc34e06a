"""Answers of a service are checked before anything is done with them: it is another machine, perhaps another's."""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.client.errors import OtherSpace, Untrustworthy
from embeddings.contract import Layout, MultiVector, Space

_MOST_ROWS = 65536
_NORM_TOLERANCE = 0.02
_MOST_WORDS = 20_000
_LONGEST_WORD = 1000


def rows(value: Any) -> NDArray[Any]:
    """One multi-vector of a JSON answer: lists of floats, or base64 with its shape."""
    try:
        if not isinstance(value, Mapping):
            return np.asarray(value, dtype=np.float64)
        shape = tuple(int(side) for side in value["shape"])
        dtype = np.dtype({"float16": "<f2", "float32": "<f4"}[value.get("dtype", "float16")])
        raw = base64.b64decode(value["data"], validate=True)
        if min(shape, default=0) < 1 or len(raw) != dtype.itemsize * math.prod(shape):
            raise Untrustworthy("The answer's bytes do not go with their shape.")
        return np.frombuffer(raw, dtype=dtype).reshape(shape)
    except (ValueError, TypeError, KeyError, OverflowError, binascii.Error) as problem:
        raise Untrustworthy(f"The answer holds something that is not rows of numbers: {problem}.") from problem


def checked(answer: Sequence[MultiVector], *, count: int) -> list[MultiVector]:
    """The answer, in float16, if every number in it can be believed."""
    if len(answer) != count:
        raise Untrustworthy(f"{count} inputs were sent and {len(answer)} embeddings came back.")
    found = [_one(embedded, at=number) for number, embedded in enumerate(answer)]
    if len({one.vectors.shape[1] for one in found}) > 1:
        raise Untrustworthy("The embeddings of one answer have different dimensions.")
    return found


def check_space(found: Space, *, expected: Space | None) -> None:
    """Raise OtherSpace unless the vectors may be compared with those expected. An older service may not name itself."""
    if expected is None:
        return
    same_model = not found.model or (found.model, found.revision) == (expected.model, expected.revision)
    if found.dim != expected.dim or not same_model:
        raise OtherSpace(f"Expected vectors of {_told(expected)}; the service answers with {_told(found)}.")


def _told(space: Space) -> str:
    return f"{space.model or 'an unnamed model'} at {space.revision or 'no revision'} ({space.dim} dimensions)"


def _one(embedded: MultiVector, *, at: int) -> MultiVector:
    vectors = embedded.vectors
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or not 0 < vectors.shape[1] <= 8192 or len(vectors) > _MOST_ROWS:
        raise Untrustworthy(f"Embedding {at} has shape {vectors.shape} and type {vectors.dtype}.")
    if not np.isfinite(vectors).all() or (np.abs(vectors) > 1 + _NORM_TOLERANCE).any():
        raise Untrustworthy(f"Embedding {at} has numbers that no unit vector has.")
    wide = vectors.astype(np.float32)
    norms = np.linalg.norm(wide, axis=1)
    layout = _layout(embedded.layout, rows=len(wide), at=at)
    if layout is None:
        # Simple services send their batch's padding along; it would take part in every score.
        wide, norms = wide[norms > 0], norms[norms > 0]
    if not len(wide) or (np.abs(norms - 1) > _NORM_TOLERANCE).any():
        raise Untrustworthy(f"Embedding {at} has rows that are not of unit length.")
    return MultiVector(wide.astype(np.float16), layout)


def _layout(layout: Layout | None, *, rows: int, at: int) -> Layout | None:
    match layout:
        case None:
            return None
        case {"kind": "grid", "n_x": int(n_x), "n_y": int(n_y), "offset": int(offset)} if (
            min(n_x, n_y) > 0 and offset >= 0 and offset + n_x * n_y <= rows
        ):
            return {"kind": "grid", "n_x": n_x, "n_y": n_y, "offset": offset}
        case {"kind": "boxes", "boxes": list(boxes)} if len(boxes) == rows and all(map(_is_box, boxes)):
            words = _words(layout)
            return {"kind": "boxes", "boxes": boxes, "words": words} if words else {"kind": "boxes", "boxes": boxes}
        case _:
            raise Untrustworthy(f"Embedding {at} has a layout that does not go with its {rows} rows.")


def _words(layout: Layout) -> list[list[str | float]]:
    """The words that were read, as far as they are some; what else is there does no harm and is left out."""
    found = layout.get("words")
    if not isinstance(found, list):
        return []
    return [word for word in found[:_MOST_WORDS] if _is_word(word)]


def _is_word(word: Any) -> bool:
    if not (isinstance(word, list) and len(word) == 5 and isinstance(word[0], str)):
        return False
    return 0 < len(word[0]) <= _LONGEST_WORD and _is_box(word[1:])


def _is_box(box: Any) -> bool:
    if box is None:
        return True
    numbers = isinstance(box, list) and len(box) == 4 and all(type(edge) in (int, float) for edge in box)
    return numbers and all(0 <= edge <= 1 for edge in box)
