"""The data types, names, limits and the npz format that the service and its clients share.

Depends on NumPy only, so a client does not load the service.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from embeddings.word import MAX_WORD_LENGTH as MAX_WORD_LENGTH
from embeddings.word import MAX_WORDS as MAX_WORDS
from embeddings.word import Word as Word

InputType = Literal["text", "image"]
Task = Literal["query", "document"]

NPZ: Final = "application/x-npz"
MODEL_HEADER: Final = "x-embeddings-model"
REVISION_HEADER: Final = "x-embeddings-revision"
DIM_HEADER: Final = "x-embeddings-dim"
# The method of POST /rerank that uses the reranker.
CROSS_ENCODER: Final = "cross_encoder"

# The prefix of this service's own models, which read the text of a page and nothing else.
_TEXT_ONLY_PREFIX: Final = "paliapi/"

Vectors = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """The model, revision and dimension of vectors; only vectors of the same space may be compared."""

    model: str
    revision: str
    dim: int

    @property
    def text_only(self) -> bool:
        """True if the model sees only text. Derived from the name, which is stored with every vector."""
        return self.model.startswith(_TEXT_ONLY_PREFIX)


class Layout(TypedDict):
    """The place on the page that each vector comes from.

    `grid`: `n_y` lines of `n_x` vectors, starting at row `offset`. `boxes`: a box or null for each vector. `words`: the
    words that the service itself recognised on the image, as [text, x0, y0, x1, y1]. `unread_script`: the English name
    of the script of text on the image that the service could not read, or `unknown`.
    """

    kind: Literal["grid", "boxes"]
    n_x: NotRequired[int]
    n_y: NotRequired[int]
    offset: NotRequired[int]
    boxes: NotRequired[list[list[float] | None]]
    words: NotRequired[list[list[str | float]]]
    unread_script: NotRequired[str]


@dataclass(frozen=True, slots=True, eq=False)
class MultiVector:
    """The embedding of one input: unit vectors (n, dim) with n >= 1, and their layout if the backend knows it."""

    vectors: Vectors
    layout: Layout | None = None


class MalformedNpz(ValueError):
    """The bytes are not an npz response of this contract."""


def pack(multi_vectors: Sequence[MultiVector], *, input_type: str, space: VectorSpace, with_layout: bool) -> bytes:
    """Return an npz response: `count`, `input_type`, `emb_0`..., `model`, `revision`, and `layout` as JSON bytes."""
    arrays: dict[str, NDArray[Any]] = {
        "count": np.array(len(multi_vectors)),
        "input_type": np.array(input_type),
        "model": np.array(space.model),
        "revision": np.array(space.revision),
    }
    arrays |= {f"emb_{index}": multi_vector.vectors for index, multi_vector in enumerate(multi_vectors)}
    if with_layout:
        layouts = json.dumps([multi_vector.layout for multi_vector in multi_vectors], separators=(",", ":"))
        arrays["layout"] = np.frombuffer(layouts.encode(), dtype=np.uint8)
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def unpack(body: bytes, *, max_bytes: int) -> tuple[list[MultiVector], str, str]:
    """Return the multi-vectors, model and revision of an npz response. The numbers are not checked here."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(member.file_size for member in archive.infolist()) > max_bytes:
                raise MalformedNpz(f"It unpacks to more than {max_bytes} bytes.")
        with np.load(io.BytesIO(body), allow_pickle=False) as npz:
            arrays = [npz[f"emb_{index}"] for index in range(int(npz["count"]))]
            model, revision = str(npz["model"]), str(npz["revision"])
            layouts = json.loads(npz["layout"].tobytes()) if "layout" in npz else [None] * len(arrays)
    except MalformedNpz:
        raise
    except Exception as error:  # what NumPy, zipfile and zlib raise for malformed bytes is documented nowhere
        raise MalformedNpz(f"{type(error).__name__}: {error}") from error
    if not all(isinstance(rows, np.ndarray) for rows in arrays):
        raise MalformedNpz("An embedding is not an array.")
    if not isinstance(layouts, list) or len(layouts) != len(arrays):
        raise MalformedNpz("The numbers of layouts and embeddings differ.")
    return [MultiVector(rows, layout) for rows, layout in zip(arrays, layouts, strict=True)], model, revision
