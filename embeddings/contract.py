"""The words that the service and its clients share: names, shapes and the npz form.

Plain Python and NumPy; safe to import from a program that only asks.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from embeddings.word import Word as Word

InputType = Literal["text", "image"]
Task = Literal["query", "document"]

NPZ: Final = "application/x-npz"
MODEL_HEADER: Final = "x-embeddings-model"
REVISION_HEADER: Final = "x-embeddings-revision"
DIM_HEADER: Final = "x-embeddings-dim"

# How this service names its own models: they read the text of a page, and look no further.
_READERS: Final = "paliapi/"

Vectors = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Space:
    """What vectors must have in common before they may be compared."""

    model: str
    revision: str
    dim: int

    @property
    def text_only(self) -> bool:
        """Whether the model sees words and nothing else; the name is all that travels with every vector."""
        return self.model.startswith(_READERS)


class Layout(TypedDict):
    """Where on the page each vector comes from, for heat maps.

    `grid`: from row `offset` on, n_y lines of n_x vectors. `boxes`: a box or null for each vector. `words`: what the
    service itself has read on the image, as [text, x0, y0, x1, y1].
    """

    kind: Literal["grid", "boxes"]
    n_x: NotRequired[int]
    n_y: NotRequired[int]
    offset: NotRequired[int]
    boxes: NotRequired[list[list[float] | None]]
    words: NotRequired[list[list[str | float]]]


@dataclass(frozen=True, slots=True, eq=False)
class MultiVector:
    """One input, embedded: vectors of unit length (n, dim), n >= 1, and their layout if the backend knows it."""

    vectors: Vectors
    layout: Layout | None = None


class NotAnAnswer(ValueError):
    """Bytes that should be an npz answer and are not."""


def pack(embedded: Sequence[MultiVector], *, input_type: str, space: Space, with_layout: bool) -> bytes:
    """The npz answer: `count`, `input_type`, `emb_0`..., `model`, `revision`; `layout` is JSON in bytes."""
    arrays: dict[str, NDArray[Any]] = {
        "count": np.array(len(embedded)),
        "input_type": np.array(input_type),
        "model": np.array(space.model),
        "revision": np.array(space.revision),
    }
    arrays |= {f"emb_{number}": one.vectors for number, one in enumerate(embedded)}
    if with_layout:
        layouts = json.dumps([one.layout for one in embedded], separators=(",", ":"))
        arrays["layout"] = np.frombuffer(layouts.encode(), dtype=np.uint8)
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def unpack(body: bytes, *, most_bytes: int) -> tuple[list[MultiVector], str, str]:
    """The multi-vectors of an npz answer, its model and its revision. The numbers are not checked here."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(member.file_size for member in archive.infolist()) > most_bytes:
                raise NotAnAnswer(f"It unpacks to more than {most_bytes} bytes.")
        with np.load(io.BytesIO(body), allow_pickle=False) as found:
            arrays = [found[f"emb_{number}"] for number in range(int(found["count"]))]
            model, revision = str(found["model"]), str(found["revision"])
            layouts = json.loads(found["layout"].tobytes()) if "layout" in found else [None] * len(arrays)
    except NotAnAnswer:
        raise
    except (ValueError, KeyError, OSError, EOFError, TypeError, MemoryError, zipfile.BadZipFile) as problem:
        raise NotAnAnswer(str(problem)) from problem
    if not isinstance(layouts, list) or len(layouts) != len(arrays):
        raise NotAnAnswer("The layout does not go with the vectors.")
    pairs = zip(arrays, layouts, strict=True)
    return [MultiVector(vectors, layout) for vectors, layout in pairs], model, revision
