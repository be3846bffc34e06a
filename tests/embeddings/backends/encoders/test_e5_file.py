"""The data file of multilingual-e5-small."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.backends.encoders.e5_file import E5File
from embeddings.backends.minilm import InvalidModelFile


@pytest.fixture(scope="module")
def file() -> E5File:
    return E5File()


def test_file_contains_the_whole_model(file: E5File) -> None:
    assert file.shape[:7] == (384, 12, 12, 1536, 250_037, 512, 2)
    vocabulary = list(file.vocabulary())
    assert len(vocabulary) == 250_002
    assert [piece for piece, _ in vocabulary[:5]] == ["<s>", "<pad>", "</s>", "<unk>", ","]
    assert file.positions().shape == (512, 384)
    layers = list(file.bert().layers)
    assert len(layers) == 12
    assert all(layer.wide.matrix.shape == (384, 1536) for layer in layers)
    assert all(layer.narrow.matrix.shape == (1536, 384) for layer in layers)


def test_numbers_of_four_bits_become_floats(file: E5File) -> None:
    rows = file.embed(np.array([5, 250_000, 5]))
    assert rows.shape == (3, 384)
    np.testing.assert_array_equal(rows[0], rows[2])
    for block in rows[:2].reshape(-1, 32):
        # Whole numbers from -8 to 7 with a common factor, of which one at least is -8 or close to 8.
        factor = np.abs(block).max() / 8
        assert factor == 0 or np.abs(block / factor - np.round(block / factor)).max() < 0.35
    assert 0.5 < np.linalg.norm(rows[0]) < 10


def test_missing_or_wrong_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "e5-small-q4.bin"
    with pytest.raises(InvalidModelFile, match=r"e5-small-q4\.bin is missing"):
        E5File(other)
    for content in (b"", b"E5S1 other weights"):
        other.write_bytes(content)
        with pytest.raises(InvalidModelFile, match="has the wrong content"):
            E5File(other)
