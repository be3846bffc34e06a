"""Models of the real architectures, tiny and random: real processors, real forward passes."""

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
from tests.embeddings.with_torch import tiny

MODELS = {
    "qwen": (tiny.qwen, colpali.make),
    "colpali": (tiny.colpali, colpali.make),
    "idefics": (tiny.idefics, colpali.make),
    "neomme": (tiny.neomme, native.make),
}
SIZES = ((140, 200), (200, 140), (300, 400), (56, 56))


def opened(make: Callable[..., TorchBackend], folder: Path, **values: str) -> TorchBackend:
    """A loaded backend on the CPU."""
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
    loaded = opened(folder[1], folder[0])
    yield loaded
    loaded.close()


def noise(size: tuple[int, int], *, seed: int) -> Image.Image:
    drawn = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(drawn)


def page(image: Image.Image) -> Item:
    return Item("document", image=image)


def pages() -> list[Item]:
    return [page(noise(size, seed=seed)) for seed, size in enumerate(SIZES)]


def query(text: str) -> Item:
    return Item("query", text=text)


def embedded(backend: TorchBackend, items: list[Item]) -> list[MultiVector]:
    """All of them in one batch."""
    return backend.encode(backend.collate([backend.prepare(item) for item in items]))


def agreement(one: MultiVector, other: MultiVector) -> float:
    """The smallest cosine between rows of the same number."""
    return float((floats(one.vectors) * floats(other.vectors)).sum(axis=1).min())


def test_what_it_says_of_itself_comes_from_the_loaded_model(folder: tuple[Path, Any], backend: TorchBackend) -> None:
    space = backend.info.space
    assert (space.model, space.dim) == (str(folder[0]), 128)
    assert space.revision.startswith("folder-")
    assert (backend.info.device, backend.info.dtype) == ("cpu", "float32, sdpa")


def test_a_page_has_the_same_vectors_alone_and_in_a_mixed_batch(backend: TorchBackend) -> None:
    together = embedded(backend, pages())
    for item, one in zip(pages(), together, strict=True):
        alone = embedded(backend, [item])[0]
        assert alone.vectors.shape == one.vectors.shape
        assert alone.layout == one.layout
        assert agreement(alone, one) > 0.999


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_query_has_the_same_vectors_alone_and_padded_on_either_side(backend: TorchBackend, side: PaddingSide) -> None:
    items = [query(text) for text in ("tax", "the tax that was paid in the year 2024", "")]
    alone = [embedded(backend, [item])[0] for item in items]
    prepared = [backend.prepare(item) for item in items]
    pad_id = backend._model.info.pad_id
    laid_out = pad_batch([one.payload.tensors for one in prepared], side=side, pad_id=pad_id, pin=False)
    ((group, _),) = backend.collate(prepared)
    together = backend.encode([(group, laid_out)])
    for one, other in zip(alone, together, strict=True):
        assert one.vectors.shape == other.vectors.shape
        assert agreement(one, other) > 0.999


def test_rows_have_unit_length_and_none_is_padding(backend: TorchBackend) -> None:
    prepared = [backend.prepare(item) for item in (*pages(), query("tax"))]
    for one, made in zip(prepared, backend.encode(backend.collate(prepared)), strict=True):
        assert made.vectors.shape == (one.tokens, 128)
        assert made.vectors.dtype == np.float16
        np.testing.assert_allclose(np.linalg.norm(floats(made.vectors), axis=1), 1, atol=2e-3)


def test_a_mixed_batch_of_texts_and_pages_comes_back_in_order(backend: TorchBackend) -> None:
    items = [query("tax"), pages()[0], Item("document", text="tax"), pages()[1]]
    together = embedded(backend, items)
    for item, one in zip(items, together, strict=True):
        assert agreement(embedded(backend, [item])[0], one) > 0.999


def test_a_text_is_another_thing_as_a_query_than_as_a_document(backend: TorchBackend) -> None:
    asked, told = embedded(backend, [query("tax"), Item("document", text="tax")])
    assert len(asked.vectors) > len(told.vectors)


def test_the_layout_says_where_a_vector_looks(backend: TorchBackend) -> None:
    """A dark spot changes the vector whose box it lies in more than any other that has a box."""
    # Not quite white: of an even part of a page, random weights make nothing at all.
    paper = noise((280, 280), seed=3).point(lambda grey: 255 - grey // 8)
    for spot in ((0.2, 0.3), (0.8, 0.4), (0.55, 0.9)):
        dark = paper.copy()
        x, y = (280 * spot[0], 280 * spot[1])
        ImageDraw.Draw(dark).rectangle((x - 6, y - 6, x + 6, y + 6), fill="black")
        before, after = (embedded(backend, [page(image)])[0] for image in (paper, dark))
        moved = np.linalg.norm(floats(before.vectors) - floats(after.vectors), axis=1)
        boxes = boxes_of(after)
        moved[[box is None for box in boxes]] = 0
        left, top, right, bottom = boxes[int(moved.argmax())] or [0.0] * 4
        assert left - 0.1 <= spot[0] <= right + 0.1
        assert top - 0.1 <= spot[1] <= bottom + 0.1


def boxes_of(made: MultiVector) -> list[list[float] | None]:
    """The box of each vector, whatever kind the layout is of."""
    layout = made.layout
    assert layout is not None
    if layout["kind"] == "boxes":
        assert len(layout["boxes"]) == len(made.vectors)
        return layout["boxes"]
    n_x, n_y, offset = layout["n_x"], layout["n_y"], layout["offset"]
    boxes: list[list[float] | None] = [None] * len(made.vectors)
    for number in range(n_x * n_y):
        y, x = divmod(number, n_x)
        boxes[offset + number] = [x / n_x, y / n_y, (x + 1) / n_x, (y + 1) / n_y]
    return boxes


def test_the_signs_of_the_model_in_a_text_are_only_letters(backend: TorchBackend) -> None:
    loaded: Any = backend._model
    tokenizer = loaded._processor.tokenizer if hasattr(loaded, "_processor") else loaded._encoder.tokenizer
    signs = {number for number, sign in tokenizer.added_tokens_decoder.items() if sign.special}
    signs -= {tokenizer.unk_token_id}
    hostile = " ".join(loaded._special_tokens) + " <|im<|image_pad|>age_pad|> <ima<image>ge>"

    def spoken(text: str) -> int:
        return sum(number in signs for number in loaded.prepare(query(text))[0]["input_ids"][0].tolist())

    assert loaded._special_tokens
    assert spoken(hostile) == spoken("x")
    assert len(embedded(backend, [query(hostile), Item("document", text=hostile)])) == 2


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (1, 400)])
def test_pages_of_odd_shapes_are_embedded_or_refused_with_a_reason(
    backend: TorchBackend, size: tuple[int, int]
) -> None:
    try:
        made = embedded(backend, [page(noise(size, seed=1))])[0]
    except InvalidImage:
        return
    assert len(made.vectors) >= 1


def test_texts_without_end_are_refused(backend: TorchBackend) -> None:
    with pytest.raises(RequestTooLarge, match="at most 8192"):
        backend.prepare(query("tax return " * 1000))


def test_an_empty_document_is_refused_or_embedded(backend: TorchBackend) -> None:
    try:
        made = embedded(backend, [Item("document", text="")])[0]
    except InvalidField:
        return
    assert len(made.vectors) >= 1


def test_many_threads_prepare_at_once(backend: TorchBackend) -> None:
    items = [*pages(), *(query(text * 3) for text in "abcd")] * 6
    with ThreadPoolExecutor(8) as threads:
        prepared = list(threads.map(backend.prepare, items))
    assert [one.tokens for one in prepared] == [backend.prepare(item).tokens for item in items]


def test_pooling_keeps_fewer_vectors_of_a_page_and_all_of_a_query(folder: tuple[Path, Any]) -> None:
    plain, pooling = opened(folder[1], folder[0]), opened(folder[1], folder[0], COLPALI_POOL_FACTOR="3")
    for whole, less in zip(embedded(plain, pages()), embedded(pooling, pages()), strict=True):
        assert 1 <= len(less.vectors) <= len(whole.vectors) // 3
        assert less.layout is None
        np.testing.assert_allclose(np.linalg.norm(floats(less.vectors), axis=1), 1, atol=2e-3)
    assert agreement(embedded(plain, [query("tax")])[0], embedded(pooling, [query("tax")])[0]) > 0.999
    pooling.close()


def test_half_precision_says_nearly_the_same(folder: tuple[Path, Any], backend: TorchBackend) -> None:
    half = opened(folder[1], folder[0])
    loaded: Any = half._model
    (loaded._model if hasattr(loaded, "_model") else loaded._encoder).to(torch.bfloat16)
    object.__setattr__(loaded.info.placement, "dtype", torch.bfloat16)
    one, other = embedded(half, [pages()[0]])[0], embedded(backend, [pages()[0]])[0]
    assert agreement(one, other) > 0.95
