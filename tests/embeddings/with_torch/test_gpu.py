"""The model of real size on a CUDA device; weights are random, so nothing is downloaded."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
import torch

from benchmarks.embeddings.gpu_run import measured, open_random
from embeddings.backends.torch_backend import TorchBackend
from embeddings.config import Settings
from tests.embeddings.serving import settings
from tests.embeddings.with_torch.test_models import agreement, embedded, pages
from tests.embeddings.with_torch.tiny import qwen_processor

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]


@pytest.fixture(scope="module")
def chosen() -> Settings:
    return settings(COLPALI_BATCH_SIZE="16")


@pytest.fixture(scope="module")
def backend(chosen: Settings) -> Iterator[TorchBackend]:
    opened = TorchBackend("colpali", partial(open_random, tiny=False, processor=qwen_processor()), settings=chosen)
    opened.load()
    yield opened
    opened.close()


def test_a_page_has_nearly_the_same_vectors_alone_and_in_a_mixed_batch(backend: TorchBackend) -> None:
    assert backend.info.dtype.startswith("bfloat16")
    for item, one in zip(pages(), embedded(backend, pages()), strict=True):
        assert agreement(embedded(backend, [item])[0], one) > 0.98


def test_the_device_computes_nearly_all_the_time_under_load(backend: TorchBackend, chosen: Settings) -> None:
    numbers = asyncio.run(measured(backend, chosen, pages=96))
    assert numbers["busy_share"] >= 0.9, numbers
