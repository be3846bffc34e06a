"""OCR of page images: words with a box each. Trained for English; other Latin scripts work by chance."""

import os
import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import flag_override
from PIL import Image
from rapidocr import RapidOCR

from embeddings.backends import onnx_model
from embeddings.backends.minilm import InvalidModelFile
from embeddings.contract import Word

# A4 at 150 dpi, at which six-point print is readable. Lines are detected on a smaller copy, which finds the same ones.
_MAX_SIDE = 1754
_DETECTION_SIDE = 1170
_MAX_ENGINES = 4

# A pixel that differs less from its neighbours is paper; a row or column with fewer marks contains only dust.
_MIN_CONTRAST = 16
_MIN_MARKS = 3
_MARGIN = 24


class OcrReader:
    """Reads several pages at once. The models are shared; each page has an engine of its own, which is not."""

    def __init__(self) -> None:
        sessions = {part: onnx_model.open_session(_model_file(part)) for part in ("Det", "Rec")}
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(min(os.cpu_count() or 1, _MAX_ENGINES)):
            self._free.put(_make_engine(sessions))

    def read(self, image: Image.Image) -> tuple[Word, ...]:
        """Return the words of a page, line by line in the order of detection."""
        page = image.copy()
        page.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.LANCZOS)
        area = printed_area(page)
        if area is None:
            return ()
        pixels = np.ascontiguousarray(np.asarray(page.crop(area))[:, :, ::-1])
        with self._engine() as engine:
            # Rotating lines that seem to be upside down spoils more long lines than it repairs.
            result = engine(pixels, use_cls=False, return_word_box=True)
        lines = result.word_results if getattr(result, "txts", None) else ()
        return tuple(
            _word(text, np.asarray(box) + area[:2], size=page.size)
            for line in lines
            for text, _, box in line
            if text.strip()
        )

    @contextmanager
    def _engine(self) -> Iterator[Any]:
        engine = self._free.get()
        try:
            yield engine
        finally:
            self._free.put(engine)


def printed_area(page: Image.Image) -> tuple[int, int, int, int] | None:
    """Return the box of everything printed, with a margin, or None if the page is empty. OCR is limited to it."""
    # Halving the size evens out the grain of a scan.
    grey = np.asarray(page.convert("L").reduce(2), dtype=np.int16)
    marks = np.zeros(grey.shape, dtype=bool)
    marks[:, 1:] |= np.abs(np.diff(grey, axis=1)) > _MIN_CONTRAST
    marks[1:] |= np.abs(np.diff(grey, axis=0)) > _MIN_CONTRAST
    columns, rows = (np.flatnonzero(marks.sum(axis=axis) >= _MIN_MARKS) for axis in (0, 1))
    if not (len(columns) and len(rows)):
        return None
    left, top = (max(2 * int(positions[0]) - _MARGIN, 0) for positions in (columns, rows))
    right, bottom = (2 * int(positions[-1] + 1) + _MARGIN for positions in (columns, rows))
    return left, top, min(right, page.width), min(bottom, page.height)


def _model_file(part: str) -> Path:
    """Return the path of an installed model; models given by path are never downloaded."""
    spec = find_spec("rapidocr")
    folder = Path(spec.submodule_search_locations[0]) / "models" if spec and spec.submodule_search_locations else Path()
    file = folder / f"PP-OCRv6_{part.lower()}_small.onnx"
    if not file.is_file():
        raise InvalidModelFile(f"{file.name} is missing: install the dependency group `embeddings`.")
    return file


def _make_engine(sessions: Mapping[str, Any]) -> Any:
    params: dict[str, Any] = {"Det.limit_type": "max", "Det.limit_side_len": _DETECTION_SIDE}
    # Lines in a batch are padded to the longest, so read them one by one, and short ones without padding.
    params |= {"Rec.rec_batch_num": 1, "Rec.rec_img_shape": [3, 48, 96]}
    # A page with a single line gives a flat image; do not pad it with black bars.
    params |= {"Global.width_height_ratio": -1}
    engine = RapidOCR(params=params | {"Global.log_level": "error", "Global.use_cls": False})
    with flag_override(engine.cfg, "allow_objects", True):  # noqa: FBT003
        for part, session in sessions.items():
            engine.cfg[part].session = session
    return engine


def _word(text: str, box: NDArray[Any], *, size: tuple[int, int]) -> Word:
    xs, ys = [float(x) / size[0] for x, _ in box], [float(y) / size[1] for _, y in box]
    edges = (min(xs), min(ys), max(xs), max(ys))
    return Word(text, *(round(min(max(edge, 0.0), 1.0), 4) for edge in edges))
