"""The measurement of `python -m benchmarks.embeddings.gpu`, imported only if torch is installed."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import colpali_engine.models as engine
import numpy as np
import torch
from PIL import Image
from transformers import Qwen2_5_VLConfig

from embeddings import config
from embeddings.backends.base import Item
from embeddings.backends.colpali import ColModel
from embeddings.backends.families import Family
from embeddings.backends.torch_backend import ModelInfo, TorchBackend
from embeddings.backends.torch_runtime import choose_placement
from embeddings.server.engine import EmbeddingEngine, InputTask
from tests.embeddings.with_torch.tiny import qwen_processor

_RESULTS = Path(__file__).parents[1] / "results" / "embeddings_gpu.json"
_BATCHES = {"1": 1, "8": 8, "auto": 32}
_PAGE = (1240, 1754)
# The dimensions of Qwen2.5-VL-3B.
_TEXT = {
    "hidden_size": 2048,
    "intermediate_size": 11008,
    "num_hidden_layers": 36,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128000,
    "vocab_size": 151936,
    "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
}
_VISION = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "out_hidden_size": 2048,
    "window_size": 112,
    "fullatt_block_indexes": [7, 15, 23, 31],
}
_TINY_TEXT = {"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2}
_TINY_VISION = {"depth": 2, "hidden_size": 64, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 256}


def open_random(settings: config.Settings, *, tiny: bool, processor: Any) -> ColModel:
    """Create the full-size model, or a tiny one of the same architecture, with random weights."""
    placement = choose_placement(device=settings.device, dtype=settings.dtype, attention=settings.attention)
    number = processor.tokenizer.convert_tokens_to_ids
    configuration = Qwen2_5_VLConfig(
        text_config=_TEXT | (_TINY_TEXT if tiny else {}),
        vision_config=_VISION | (_TINY_VISION | {"fullatt_block_indexes": [1]} if tiny else {}),
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
        attn_implementation=placement.attention,
    )
    torch.set_default_dtype(placement.dtype)
    with torch.device(placement.device):
        model = engine.ColQwen2_5(configuration).eval()
    torch.set_default_dtype(torch.float32)
    info = ModelInfo(name="random", revision="1", placement=placement, padding_side="left", pad_id=0)
    family = Family("ColQwen2_5", "ColQwen2_5_Processor", takes_token_limit=True)
    return ColModel(model, processor, family=family, info=info)


async def measured(backend: TorchBackend, settings: config.Settings, *, pages: int) -> dict[str, Any]:
    """Send pages through the whole engine, and measure the share of time that the device computes."""
    running = EmbeddingEngine(backend, settings=settings, self_test=False)
    running.start()
    await running.wait_until_loaded()
    drawn = np.random.default_rng(1).integers(0, 256, (*_PAGE[::-1], 3), dtype=np.uint8)
    item = Item("document", image=Image.fromarray(drawn))
    works = [InputTask("image", partial(backend.prepare, item))] * pages
    await running.embed(works[: settings.batch_size])
    before, began = _forward_s(running), time.perf_counter()
    embedded = await running.embed(works)
    wall_s = time.perf_counter() - began
    busy_s = _forward_s(running) - before
    await running.stop()
    return {
        "pages_per_s": round(pages / wall_s, 2),
        "busy_share": round(busy_s / wall_s, 3),
        "forward_ms_per_page": round(1000 * busy_s / pages, 2),
        "vectors_per_page": len(embedded[0].vectors),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if torch.cuda.is_available() else 0,
    }


def _forward_s(running: EmbeddingEngine) -> float:
    return running.metrics.registry.get_sample_value("paliembed_forward_seconds_sum") or 0.0


def run(*, tiny: bool, pages: int, attentions: Sequence[str]) -> None:
    """Measure each combination of batch size and attention, print and store the figures."""
    if not torch.cuda.is_available() and not tiny:
        sys.exit("There is no CUDA device; --tiny runs without one.")
    figures: dict[str, Any] = {"device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"}
    processor = _processor()
    for attention in attentions:
        for name, size in _BATCHES.items():
            environment = {"COLPALI_AUTH": "none", "COLPALI_ATTENTION": attention, "COLPALI_BATCH_SIZE": str(size)}
            settings = config.parse(environment | {"COLPALI_MAX_QUEUE_TOKENS": "100000000"})
            opened = partial(open_random, tiny=tiny, processor=processor)
            backend = TorchBackend("colpali", opened, settings=settings)
            if torch.cuda.is_available():
                torch.cuda.reset_peak_memory_stats()
            numbers = asyncio.run(measured(backend, settings, pages=pages))
            figures |= {f"{attention}_batch_{name}_{what}": number for what, number in numbers.items()}
            figures["dtype"] = backend.info.dtype.partition(",")[0]
    report = json.dumps(figures, indent=2)
    print(report)  # noqa: T201
    if not tiny:
        _RESULTS.parent.mkdir(exist_ok=True)
        _RESULTS.write_text(report + "\n", encoding="utf-8")


def _processor() -> Any:
    """Create the real processor with a byte-level vocabulary, because nothing may be downloaded."""
    processor = qwen_processor()
    processor.image_processor.size["longest_edge"] = 768 * 28 * 28
    return processor
