"""The vectors of pages and questions from a built-in model, in files, because encoding takes minutes.

`python -m benchmarks.quality.encoded MODEL` encodes the questions and pages with one process per core.
"""

import hashlib
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.quality import fetch, models
from benchmarks.quality.documentation import pages
from benchmarks.quality.fitting import fitting_texts
from benchmarks.quality.questions import questions
from embeddings.backends.base import Backend, Item
from embeddings.backends.encoders import e5, sentences
from embeddings.contract import Task
from embeddings.word import Word
from paliapi.env import ROOT

FOLDER = ROOT / ".tools" / "bench" / "quality"
# Texts per file: an interrupted run continues after the last one.
_AT_ONCE = 64

_backend: Backend


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The multi-vectors of some texts as one matrix (rows, dim); text n has the rows from `starts[n]`."""

    rows: NDArray[np.float16]
    starts: NDArray[np.int64]

    def halves(self, number: int) -> NDArray[np.float16]:
        """Return the vectors of one text."""
        stop = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.rows)
        return self.rows[self.starts[number] : stop]

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of vectors of each text."""
        return np.diff(np.append(self.starts, len(self.rows)))


def encode(model: str, texts: Sequence[str], *, task: Task) -> Encoded:
    """Return the vectors of the texts, of which those already encoded are read from files."""
    parts = [tuple(texts[first : first + _AT_ONCE]) for first in range(0, len(texts), _AT_ONCE)]
    files = [file_of(model, task, part) for part in parts]
    pending = [(part, file) for part, file in zip(parts, files, strict=True) if not file.is_file()]
    FOLDER.mkdir(parents=True, exist_ok=True)
    if pending:
        fresh = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(_cores(), fresh, initializer=_load, initargs=(model,)) as pool:
            for number, _ in enumerate(pool.map(_write, *zip(*pending, strict=True), [task] * len(pending)), start=1):
                sys.stderr.write(f"\r{model}: {number} of {len(pending)} parts")
        sys.stderr.write("\n")
    stored = [np.load(file, allow_pickle=False) for file in files]
    lengths = np.concatenate([one["lengths"] for one in stored])
    return Encoded(np.concatenate([one["rows"] for one in stored]), np.cumsum([0, *lengths[:-1]]))


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def file_of(model: str, task: Task, texts: Sequence[str]) -> Path:
    """Return the file of some texts, which has another name if the axes of the model change."""
    axes = e5.AXES.read_bytes() if model in (models.PIECES, models.DEFAULT, models.UNROUNDED) else b""
    axes += sentences.AXES.read_bytes() if model in (models.DEFAULT, models.UNROUNDED) else b""
    digest = hashlib.sha256(axes + "\0".join(texts).encode()).hexdigest()
    return FOLDER / f"{model}-{task}-{digest[:16]}.npz"


def _load(model: str) -> None:
    global _backend  # noqa: PLW0603 - one model per process
    _backend = models.load(model)


def _write(texts: Sequence[str], file: Path, task: Task) -> None:
    vectors = [_vectors(text, task) for text in texts]
    partial = file.with_suffix(f".{os.getpid()}.npz")
    content: dict[str, Any] = {"rows": np.concatenate(vectors), "lengths": [len(one) for one in vectors]}
    np.savez(partial, **content)
    partial.rename(file)


def _vectors(text: str, task: Task) -> NDArray[np.float16]:
    """Return the vectors of a text: as a query, or as a page whose words are known."""
    words = tuple(Word(word, 0.1, 0.1, 0.2, 0.2) for word in text.split())
    item = Item(task, text=text) if task == "query" else Item(task, image=_BLANK, words=words)
    rows = _backend.encode(_backend.collate([_backend.prepare(item)]))[0].vectors
    return np.asarray(rows, dtype=np.float16)


_BLANK = Image.new("RGB", (8, 8))


def main(model: str) -> int:
    """Encode everything with one model."""
    for known, questioned in (fitting_texts(), (pages(fetch.FOLDER), questions())):
        encode(model, [question.text for question in questioned], task="query")
        encode(model, [page.text for page in known], task="document")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
