"""Measure what leaving out language directions gains: `python -m benchmarks.embeddings.e5_languages FOLDER...`

The folders are those of `e5_axes`. For each number of directions that the axes leave out, prints how well a translated
message finds its English original among other originals and messages in its own language: the mean reciprocal rank.
"""

import argparse
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.embeddings import e5_axes
from embeddings.backends.encoders.e5 import E5
from embeddings.backends.encoders.projected import Axes
from embeddings.contract import Task

_LANGUAGES = ("de", "fr", "es", "ru", "ja")
_NUMBERS = (0, 1, 2, 4, 8, 16, 24, 32, 64)
_ASKED, _OTHERS, _LONGEST = 80, 300, 400

Vectors = list[NDArray[np.float32]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    folders = parser.parse_args().folders
    model = E5(axes=Axes(*np.empty((2, 0), dtype=np.float32)))
    languages, texts = zip(*e5_axes.pages(folders), strict=True)
    vectors, lengths = e5_axes.unit_vectors(model, texts)
    of_vectors = np.repeat(languages, lengths)
    sets = [_encoded(model, folders, language) for language in _LANGUAGES]
    sys.stdout.write(f"{'':4}" + "".join(f"{language:>8}" for language in (*_LANGUAGES, "all")) + "\n")
    for number in _NUMBERS:
        axes = e5_axes.axes(vectors, of_vectors, left_out=number).astype(np.float32)
        figures = list(_reciprocal_ranks(sets, Axes(axes, vectors.mean(axis=0).astype(np.float32) @ axes)))
        sys.stdout.write(f"{number:4}" + "".join(f"{one:8.3f}" for one in (*figures, np.mean(figures))) + "\n")


def _encoded(model: E5, folders: Iterable[Path], language: str) -> tuple[Vectors, Vectors, Vectors]:
    """Return the vectors of some translations as queries, of their originals, and of other translations."""
    files = sorted(file for folder in folders for file in folder.rglob(f"{language}/LC_MESSAGES/*.mo"))
    pairs = {other: text for file in files for text, other in e5_axes.translations(file) if len(text) <= _LONGEST}
    chosen = random.Random(7).sample(sorted(pairs.items()), _ASKED + _OTHERS)  # noqa: S311 - the same every time

    def encode(texts: Iterable[str], task: Task) -> Vectors:
        tokenized = map(model.tokenize, texts)
        return [model.contextual(pieces.ids, task)[pieces.embedded] for pieces in tokenized]

    asked = chosen[:_ASKED]
    return (
        encode((translated for translated, _ in asked), "query"),
        encode((original for _, original in asked), "document"),
        encode((translated for translated, _ in chosen[_ASKED:]), "document"),
    )


def _reciprocal_ranks(sets: Sequence[tuple[Vectors, Vectors, Vectors]], axes: Axes) -> Iterator[float]:
    """Yield the mean reciprocal rank of the originals for each language."""
    originals = [axes.project(one) for _, texts, _ in sets for one in texts]
    for number, (queries, _, others) in enumerate(sets):
        known = [*originals, *map(axes.project, others)]
        starts = np.cumsum([0, *map(len, known[:-1])])
        rows = np.concatenate(known)
        ranks = []
        for place, query in enumerate(queries, start=number * _ASKED):
            scores = np.maximum.reduceat(axes.project(query) @ rows.T, starts, axis=1).mean(axis=0)
            ranks.append(1 + np.sum(scores > scores[place]))
        yield float(np.mean(1 / np.array(ranks)))


if __name__ == "__main__":
    main()
