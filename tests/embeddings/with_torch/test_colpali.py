"""What only the models of colpali-engine have: their classes, adapters, and batches laid out by their processors."""

from pathlib import Path
from typing import Any

import colpali_engine.models as engine
import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import load_file, save_file

from embeddings.backends import colpali
from embeddings.backends.checkpoints import ModelNotFound, require_checkpoint
from embeddings.backends.colpali import WeightsMissing
from embeddings.backends.families import _BY_TYPE
from embeddings.backends.torch_runtime import tensors_of
from tests.embeddings.serving import floats
from tests.embeddings.with_torch import tiny
from tests.embeddings.with_torch.test_models import agreement, embedded, noise, opened, page, pages, query


def test_every_family_names_classes_that_are_installed() -> None:
    for family in _BY_TYPE.values():
        assert hasattr(engine, family.model)
        assert hasattr(engine, family.processor)


def test_every_class_that_gives_many_vectors_has_a_family() -> None:
    installed = {name for name in dir(engine) if name.startswith("Col") and "Processor" not in name}
    assert installed == {family.model for family in _BY_TYPE.values()}


@pytest.mark.parametrize("build", [tiny.qwen, tiny.colpali, tiny.idefics])
def test_pages_that_were_prepared_alone_are_laid_out_as_the_processor_does_it(build: Any, tmp_path: Path) -> None:
    backend = opened(colpali.make, build(tmp_path))
    model: Any = backend._model
    images = [one.image for one in pages()]
    own = tensors_of(model._processor.process_images(images))
    ((_, ours),) = backend.collate([backend.prepare(one) for one in pages()])
    assert set(own) == set(ours)
    for name, tensor in own.items():
        torch.testing.assert_close(ours[name], tensor, rtol=0, atol=0)


@pytest.mark.parametrize("build", [tiny.qwen, tiny.colpali, tiny.idefics])
def test_a_query_gets_the_ten_signs_that_models_think_with(build: Any, tmp_path: Path) -> None:
    backend = opened(colpali.make, build(tmp_path))
    model: Any = backend._model
    sign = model._processor.tokenizer.convert_tokens_to_ids(model._processor.query_augmentation_token)
    asked = model.prepare(query("tax"))[0]["input_ids"][0].tolist()
    assert asked[-10:] == [sign] * 10


def test_vectors_are_those_of_the_model_itself(tmp_path: Path) -> None:
    backend = opened(colpali.make, tiny.colpali(tmp_path))
    model = engine.ColPali.from_pretrained(tmp_path, attn_implementation="eager").eval()
    image = noise((200, 140), seed=5)
    with torch.inference_mode():
        expected = model(**tensors_of(engine.ColPaliProcessor.from_pretrained(tmp_path).process_images([image])))[0]
    found = floats(embedded(backend, [page(image)])[0].vectors)
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-3)


def test_a_page_has_no_more_vectors_than_are_wanted(tmp_path: Path) -> None:
    backend = opened(colpali.make, tiny.qwen(tmp_path), COLPALI_MAX_VISUAL_TOKENS="20")
    made = embedded(backend, [page(Image.new("RGB", (900, 1200), "white"))])[0]
    assert made.layout is not None
    assert made.layout["n_x"] * made.layout["n_y"] <= 20


def test_an_adapter_is_run_on_its_base(tmp_path: Path) -> None:
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
        embedded(opened(colpali.make, tmp_path / name), [pages()[0]])[0] for name in ("base", "adapter", "merged")
    )
    assert agreement(adapter, merged) > 0.999
    assert agreement(adapter, plain) < 0.99


def test_weights_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    file = tiny.qwen(tmp_path) / "model.safetensors"
    weights = load_file(file)
    save_file({name: one for name, one in weights.items() if "custom_text_proj" not in name}, file, {"format": "pt"})
    with pytest.raises(WeightsMissing, match="custom_text_proj"):
        opened(colpali.make, tmp_path)


def test_another_training_is_another_revision(tmp_path: Path) -> None:
    first = require_checkpoint([str(tiny.qwen(tmp_path))], revision="", offline=True)
    weights = load_file(tmp_path / "model.safetensors")
    weights["custom_text_proj.weight"] += 1
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    assert require_checkpoint([str(tmp_path)], revision="", offline=True).revision != first.revision


def test_a_model_that_is_nowhere_is_told_by_name() -> None:
    with pytest.raises(ModelNotFound, match=r"nobody/nothing.*COLPALI_OFFLINE"):
        require_checkpoint(["nobody/nothing"], revision="", offline=True)
