"""Fit the axes of the multilingual model: `python -m benchmarks.embeddings.e5_axes FOLDER...`

The axes ship as embeddings/backends/encoders/e5_axes.npy, and are fitted once: on the messages of programs in every
language that has enough of them in the .mo files below the folders, and on the help of Python and our documents in
English. For those that ship, the folders were the unpacked Debian packages of bookworm named in PACKAGES.

The directions in which the means of the languages differ most are left out: they say which language a text is in, so
that pages in the language of a question would precede those that answer it.
"""

import argparse
import gettext
import itertools
import pydoc_data.topics
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders import e5, projected
from embeddings.backends.encoders.e5 import E5
from paliapi.env import ROOT

PACKAGES = (
    "apt bash coreutils dpkg-dev findutils gettext-base gnupg-l10n libc-l10n libglib2.0-data libgtk-3-common make sed"
    " tar util-linux-locales wget"
)
# Shorter messages are labels.
_SHORTEST = 40
_PER_LANGUAGE, _ENGLISH_TIMES = 10_000, 6
_PAGE = 1_500
# With more, translated messages are hardly found any better (`e5_languages`), and English questions lose.
_LANGUAGE_DIRECTIONS = 16


def main() -> None:
    """Fit the axes and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    languages, texts = zip(*pages(parser.parse_args().folders), strict=True)
    vectors, lengths = unit_vectors(E5(axes=projected.Axes(*np.empty((2, 0), dtype=np.float32))), texts)
    projected.store(e5.AXES, axes(vectors, np.repeat(languages, lengths)), vectors.mean(axis=0))
    sys.stdout.write(f"Wrote {e5.AXES} from {len(vectors)} vectors of {len(texts)} texts.\n")


def axes(
    vectors: NDArray[np.float64], languages: NDArray[np.str_], *, left_out: int = _LANGUAGE_DIRECTIONS
) -> NDArray[np.float64]:
    """Return the axes (384, 112) of unit vectors, in none of which the means of the languages differ most."""
    centred = vectors - vectors.mean(axis=0)
    means = np.stack([centred[languages == language].mean(axis=0) for language in np.unique(languages)])
    directions = np.linalg.svd(means, full_matrices=False)[2][:left_out]
    return projected.principal_axes(centred - centred @ directions.T @ directions)


def pages(folders: Iterable[Path]) -> list[tuple[str, str]]:
    """Return languages and texts of about the length of a page, equally long for each language but English."""
    chosen = []
    for language, messages in sorted(messages_by_language(folders).items()):
        unique = sorted(messages)
        random.Random(1).shuffle(unique)  # noqa: S311 - the same texts every time
        text = " ".join(unique)
        if len(text) >= _PER_LANGUAGE:
            chosen.append((language, text[: _PER_LANGUAGE * (_ENGLISH_TIMES if language == "en" else 1)]))
    return [
        (language, text[start : start + _PAGE]) for language, text in chosen for start in range(0, len(text), _PAGE)
    ]


def messages_by_language(folders: Iterable[Path]) -> dict[str, set[str]]:
    """Return the messages of each language by its code, and English ones from other sources."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for file in itertools.chain.from_iterable(folder.rglob("LC_MESSAGES/*.mo") for folder in folders):
        language = file.parts[-3].partition("@")[0].partition("_")[0]
        if "@" not in file.parts[-3] and language != "en":
            found[language] |= set(messages(file))
    found["en"] |= set(pydoc_data.topics.topics.values())
    found["en"] |= {file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.md")}
    return found


def messages(file: Path) -> Iterator[str]:
    """Yield the translated messages of a file that are long enough to be sentences."""
    return (translated for _, translated in translations(file))


def translations(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the messages of a file, if the translation is long enough to be a sentence, and their translations."""
    try:
        with file.open("rb") as opened:
            catalogue = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]
    except (OSError, UnicodeDecodeError, LookupError):  # some files are empty, or have no rule for plurals
        return
    for original, translated in catalogue.items():
        if original and translated != original and len(translated) >= _SHORTEST:
            # Messages with a plural have a number as well.
            text = original if isinstance(original, str) else original[0]
            yield " ".join(text.split()), " ".join(translated.split())


def unit_vectors(model: E5, texts: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Return the unit vectors (n, 384) of all pieces of the texts that get one, and their number in each text."""
    parts = []
    for text in texts:
        pieces = model.tokenize(text)
        parts.append(model.contextual(pieces.ids, "document")[pieces.embedded])
    vectors: NDArray[np.float64] = np.concatenate(parts).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, [len(part) for part in parts]


if __name__ == "__main__":
    main()
