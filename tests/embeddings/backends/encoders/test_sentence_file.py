"""The data files of the sentence encoder."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.backends.encoders.sentence_file import SentenceFile
from embeddings.backends.minilm import InvalidModelFile


def test_file_contains_the_whole_model() -> None:
    file = SentenceFile()
    assert file.tokenizer.get_piece_size() == 128_000
    embedded = file.pieces.embed(np.array([0, 127_999, 0]))
    assert embedded.shape == (3, 512)
    np.testing.assert_array_equal(embedded[0], embedded[2])
    assert file.arrays["cnn_W"].shape == (1280, 512)


def test_missing_or_wrong_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFile, match=r"sp\.model is missing"):
        SentenceFile(tmp_path)
    (tmp_path / "sp.model").write_bytes(b"other pieces")
    with pytest.raises(InvalidModelFile, match=r"sp\.model has the wrong content"):
        SentenceFile(tmp_path)
