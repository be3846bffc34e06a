"""Measure OCR of pages that look scanned: `make bench-ocr`

Twelve pages of 400 words, read by the service's reader and by RapidOCR's own pipeline (`--only service` or `--only
published` for one of them). Prints seconds of one core, accuracy and the fit of the boxes, writes them to
benchmarks/results/ocr.json, and exits with 1 if the reader is slower than its target or reads worse than the baseline.
"""

import argparse
import difflib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.embeddings.published_ocr import PublishedReader
from benchmarks.embeddings.scans import PrintedLine, Scan, scans
from benchmarks.harness import steal_time
from embeddings.backends.ocr import OcrReader
from embeddings.contract import Word

RESULTS = Path(__file__).parents[1] / "results" / "ocr.json"
MAX_SECONDS = 1.5
# What the reader may read worse than the baseline, as a share.
TOLERANCE = 0.002
_TYPOGRAPHIC = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\uff0c": ","})


class Reader(Protocol):
    """Reads the words of a page."""

    def read(self, image: Image.Image) -> tuple[Word, ...]: ...


@dataclass(slots=True)
class Score:
    """Counts of characters and words, and how well the boxes of rightly read words fit."""

    characters: int = 0
    wrong_characters: int = 0
    words: int = 0
    right_words: int = 0
    overlap: float = 0.0
    centred: int = 0

    def add(self, scan: Scan, words: Sequence[Word]) -> None:
        """Compare what was read with what is printed."""
        placed = _by_line(scan, words)
        for number, line in enumerate(scan.lines):
            on_line = placed.get(number, [])
            printed, read = " ".join(line.words), " ".join(text for text, _ in on_line)
            self.characters += len(printed)
            self.wrong_characters += edit_distance(printed, read)
            self.words += len(line.words)
            matcher = difflib.SequenceMatcher(None, line.words, [text for text, _ in on_line], autojunk=False)
            for block in matcher.get_matching_blocks():
                for place in range(block.size):
                    self._add_box(line.boxes[block.a + place], on_line[block.b + place][1])
        self.wrong_characters += sum(len(text) + 1 for text, _ in placed.get(-1, []))

    def _add_box(self, printed: NDArray[np.float64], read: NDArray[np.float64]) -> None:
        self.right_words += 1
        common = min(printed[2], read[2]) - max(printed[0], read[0])
        self.overlap += max(common, 0.0) / (max(printed[2], read[2]) - min(printed[0], read[0]))
        x, y = (printed[:2] + printed[2:]) / 2
        self.centred += bool(read[0] <= x <= read[2] and read[1] <= y <= read[3])

    def figures(self) -> dict[str, float]:
        """Return the shares."""
        return {
            "characters_right": round(1 - self.wrong_characters / self.characters, 4),
            "words_right": round(self.right_words / self.words, 4),
            "box_overlap": round(self.overlap / self.right_words, 3),
            "boxes_on_their_word": round(self.centred / self.right_words, 4),
        }


def _by_line(scan: Scan, words: Sequence[Word]) -> dict[int, list[tuple[str, NDArray[np.float64]]]]:
    """Return the words read on each line, from left to right, with boxes in points; -1 is none of them."""
    placed: dict[int, list[tuple[str, NDArray[np.float64]]]] = {}
    for word in words:
        corners = np.array([[word.x0, word.y0, 1], [word.x1, word.y1, 1]]) @ scan.to_page.T
        box = corners.reshape(-1)
        number = _nearest(scan.lines, (box[:2] + box[2:]) / 2)
        placed.setdefault(number, []).append((word.text.translate(_TYPOGRAPHIC), box))
    return {number: sorted(read, key=lambda one: float(one[1][0])) for number, read in placed.items()}


def _nearest(lines: Sequence[PrintedLine], point: NDArray[np.float64]) -> int:
    best, distance = -1, np.inf
    for number, line in enumerate(lines):
        top, bottom = line.boxes[:, 1].min(), line.boxes[:, 3].max()
        away = abs((top + bottom) / 2 - point[1])
        if line.boxes[0, 0] - 8 < point[0] < line.boxes[-1, 2] + 8 and away < min(distance, bottom - top):
            best, distance = number, away
    return best


def edit_distance(printed: str, read: str) -> int:
    """Return the least number of insertions, deletions and replacements between two texts."""
    row = list(range(len(read) + 1))
    for above, expected in enumerate(printed, start=1):
        diagonal, row[0] = row[0], above
        for place, character in enumerate(read, start=1):
            diagonal, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, diagonal + (expected != character)),
            )
    return row[-1]


def measure(reader: Reader, pages: Sequence[Scan], *, rounds: int) -> dict[str, object]:
    """Return seconds of one core for each page, the least of some rounds, and accuracy."""
    reader.read(pages[0].image)
    total, styles, seconds = Score(), {}, []
    for scan in pages:
        times, words = [], tuple[Word, ...]()
        for _ in range(rounds):
            began = time.process_time()
            words = reader.read(scan.image)
            times.append(time.process_time() - began)
        seconds.append(min(times))
        score = Score()
        score.add(scan, words)
        total.add(scan, words)
        styles[scan.style.name] = {"seconds": round(min(times), 3)} | score.figures()
    return {"seconds_per_page": round(float(np.mean(seconds)), 3)} | total.figures() | {"pages": styles}


def multiplication_ms() -> float:
    """Return the time of one product of two matrices, to compare machines and hours."""
    rng = np.random.default_rng(1)
    left, right = rng.random((768, 768), dtype=np.float32), rng.random((768, 768), dtype=np.float32)
    times = []
    for _ in range(20):
        began = time.process_time()
        left @ right
        times.append(time.process_time() - began)
    return round(1000 * min(times), 2)


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("service", "published"))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    only = arguments.only
    threadpool_limits(limits=1)
    pages = list(scans())
    stolen = steal_time.Stolen()
    report: dict[str, object] = {"multiplication_ms": multiplication_ms()}
    makers: dict[str, type[Reader]] = {"service": OcrReader, "published": PublishedReader}
    measured = {
        name: measure(maker(), pages, rounds=arguments.rounds) for name, maker in makers.items() if only in (None, name)
    }
    report["stolen_percent"] = round(100 * stolen.share(), 1)
    report |= measured
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    if only:
        return 0
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    ours, baseline = measured["service"], measured["published"]
    worse = any(float(str(ours[name])) < float(str(baseline[name])) - TOLERANCE for name in _KEPT)
    return int(worse or float(str(ours["seconds_per_page"])) > MAX_SECONDS)


_KEPT = ("characters_right", "words_right", "boxes_on_their_word")

if __name__ == "__main__":
    sys.exit(main())
