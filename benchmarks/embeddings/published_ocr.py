"""The baseline for OCR: RapidOCR's own pipeline and published models, one line at a time, as the service used them."""

from pathlib import Path
from typing import Any

import numpy as np
import rapidocr
from omegaconf import flag_override
from PIL import Image

from embeddings.backends.ocr import printed_area
from embeddings.backends.onnx_model import open_session
from embeddings.contract import Word

_MODELS = Path(rapidocr.__file__).parent / "models"
_MAX_SIDE, _DETECTION_SIDE = 1754, 1170


class PublishedReader:
    """Reads pages."""

    def __init__(self) -> None:
        params: dict[str, Any] = {"Det.limit_type": "max", "Det.limit_side_len": _DETECTION_SIDE}
        params |= {"Rec.rec_batch_num": 1, "Rec.rec_img_shape": [3, 48, 96], "Global.width_height_ratio": -1}
        self._engine = rapidocr.RapidOCR(params=params | {"Global.log_level": "error", "Global.use_cls": False})
        with flag_override(self._engine.cfg, "allow_objects", True):  # noqa: FBT003
            for part in ("Det", "Rec"):
                self._engine.cfg[part].session = open_session(_MODELS / f"PP-OCRv6_{part.lower()}_small.onnx")

    def read(self, image: Image.Image) -> tuple[Word, ...]:
        """Return the words of a page."""
        page = image.copy()
        page.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.LANCZOS)
        area = printed_area(page)
        if area is None:
            return ()
        pixels = np.ascontiguousarray(np.asarray(page.crop(area))[:, :, ::-1])
        result: Any = self._engine(pixels, use_cls=False, return_word_box=True)
        words = [word for line in result.word_results or () for word in line if word[0].strip()]
        return tuple(_word(text, np.array(box) + area[:2], page.size) for text, _, box in words)


def _word(text: str, corners: Any, size: tuple[int, int]) -> Word:
    relative = corners / size
    return Word(text, *map(float, (*relative.min(axis=0), *relative.max(axis=0))))
