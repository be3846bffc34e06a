"""More tiny models of colpali-engine: the other generations of ColQwen, ColModernVBert and ColGemma3."""

from pathlib import Path
from typing import Any

import colpali_engine.models as engine
import torch
from transformers import (
    Gemma3Config,
    Gemma3ImageProcessor,
    GemmaTokenizer,
    ModernVBertConfig,
    Qwen2VLConfig,
    Qwen2VLImageProcessor,
    Qwen3_5Config,
    Qwen3VLConfig,
    Qwen3VLVideoProcessor,
)
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

from tests.embeddings.with_torch import tiny

# Positions with three axes: how many of the frequencies belong to each.
_AXES = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3], "mrope_interleaved": True}
_VISION = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2}


def qwen2(folder: Path) -> Path:
    """Save a ColQwen2."""
    processor = engine.ColQwen2Processor(
        image_processor=Qwen2VLImageProcessor(min_pixels=4 * 28 * 28, max_pixels=64 * 28 * 28),
        tokenizer=tiny.qwen_tokenizer(),
        video_processor=Qwen2VLVideoProcessor(),
    )
    config = Qwen2VLConfig(
        text_config=tiny.qwen_text(processor.tokenizer),
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": tiny.HIDDEN, "mlp_ratio": 2, "num_heads": 2},
        **tiny.qwen_ids(processor.tokenizer),
    )
    return tiny.save(engine.ColQwen2, config, processor, folder)


def qwen3(folder: Path) -> Path:
    """Save a ColQwen3, which adds features of early layers of the vision model to those of the text model."""
    processor = engine.ColQwen3Processor(**_qwen3_parts())
    config = Qwen3VLConfig(
        text_config=tiny.TEXT | {"vocab_size": len(processor.tokenizer), "head_dim": 16, "rope_parameters": _AXES},
        vision_config=_VISION
        | {"out_hidden_size": tiny.HIDDEN, "num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        **tiny.qwen_ids(processor.tokenizer),
    )
    return tiny.save(engine.ColQwen3, config, processor, folder)


def qwen3_5(folder: Path) -> Path:
    """Save a ColQwen3.5, most of whose layers have linear attention, and so a state that passes from left to right."""
    processor = engine.ColQwen3_5Processor(**_qwen3_parts())
    config = Qwen3_5Config(
        text_config=tiny.TEXT
        | {
            "vocab_size": len(processor.tokenizer),
            "head_dim": 32,
            # Only a quarter of each head rotates.
            "rope_parameters": _AXES | {"mrope_section": [2, 1, 1], "partial_rotary_factor": 0.25},
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "layer_types": ["linear_attention", "full_attention"],
        },
        vision_config=_VISION | {"out_hidden_size": tiny.HIDDEN, "num_position_embeddings": 64},
        **tiny.qwen_ids(processor.tokenizer),
    )
    return tiny.save(engine.ColQwen3_5, config, processor, folder)


def _qwen3_parts() -> dict[str, Any]:
    return {
        "image_processor": Qwen2VLImageProcessor(
            patch_size=16, min_pixels=4 * 32 * 32, max_pixels=64 * 32 * 32, image_mean=[0.5] * 3, image_std=[0.5] * 3
        ),
        "tokenizer": tiny.qwen_tokenizer(),
        "video_processor": Qwen3VLVideoProcessor(),
    }


def modernvbert(folder: Path) -> Path:
    """Save a ColModernVBert, an encoder whose pages are tiles as those of ColIdefics3."""
    processor = tiny.idefics_processor(engine.ColModernVBertProcessor)
    config = ModernVBertConfig(
        text_config={
            "model_type": "modernbert",
            "vocab_size": len(processor.tokenizer),
            "hidden_size": tiny.HIDDEN,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "pad_token_id": processor.tokenizer.pad_token_id,
        },
        vision_config=tiny.SIGLIP,
        image_token_id=processor.tokenizer.convert_tokens_to_ids("<image>"),
        pixel_shuffle_factor=2,
    )
    return tiny.save(engine.ColModernVBert, config, processor, folder)


_GEMMA_TEMPLATE = (
    "{{ bos_token }}{%- for message in messages -%}<start_of_turn>{{ message.role }}\n"
    "{%- for part in message.content -%}{{ '<start_of_image>' if part.type == 'image' else part.text }}{%- endfor -%}"
    "<end_of_turn>\n{%- endfor -%}"
)


def gemma3(folder: Path) -> Path:
    """Save a ColGemma3, which attends in both directions among the tokens of an image."""
    special = {
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    }
    tokenizer = GemmaTokenizer(
        vocab={"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3} | tiny.shifted(4, tiny.byte_vocabulary()),
        merges=[],
        extra_special_tokens=special,
    )
    tokenizer.chat_template = _GEMMA_TEMPLATE
    processor = engine.ColGemmaProcessor3(
        image_processor=Gemma3ImageProcessor(size={"height": 56, "width": 56}),
        tokenizer=tokenizer,
        image_seq_length=16,
    )
    config = Gemma3Config(
        text_config=tiny.TEXT | {"vocab_size": len(tokenizer), "head_dim": 16, "pad_token_id": 0},
        vision_config=tiny.SIGLIP,
        mm_tokens_per_image=16,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        image_token_index=tokenizer.image_token_id,
    )
    return tiny.save(_gemma3_that_sees, config, processor, folder)


def _gemma3_that_sees(config: Gemma3Config) -> Any:
    """Return a model whose projection of images is random, too; transformers initialises it with zeros."""
    model = engine.ColGemma3(config)
    torch.nn.init.normal_(model.multi_modal_projector.mm_input_projection_weight, std=0.1)
    return model
