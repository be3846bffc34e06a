"""Reads the words on a page image, with a box for each. English; some other Latin scripts by chance."""

import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rapidocr import RapidOCR

from embeddings.backends.minilm import WrongFile
from embeddings.contract import Word

# A4 at 150 dpi: print of six points is read whole. Lines are looked for on a smaller copy, which finds the same ones.
_LONGEST_SIDE = 1754
_DETECTION_SIDE = 1170
_MOST_READERS = 4


class Reader:
    """Several pages are read at once, each by an engine of its own: an engine is not safe to share."""

    def __init__(self) -> None:
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(min(os.cpu_count() or 1, _MOST_READERS)):
            self._free.put(_engine())

    def words(self, image: Image.Image) -> tuple[Word, ...]:
        """The words of a page, in reading order as far as lines tell."""
        shown = image.copy()
        shown.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
        pixels = np.ascontiguousarray(np.asarray(shown)[:, :, ::-1])
        with self._engine() as engine:
            # Turning lines that seem to stand on their head spoils more long lines than it mends.
            found = engine(pixels, use_cls=False, return_word_box=True)
        lines = found.word_results if getattr(found, "txts", None) else ()
        return tuple(_word(text, box, size=shown.size) for line in lines for text, _, box in line if text.strip())

    @contextmanager
    def _engine(self) -> Iterator[Any]:
        engine = self._free.get()
        try:
            yield engine
        finally:
            self._free.put(engine)


def _engine() -> Any:
    """An engine of one thread. Its models are named by file, so that nothing is ever fetched."""
    spec = find_spec("rapidocr")
    folder = Path(spec.submodule_search_locations[0]) / "models" if spec and spec.submodule_search_locations else Path()
    models = {part: folder / f"PP-OCRv6_{part.lower()}_small.onnx" for part in ("Det", "Rec")}
    for file in models.values():
        if not file.is_file():
            raise WrongFile(f"{file.name} is missing: install the dependency group `embeddings`.")
    params: dict[str, Any] = {f"{part}.model_path": str(file) for part, file in models.items()}
    params |= {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    params |= {"Det.limit_type": "max", "Det.limit_side_len": _DETECTION_SIDE}
    # Lines that are read together are padded to the longest.
    params |= {"Rec.rec_batch_num": 1}
    return RapidOCR(params=params | {"Global.log_level": "error", "Global.use_cls": False})


def _word(text: str, box: NDArray[Any], *, size: tuple[int, int]) -> Word:
    xs, ys = [float(x) / size[0] for x, _ in box], [float(y) / size[1] for _, y in box]
    edges = (min(xs), min(ys), max(xs), max(ys))
    return Word(text, *(round(min(max(edge, 0.0), 1.0), 4) for edge in edges))
