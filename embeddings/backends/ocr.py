"""Reads the words on a page image, with a box for each. English; some other Latin scripts by chance."""

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
from embeddings.backends.minilm import WrongFile
from embeddings.contract import Word

# A4 at 150 dpi: print of six points is read whole. Lines are looked for on a smaller copy, which finds the same ones.
_LONGEST_SIDE = 1754
_DETECTION_SIDE = 1170
_MOST_READERS = 4


# What differs from its neighbours by less is paper; specks fewer than these in a line are dust.
_FAINTEST = 16
_FEWEST_SPECKS = 3
_MARGIN = 24


class OcrReader:
    """Several pages are read at once, each by an engine of its own: an engine is not safe to share, its models are."""

    def __init__(self) -> None:
        sessions = {part: onnx_model.opened(_model(part)) for part in ("Det", "Rec")}
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(min(os.cpu_count() or 1, _MOST_READERS)):
            self._free.put(_engine(sessions))

    def words(self, image: Image.Image) -> tuple[Word, ...]:
        """The words of a page, in reading order as far as lines tell."""
        shown = image.copy()
        shown.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
        part = printed(shown)
        if part is None:
            return ()
        pixels = np.ascontiguousarray(np.asarray(shown.crop(part))[:, :, ::-1])
        with self._engine() as engine:
            # Turning lines that seem to stand on their head spoils more long lines than it mends.
            found = engine(pixels, use_cls=False, return_word_box=True)
        lines = found.word_results if getattr(found, "txts", None) else ()
        return tuple(
            _word(text, np.asarray(box) + part[:2], size=shown.size)
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


def printed(page: Image.Image) -> tuple[int, int, int, int] | None:
    """The part of a page that is not empty paper, with a margin, if there is any: nobody looks for lines elsewhere."""
    # Of half the size: that evens out the grain of a scan.
    grey = np.asarray(page.convert("L").reduce(2), dtype=np.int16)
    marks = np.zeros(grey.shape, dtype=bool)
    marks[:, 1:] |= np.abs(np.diff(grey, axis=1)) > _FAINTEST
    marks[1:] |= np.abs(np.diff(grey, axis=0)) > _FAINTEST
    columns, rows = (np.flatnonzero(marks.sum(axis=axis) >= _FEWEST_SPECKS) for axis in (0, 1))
    if not (len(columns) and len(rows)):
        return None
    left, top = (max(2 * int(places[0]) - _MARGIN, 0) for places in (columns, rows))
    right, bottom = (2 * int(places[-1] + 1) + _MARGIN for places in (columns, rows))
    return left, top, min(right, page.width), min(bottom, page.height)


def _model(part: str) -> Path:
    """A model by its file, so that nothing is ever fetched."""
    spec = find_spec("rapidocr")
    folder = Path(spec.submodule_search_locations[0]) / "models" if spec and spec.submodule_search_locations else Path()
    file = folder / f"PP-OCRv6_{part.lower()}_small.onnx"
    if not file.is_file():
        raise WrongFile(f"{file.name} is missing: install the dependency group `embeddings`.")
    return file


def _engine(sessions: Mapping[str, Any]) -> Any:
    params: dict[str, Any] = {"Det.limit_type": "max", "Det.limit_side_len": _DETECTION_SIDE}
    # Lines that are read together are padded to the longest; a short one is read as short as it is.
    params |= {"Rec.rec_batch_num": 1, "Rec.rec_img_shape": [3, 48, 96]}
    # One line alone on a page is a low picture, and no reason to paint black bars around it.
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
