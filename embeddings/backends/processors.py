"""What the processors of models have in common: signs of their own, and places on the page for their tokens."""

import re
from collections.abc import Sequence
from typing import Any

from embeddings.backends import layouts
from embeddings.backends.torch_runtime import Tensors, as_array
from embeddings.contract import Layout


def signs(tokenizer: Any) -> list[str]:
    """The tokens that steer the model and never come from a text."""
    return [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]


def defused(text: str, known: Sequence[str]) -> str:
    """The text with the model's own signs broken up, so that nobody speaks them from outside."""
    pattern = "|".join(re.escape(sign) for sign in known if len(sign) > 1)
    return re.sub(pattern, lambda found: f"{found[0][0]} {found[0][1:]}", text) if pattern else text


def layout_of(made: Tensors, processor: Any) -> Layout | None:
    """Where on the page the vectors of one processed image come from, if its processor lets it be known."""
    ids = as_array(made["input_ids"])[0]
    of_image = ids == _image_id(processor)
    if "image_grid_thw" in made:
        merged = processor.image_processor.merge_size
        _, n_y, n_x = (int(number) for number in as_array(made["image_grid_thw"])[0])
        return layouts.grid(of_image, n_x=n_x // merged, n_y=n_y // merged)
    if "position_ids" in made:
        y, x = as_array(made["position_ids"])[:, 0]
        return layouts.placed(of_image, x=x, y=y)
    if hasattr(processor, "image_seq_len"):
        tokens = processor.tokenizer.convert_ids_to_tokens(ids)
        return layouts.tiles(of_image, tokens=tokens, per_tile=processor.image_seq_len)
    return layouts.square(of_image)


def _image_id(processor: Any) -> int:
    known = getattr(processor, "image_token_id", None)
    return int(known if known is not None else processor.tokenizer.convert_tokens_to_ids(processor.image_token))
