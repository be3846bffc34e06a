"""Locating the files of a model."""

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from embeddings.backends.checkpoints import ModelNotFound, find_checkpoint, require_checkpoint
from tests.embeddings.with_torch import tiny


def test_revision_of_a_folder_depends_on_its_weights(tmp_path: Path) -> None:
    first = require_checkpoint([str(tiny.qwen(tmp_path))], revision="", offline=True)
    weights = load_file(tmp_path / "model.safetensors")
    weights["custom_text_proj.weight"] += 1
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    assert require_checkpoint([str(tmp_path)], revision="", offline=True).revision != first.revision


def test_missing_model_is_none_or_an_error_with_its_name() -> None:
    assert find_checkpoint(["missing/model"], revision="", offline=True) is None
    with pytest.raises(ModelNotFound, match=r"missing/model.*COLPALI_OFFLINE"):
        require_checkpoint(["missing/model"], revision="", offline=True)
