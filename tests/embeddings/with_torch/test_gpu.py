"""A full-size model with random weights on a CUDA device; nothing is downloaded."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
import torch

from benchmarks.embeddings.gpu_run import measured, open_random
from embeddings.backends.torch_backend import TorchBackend
from embeddings.config import Settings
from tests.embeddings.serving import settings
from tests.embeddings.with_torch.test_models import agreement, embed, pages
from tests.embeddings.with_torch.tiny import qwen_processor

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]


@pytest.fixture(scope="module")
def chosen() -> Settings:
    return settings(COLPALI_BATCH_SIZE="16")


@pytest.fixture(scope="module")
def backend(chosen: Settings) -> Iterator[TorchBackend]:
    loaded = TorchBackend("colpali", partial(open_random, tiny=False, processor=qwen_processor()), settings=chosen)
    loaded.load()
    yield loaded
    loaded.close()


def test_vectors_of_a_page_hardly_depend_on_the_batch(backend: TorchBackend) -> None:
    assert backend.info.dtype.startswith("bfloat16")
    for item, batched in zip(pages(), embed(backend, pages()), strict=True):
        assert agreement(embed(backend, [item])[0], batched) > 0.98


def test_device_is_busy_under_load(backend: TorchBackend, chosen: Settings) -> None:
    numbers = asyncio.run(measured(backend, chosen, pages=96))
    assert numbers["busy_share"] >= 0.9, numbers
