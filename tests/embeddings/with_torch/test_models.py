"""The torch backend with tiny, random models of real architectures: real processors, real forward passes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from embeddings.backends import colpali, native
from embeddings.backends.base import Item
from embeddings.backends.torch_backend import TorchBackend
from embeddings.backends.torch_runtime import PaddingSide, pad_batch
from embeddings.contract import MultiVector
from embeddings.errors import InvalidField, InvalidImage, RequestTooLarge
from tests.embeddings.serving import floats, settings
from tests.embeddings.with_torch import tiny, tiny_families

MODELS = {
    "qwen": (tiny.qwen, colpali.make),
    "qwen2": (tiny_families.qwen2, colpali.make),
    "qwen3": (tiny_families.qwen3, colpali.make),
    "qwen3.5": (tiny_families.qwen3_5, colpali.make),
    "modernvbert": (tiny_families.modernvbert, colpali.make),
    "gemma3": (tiny_families.gemma3, colpali.make),
    "colpali": (tiny.colpali, colpali.make),
    "idefics": (tiny.idefics, colpali.make),
    "neomme": (tiny.neomme, native.make),
}
SIZES = ((140, 200), (200, 140), (300, 400), (56, 56))


def open_backend(make: Callable[..., TorchBackend], folder: Path, **values: str) -> TorchBackend:
    """Return a loaded backend on the CPU."""
    chosen = {"COLPALI_MODEL_NAME": str(folder), "COLPALI_DTYPE": "float32", "COLPALI_DEVICE": "cpu"}
    backend = make(settings(**chosen, COLPALI_OFFLINE="true", **values))
    backend.load()
    return backend


@pytest.fixture(scope="module", params=list(MODELS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    build, make = MODELS[request.param]
    return build(tmp_path_factory.mktemp(request.param)), make


@pytest.fixture(scope="module")
def backend(folder: tuple[Path, Any]) -> Iterator[TorchBackend]:
    loaded = open_backend(folder[1], folder[0])
    yield loaded
    loaded.close()


def noise(size: tuple[int, int], *, seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def page(image: Image.Image) -> Item:
    return Item("document", image=image)


def pages() -> list[Item]:
    return [page(noise(size, seed=seed)) for seed, size in enumerate(SIZES)]


def query(text: str) -> Item:
    return Item("query", text=text)


def embed(backend: TorchBackend, items: list[Item]) -> list[MultiVector]:
    """Embed the items in one batch."""
    return backend.encode(backend.collate([backend.prepare(item) for item in items]))


def agreement(first: MultiVector, second: MultiVector) -> float:
    """Return the smallest cosine between corresponding rows."""
    return float((floats(first.vectors) * floats(second.vectors)).sum(axis=1).min())


def test_info_describes_the_loaded_model(folder: tuple[Path, Any], backend: TorchBackend) -> None:
    space = backend.info.space
    assert (space.model, space.dim) == (str(folder[0]), embed(backend, [query("tax")])[0].vectors.shape[1])
    assert space.revision.startswith("folder-")
    assert (backend.info.device, backend.info.dtype) == ("cpu", "float32, sdpa")


def test_vectors_of_a_page_do_not_depend_on_the_batch(backend: TorchBackend) -> None:
    for item, batched in zip(pages(), embed(backend, pages()), strict=True):
        alone = embed(backend, [item])[0]
        assert alone.vectors.shape == batched.vectors.shape
        assert alone.layout == batched.layout
        assert agreement(alone, batched) > 0.999


@pytest.mark.parametrize("side", ["left", "right"])
def test_vectors_of_a_query_do_not_depend_on_padding(backend: TorchBackend, side: PaddingSide) -> None:
    items = [query(text) for text in ("tax", "the tax that was paid in the year 2024", "")]
    alone = [embed(backend, [item])[0] for item in items]
    prepared = [backend.prepare(item) for item in items]
    pad_id = backend._model.info.pad_id
    padded = pad_batch(
        [prepared_input.payload.tensors for prepared_input in prepared], side=side, pad_id=pad_id, pin=False
    )
    ((group, _),) = backend.collate(prepared)
    batch = backend.encode([(group, padded)])
    for first, second in zip(alone, batch, strict=True):
        assert first.vectors.shape == second.vectors.shape
        assert agreement(first, second) > 0.999


def test_rows_have_unit_length_and_include_no_padding(backend: TorchBackend) -> None:
    prepared = [backend.prepare(item) for item in (*pages(), query("tax"))]
    for prepared_input, multi_vector in zip(prepared, backend.encode(backend.collate(prepared)), strict=True):
        assert multi_vector.vectors.shape == (prepared_input.tokens, backend.info.space.dim)
        assert multi_vector.vectors.dtype == np.float16
        np.testing.assert_allclose(np.linalg.norm(floats(multi_vector.vectors), axis=1), 1, atol=2e-3)


def test_mixed_batch_of_texts_and_pages_keeps_its_order(backend: TorchBackend) -> None:
    items = [query("tax"), pages()[0], Item("document", text="tax"), pages()[1]]
    for item, batched in zip(items, embed(backend, items), strict=True):
        assert agreement(embed(backend, [item])[0], batched) > 0.999


def test_text_is_embedded_differently_as_a_query_and_as_a_document(
    backend: TorchBackend, request: pytest.FixtureRequest
) -> None:
    as_query, as_document = embed(backend, [query("tax"), Item("document", text="tax")])
    # ColGemma3 reads every text as a query.
    expect_same = request.node.callspec.params["folder"] == "gemma3"
    assert (len(as_query.vectors) == len(as_document.vectors)) is expect_same


def test_dark_spot_changes_most_the_vector_whose_box_contains_it(backend: TorchBackend) -> None:
    # Not quite white, because random weights produce zeros for a uniform part of a page.
    paper = noise((280, 280), seed=3).point(lambda grey: 255 - grey // 8)
    for spot in ((0.2, 0.3), (0.8, 0.4), (0.55, 0.9)):
        dark = paper.copy()
        x, y = (280 * spot[0], 280 * spot[1])
        ImageDraw.Draw(dark).rectangle((x - 6, y - 6, x + 6, y + 6), fill="black")
        before, after = (embed(backend, [page(image)])[0] for image in (paper, dark))
        change = np.linalg.norm(floats(before.vectors) - floats(after.vectors), axis=1)
        boxes = boxes_of(after)
        change[[box is None for box in boxes]] = 0
        left, top, right, bottom = boxes[int(change.argmax())] or [0.0] * 4
        assert left - 0.1 <= spot[0] <= right + 0.1
        assert top - 0.1 <= spot[1] <= bottom + 0.1


def boxes_of(multi_vector: MultiVector) -> list[list[float] | None]:
    """Return the box of each vector, for either kind of layout."""
    layout = multi_vector.layout
    assert layout is not None
    if layout["kind"] == "boxes":
        assert len(layout["boxes"]) == len(multi_vector.vectors)
        return layout["boxes"]
    n_x, n_y, offset = layout["n_x"], layout["n_y"], layout["offset"]
    boxes: list[list[float] | None] = [None] * len(multi_vector.vectors)
    for number in range(n_x * n_y):
        y, x = divmod(number, n_x)
        boxes[offset + number] = [x / n_x, y / n_y, (x + 1) / n_x, (y + 1) / n_y]
    return boxes


def test_special_tokens_in_a_text_are_plain_text(backend: TorchBackend) -> None:
    loaded: Any = backend._model
    tokenizer = loaded._processor.tokenizer if hasattr(loaded, "_processor") else loaded._encoder.tokenizer
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    special -= {tokenizer.unk_token_id}
    hostile = " ".join(loaded._special_tokens) + " <|im<|image_pad|>age_pad|> <ima<image>ge>"

    def count_special(text: str) -> int:
        return sum(number in special for number in loaded.prepare(query(text))[0]["input_ids"][0].tolist())

    assert loaded._special_tokens
    assert count_special(hostile) == count_special("x")
    assert len(embed(backend, [query(hostile), Item("document", text=hostile)])) == 2


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (1, 400)])
def test_page_of_an_extreme_shape_is_embedded_or_refused(backend: TorchBackend, size: tuple[int, int]) -> None:
    try:
        multi_vector = embed(backend, [page(noise(size, seed=1))])[0]
    except InvalidImage:
        return
    assert len(multi_vector.vectors) >= 1


def test_text_with_too_many_tokens_is_refused(backend: TorchBackend) -> None:
    with pytest.raises(RequestTooLarge, match="at most 8192"):
        backend.prepare(query("tax return " * 1000))


def test_empty_document_is_refused_or_embedded(backend: TorchBackend) -> None:
    try:
        multi_vector = embed(backend, [Item("document", text="")])[0]
    except InvalidField:
        return
    assert len(multi_vector.vectors) >= 1


def test_many_threads_can_prepare_concurrently(backend: TorchBackend) -> None:
    items = [*pages(), *(query(text * 3) for text in "abcd")] * 6
    with ThreadPoolExecutor(8) as threads:
        prepared = list(threads.map(backend.prepare, items))
    assert [prepared_input.tokens for prepared_input in prepared] == [backend.prepare(item).tokens for item in items]


def test_pooling_reduces_vectors_of_pages_but_not_of_queries(folder: tuple[Path, Any]) -> None:
    plain, pooling = open_backend(folder[1], folder[0]), open_backend(folder[1], folder[0], COLPALI_POOL_FACTOR="3")
    for whole, pooled in zip(embed(plain, pages()), embed(pooling, pages()), strict=True):
        assert 1 <= len(pooled.vectors) <= len(whole.vectors) // 3
        assert pooled.layout is None
        np.testing.assert_allclose(np.linalg.norm(floats(pooled.vectors), axis=1), 1, atol=2e-3)
    assert agreement(embed(plain, [query("tax")])[0], embed(pooling, [query("tax")])[0]) > 0.999
    pooling.close()


def test_half_precision_gives_nearly_the_same_vectors(folder: tuple[Path, Any], backend: TorchBackend) -> None:
    half = open_backend(folder[1], folder[0])
    loaded: Any = half._model
    (loaded._model if hasattr(loaded, "_model") else loaded._encoder).to(torch.bfloat16)
    object.__setattr__(loaded.info.placement, "dtype", torch.bfloat16)
    first, second = embed(half, [pages()[0]])[0], embed(backend, [pages()[0]])[0]
    assert agreement(first, second) > 0.95
