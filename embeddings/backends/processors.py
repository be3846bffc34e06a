"""Functions shared by the models' processors: special tokens, and the layout of a page."""

import re
from collections.abc import Sequence
from typing import Any

from embeddings.backends import layouts
from embeddings.backends.torch_runtime import Tensors, to_array
from embeddings.contract import Layout


def special_tokens(tokenizer: Any) -> list[str]:
    """Return the tokens that control the model and never come from a text."""
    return [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]


def neutralize_special_tokens(text: str, tokens: Sequence[str]) -> str:
    """Split special tokens in an untrusted text, so that the tokenizer does not recognise them."""
    pattern = "|".join(re.escape(token) for token in tokens if len(token) > 1)
    return re.sub(pattern, lambda match: f"{match[0][0]} {match[0][1:]}", text) if pattern else text


def page_layout(tensors: Tensors, processor: Any) -> Layout | None:
    """Return the layout of one processed image, or None if it cannot be derived from the tensors."""
    ids = to_array(tensors["input_ids"])[0]
    image_mask = ids == _image_token_id(processor)
    if "image_grid_thw" in tensors:
        merged = processor.image_processor.merge_size
        _, n_y, n_x = (int(number) for number in to_array(tensors["image_grid_thw"])[0])
        return layouts.grid(image_mask, n_x=n_x // merged, n_y=n_y // merged)
    if "position_ids" in tensors:
        y, x = to_array(tensors["position_ids"])[:, 0]
        return layouts.numbered(image_mask, x=x, y=y)
    if hasattr(processor, "image_seq_len"):
        tokens = processor.tokenizer.convert_ids_to_tokens(ids)
        return layouts.tiles(image_mask, tokens=tokens, per_tile=processor.image_seq_len)
    return layouts.square(image_mask)


def _image_token_id(processor: Any) -> int:
    # The singular of Gemma 3 is the token that announces an image.
    declared = processor.image_token_ids[0]
    return int(declared if declared is not None else processor.tokenizer.convert_tokens_to_ids(processor.image_token))
