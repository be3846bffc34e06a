"""Recognises the characters of lines, each with its column in the line."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from embeddings.backends.minilm import InvalidModelFile
from embeddings.backends.onnx_model import fields, open_session
from embeddings.backends.reading import recogniser_model
from embeddings.backends.reading.lines import Floats, Line, Pixels

# The recogniser sees columns of eight pixels, and needs at least one for each character.
_STRIDE = 8
# Short lines are read together, if they are similar: padded to the longest by at most this share.
_MAX_BATCH_WIDTH = 1600
_MAX_PADDING = 0.06
_LEAST_WIDTH = 16
_METADATA = 14  # field number of the format
# Above this value, the best of the common characters is better than all others.
_CERTAIN = 17.0
# Wider gaps than this, relative to the height of the text, separate words.
_WIDEST_GAP = 1.5


class Size(NamedTuple):
    """How large a line is read: the height of the image and of the text in it, and a stretch of the width."""

    height: int
    text: int
    stretch: float


# The model was trained on 48 rows. It reads 24 as well in a third of the time, if columns are not narrowed as much.
SMALL, LARGE = Size(24, 20, 1.45), Size(32, 27, 1.25)
# A line whose characters have a lower mean probability, or turn out narrower than this, is read again: larger, and so
# wide that its characters have a good width. Double letters get lost in narrow columns, without any doubt.
_SURE = 0.9
_NARROW, _GOOD, _WIDE = 13.0, 15.0, 16.0
_LEAST_STRETCH, _LARGEST_STRETCH = 1.0, 2.5
# The longest lines of a page show how wide its characters are.
_SAMPLE = 4
# The larger reading is preferred unless its probability is lower by this much.
_TRUST_IN_LARGER = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a line says: its characters, the middle of each in columns of the line, and their probabilities.

    Wider gaps than `gap` separate words. `scale` is the width of the image that was read, relative to the line.
    """

    characters: tuple[str, ...]
    columns: Floats
    probabilities: Floats
    gap: float
    scale: float

    @property
    def score(self) -> float:
        """The mean probability of the characters; 0 if there are none."""
        return float(self.probabilities.mean()) if len(self.probabilities) else 0.0

    @property
    def pitch(self) -> float:
        """The mean distance of characters in columns of the line; 0 if there are fewer than two."""
        steps = len(self.characters) - 1
        return float(self.columns[-1] - self.columns[0]) / steps if steps > 0 else 0.0

    def words(self) -> Iterator[tuple[str, float, float]]:
        """Yield the words: runs of characters without a blank or a wide gap, each with its left and right edge."""
        half = self._character_width() / 2
        starts = [0, *(place for place in range(1, len(self.characters)) if self._is_boundary(place))]
        for start, end in itertools.pairwise([*starts, len(self.characters)]):
            text = "".join(self.characters[start:end])
            if text.strip():
                yield text, float(self.columns[start]) - half, float(self.columns[end - 1]) + half

    def _is_boundary(self, place: int) -> bool:
        before, after = self.characters[place - 1], self.characters[place]
        return (
            before.isspace() != after.isspace()
            or is_ideographic(before) != is_ideographic(after)
            or float(self.columns[place] - self.columns[place - 1]) > self.gap
        )

    def _character_width(self) -> float:
        """Return the mean distance between neighbours in the same word."""
        steps = [
            float(self.columns[place] - self.columns[place - 1])
            for place in range(1, len(self.characters))
            if not self._is_boundary(place) and not self.characters[place].isspace()
        ]
        return float(np.mean(steps)) if steps else self.gap / 2


def is_ideographic(character: str) -> bool:
    """Return whether a character is of those that are written without blanks between words: Chinese or Japanese."""
    return "\u3040" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff"


class Recogniser:
    """Runs the recogniser. Many threads may use it."""

    def __init__(self, file: Path) -> None:
        model = file.read_bytes()
        self._characters = ("", *_published_characters(model), " ")
        common = [number for number, character in enumerate(self._characters) if _is_common(character)]
        self._common = np.array(common)
        changed, self._weights, self._bias = recogniser_model.cut(model, common=self._common)
        self._session = open_session(changed)

    def read(self, lines: Sequence[Line]) -> list[Reading]:
        """Return what each of the lines says."""
        longest = sorted(range(len(lines)), key=lambda number: -lines[number].pixels.shape[1])
        readings: dict[int, Reading] = {}
        size = SMALL
        for numbers in (longest[:_SAMPLE], longest[_SAMPLE:]):
            read = self._read([lines[number] for number in numbers], [size] * len(numbers))
            readings |= dict(zip(numbers, read, strict=True))
            size = _size_for(lines, readings)
        return self._repeat(lines, [readings[number] for number in range(len(lines))])

    def _repeat(self, lines: Sequence[Line], readings: list[Reading]) -> list[Reading]:
        """Read the lines again that have not been read well."""
        sizes = [_size_to_read_again(*one) for one in zip(lines, readings, strict=True)]
        unsure = [number for number, size in enumerate(sizes) if size is not None]
        repeated = self._read([lines[number] for number in unsure], [size for size in sizes if size is not None])
        for number, again in zip(unsure, repeated, strict=True):
            if again.score > readings[number].score - _TRUST_IN_LARGER:
                readings[number] = again
        return readings

    def _read(self, lines: Sequence[Line], sizes: Sequence[Size]) -> list[Reading]:
        """Return what each line says at a size; all sizes have the same height."""
        images = [_image(*one) for one in zip(lines, sizes, strict=True)]
        readings: list[Reading | None] = [None] * len(lines)
        for batch in _batches([image.shape[1] for image in images]):
            width = images[batch[-1]].shape[1]
            padded = np.stack([_padded(images[number], width) for number in batch])
            pixels = np.ascontiguousarray(padded.transpose(0, 3, 1, 2), dtype=np.float32) / 127.5 - 1
            features, logits = self._session.run(None, {"x": pixels})
            for number, classes, probabilities in zip(batch, *self._classify(features, logits), strict=True):
                columns = -(-images[number].shape[1] // _STRIDE)
                line, size = lines[number], sizes[number]
                readings[number] = self._reading(line, size, classes[:columns], probabilities[:columns])
        return [reading for reading in readings if reading is not None]

    def _classify(self, features: Floats, logits: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Return the class and its probability for every column (lines, columns).

        Almost all characters are common ones. Where none of these stands out, all are tried, and if another one is
        better, this is done for the whole line.
        """
        classes, probabilities = _best(logits)
        doubtful = logits.max(axis=-1) < _CERTAIN
        classes = self._common[classes]
        if doubtful.any():
            among_all, _ = _best(features[doubtful] @ self._weights + self._bias)
            other = np.zeros(doubtful.shape, dtype=bool)
            other[doubtful] = ~np.isin(among_all, self._common)
            for number in np.flatnonzero(other.any(axis=1)):
                classes[number], probabilities[number] = _best(features[number] @ self._weights + self._bias)
        return classes, probabilities

    def _reading(self, line: Line, size: Size, classes: NDArray[np.intp], probabilities: Floats) -> Reading:
        # A character may span several columns; a blank column (class 0) separates it from the next.
        first = np.ones(len(classes), dtype=bool)
        first[1:] = classes[1:] != classes[:-1]
        places = np.flatnonzero(first & (classes != 0))
        scale = _scale(line, size) * size.stretch
        return Reading(
            tuple(self._characters[number] for number in classes[places]),
            ((places + 0.5) * (_STRIDE / scale)).astype(np.float32),
            probabilities[places],
            _WIDEST_GAP * line.text.height,
            scale,
        )


def _size_to_read_again(line: Line, reading: Reading) -> Size | None:
    """Return the size at which to read a line again, or None if it has been read well."""
    if reading.score >= _SURE and not 0 < reading.pitch * reading.scale < _NARROW:
        return None
    stretch = _WIDE / (reading.pitch * _scale(line, LARGE)) if reading.pitch else 0.0
    return LARGE._replace(stretch=min(max(stretch, LARGE.stretch), _LARGEST_STRETCH))


def _size_for(lines: Sequence[Line], readings: Mapping[int, Reading]) -> Size:
    """Return the size at which characters as wide as those that have been read have a good width."""
    pitches = [one.pitch / lines[number].text.height for number, one in readings.items() if one.pitch]
    if not pitches:
        return SMALL
    stretch = _GOOD / (float(np.median(pitches)) * SMALL.text)
    return SMALL._replace(stretch=min(max(stretch, _LEAST_STRETCH), _LARGEST_STRETCH))


def _published_characters(model: bytes) -> list[str]:
    """Return the characters of the classes from 1, which the model's metadata lists."""
    for field in fields(model, 0, len(model)):
        if field.number == _METADATA:
            key, value = (model[part.start : part.stop] for part in fields(model, field.start, field.stop))
            if key == b"character":
                return value.decode().split("\n")
    raise InvalidModelFile("The recogniser of this version of rapidocr does not list its characters.")


def _is_common(character: str) -> bool:
    """Return whether a character is Latin, Greek, a digit, punctuation, a currency, or the blank that is none."""
    return character < "\u0250" or "\u0370" <= character < "\u0400" or "\u1e00" <= character < "\u20d0"


def _best(logits: Floats) -> tuple[NDArray[np.intp], Floats]:
    best = logits.argmax(axis=-1)
    highest = np.take_along_axis(logits, best[..., None], axis=-1)
    return best, 1 / np.exp(logits - highest).sum(axis=-1)


def _scale(line: Line, size: Size) -> float:
    """Return the factor by which the line is enlarged."""
    return size.text / line.text.height


def _image(line: Line, size: Size) -> Pixels:
    """Return the line at this size: (height, width, 3)."""
    scale = _scale(line, size)
    rows, middle = size.height / scale, (line.text.top + line.text.bottom) / 2
    top, bottom = round(middle - rows / 2), round(middle + rows / 2)
    above, below = max(-top, 0), max(bottom - len(line.pixels), 0)
    pixels = line.pixels[max(top, 0) : bottom]
    if above or below:
        pixels = cv2.copyMakeBorder(pixels, above, below, 0, 0, cv2.BORDER_REPLICATE)
    width = max(round(pixels.shape[1] * scale * size.stretch), _LEAST_WIDTH)
    method = cv2.INTER_AREA if scale < 0.8 else cv2.INTER_LINEAR
    return cv2.resize(pixels, (width, size.height), interpolation=method)


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers of lines that are read together, in ascending order of width."""
    batch: list[int] = []
    for number in sorted(range(len(widths)), key=widths.__getitem__):
        if batch and (
            (len(batch) + 1) * widths[number] > _MAX_BATCH_WIDTH
            or widths[number] > (1 + _MAX_PADDING) * widths[batch[0]]
        ):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _padded(image: Pixels, width: int) -> Pixels:
    return cv2.copyMakeBorder(image, 0, 0, 0, width - image.shape[1], cv2.BORDER_REPLICATE)
