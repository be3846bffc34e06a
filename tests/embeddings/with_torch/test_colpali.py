"""The backend `colpali`: its classes, adapters, and batches compared with those of the processors."""

from pathlib import Path
from typing import Any

import colpali_engine.models as engine
import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5OmniThinkerConfig

from embeddings.backends import colpali
from embeddings.backends.checkpoints import WeightsMissing
from embeddings.backends.families import _BY_TYPE
from embeddings.backends.torch_runtime import tensors_of
from tests.embeddings.serving import floats
from tests.embeddings.with_torch import tiny, tiny_families
from tests.embeddings.with_torch.test_models import agreement, embed, noise, open_backend, page, pages, query

# Not ColGemma3, whose queries get no additional tokens.
EXTENDING = [
    *(tiny.qwen, tiny.colpali, tiny.idefics),
    *(tiny_families.qwen2, tiny_families.qwen3, tiny_families.qwen3_5, tiny_families.modernvbert),
]


def test_classes_of_every_family_are_installed() -> None:
    for family in _BY_TYPE.values():
        assert hasattr(engine, family.model)
        assert hasattr(engine, family.processor)


def test_every_late_interaction_class_that_works_has_a_family() -> None:
    installed = {name for name in dir(engine) if name.startswith("Col") and "Processor" not in name}
    assert installed == {family.model for family in _BY_TYPE.values()} | {"ColQwen2_5Omni"}
    # It sets `visual`, which transformers has moved. If this no longer fails, it can have a family.
    with torch.device("meta"), pytest.raises(AttributeError, match="visual"):
        engine.ColQwen2_5Omni(Qwen2_5OmniThinkerConfig())


@pytest.mark.parametrize("build", [*EXTENDING, tiny_families.gemma3])
def test_batch_of_separately_prepared_pages_equals_that_of_the_processor(build: Any, tmp_path: Path) -> None:
    backend = open_backend(colpali.make, build(tmp_path))
    model: Any = backend._model
    images = [item.image for item in pages()]
    expected = tensors_of(model._processor.process_images(images))
    ((_, actual),) = backend.collate([backend.prepare(item) for item in pages()])
    assert set(expected) == set(actual)
    for name, tensor in expected.items():
        torch.testing.assert_close(actual[name], tensor, rtol=0, atol=0)


@pytest.mark.parametrize("build", EXTENDING)
def test_query_is_extended_by_ten_augmentation_tokens(build: Any, tmp_path: Path) -> None:
    backend = open_backend(colpali.make, build(tmp_path))
    model: Any = backend._model
    token = model._processor.tokenizer.convert_tokens_to_ids(model._processor.query_augmentation_token)
    ids = model.prepare(query("tax"))[0]["input_ids"][0].tolist()
    assert ids[-10:] == [token] * 10


def test_vectors_equal_those_of_the_model_itself(tmp_path: Path) -> None:
    backend = open_backend(colpali.make, tiny.colpali(tmp_path))
    model = engine.ColPali.from_pretrained(tmp_path, attn_implementation="eager").eval()
    image = noise((200, 140), seed=5)
    with torch.inference_mode():
        expected = model(**tensors_of(engine.ColPaliProcessor.from_pretrained(tmp_path).process_images([image])))[0]
    actual = floats(embed(backend, [page(image)])[0].vectors)
    np.testing.assert_allclose(actual, expected.numpy(), atol=2e-3)


def test_number_of_visual_tokens_is_limited(tmp_path: Path) -> None:
    backend = open_backend(colpali.make, tiny.qwen(tmp_path), COLPALI_MAX_VISUAL_TOKENS="20")
    multi_vector = embed(backend, [page(Image.new("RGB", (900, 1200), "white"))])[0]
    assert multi_vector.layout is not None
    assert multi_vector.layout["n_x"] * multi_vector.layout["n_y"] <= 20


def test_adapter_is_applied_to_its_base_model(tmp_path: Path) -> None:
    base = tiny.qwen(tmp_path / "base")
    adapted = get_peft_model(
        engine.ColQwen2_5.from_pretrained(base),
        LoraConfig(r=4, init_lora_weights=False, target_modules=r".*(q_proj|custom_text_proj)"),
    )
    adapted.save_pretrained(tmp_path / "adapter")
    engine.ColQwen2_5_Processor.from_pretrained(base).save_pretrained(tmp_path / "adapter")
    adapted.merge_and_unload().save_pretrained(tmp_path / "merged")
    engine.ColQwen2_5_Processor.from_pretrained(base).save_pretrained(tmp_path / "merged")
    plain, adapter, merged = (
        embed(open_backend(colpali.make, tmp_path / name), [pages()[0]])[0] for name in ("base", "adapter", "merged")
    )
    assert agreement(adapter, merged) > 0.999
    assert agreement(adapter, plain) < 0.99


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    file = tiny.qwen(tmp_path) / "model.safetensors"
    weights = load_file(file)
    save_file(
        {name: weight for name, weight in weights.items() if "custom_text_proj" not in name}, file, {"format": "pt"}
    )
    with pytest.raises(WeightsMissing, match="custom_text_proj"):
        open_backend(colpali.make, tmp_path)
