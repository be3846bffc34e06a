"""Fit the axes of the sentence encoder: `python -m benchmarks.embeddings.sentence_axes FOLDER...`

The axes ship as embeddings/backends/encoders/sentence_axes.npy, and are fitted once: on messages of programs and on
texts of the length of a passage that are made of them, in the languages of the model, and on the help of Python and our
documents in English. For those that ship, the folders were the unpacked Debian packages of bookworm named in
`e5_axes.PACKAGES`.
"""

import argparse
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.embeddings.e5_axes import messages_by_language
from embeddings.backends.encoders import projected, sentences
from embeddings.backends.encoders.sentences import SentenceEncoder

_LANGUAGES = "ar de en es fr it ja ko nl pl pt ru th tr zh"
_MESSAGES, _CHARACTERS, _ENGLISH_CHARACTERS = 1000, 60_000, 400_000
_PAGE = 1500
_DIM = 512


def main() -> None:
    """Fit the axes and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    folders = parser.parse_args().folders
    encoder = SentenceEncoder(axes=projected.Axes(*np.empty((2, 0), dtype=np.float32)))
    passages = (encoder.passages(text) for text in _texts(folders))
    encoded = [vector for of_text in passages if of_text for vector in encoder.encode(of_text)]
    vectors = np.stack(encoded).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # Not centred: the vectors of this model have hardly anything in common, and what they have separates them.
    projected.store(sentences.AXES, projected.principal_axes(vectors), np.zeros(_DIM))
    sys.stdout.write(f"Wrote {sentences.AXES} from {len(vectors)} vectors.\n")


def _texts(folders: Iterable[Path]) -> Iterator[str]:
    by_language = messages_by_language(folders)
    for language in _LANGUAGES.split():
        messages = sorted(by_language[language])
        random.Random(1).shuffle(messages)  # noqa: S311 - the same texts every time
        yield from messages[:_MESSAGES]
        text = " ".join(messages)[: _ENGLISH_CHARACTERS if language == "en" else _CHARACTERS]
        yield from (text[start : start + _PAGE] for start in range(0, len(text), _PAGE))


if __name__ == "__main__":
    main()
