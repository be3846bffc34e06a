"""The late-interaction models of colpali-engine: a page is looked at, not read."""

from collections.abc import Mapping
from typing import Any

import colpali_engine.models

from embeddings.backends.base import Item
from embeddings.backends.checkpoints import Checkpoint, find
from embeddings.backends.families import DEFAULT_MODEL, RESEARCH_ONLY, Family, candidates, family
from embeddings.backends.processors import defused, layout_of, signs
from embeddings.backends.torch_backend import ModelInfo, TorchBackend
from embeddings.backends.torch_runtime import Placement, Rows, Tensors, choose_placement, tensors_of
from embeddings.config import Settings
from embeddings.contract import Layout, Task


class WeightsMissing(Exception):
    """A part of the model is not among the weights and would have been made up."""


def make(settings: Settings) -> TorchBackend:
    """The backend that runs the model of the settings."""
    return TorchBackend("colpali", _open, settings=settings)


def weights(settings: Settings) -> Checkpoint:
    """The files of the settings' model, or ModelNotFound."""
    names = candidates(settings.model or DEFAULT_MODEL, revision=settings.model_revision)
    return find(names, revision=settings.model_revision, offline=settings.offline)


def _open(settings: Settings) -> "ColModel":
    asked = settings.model or DEFAULT_MODEL
    checkpoint = weights(settings)
    kind = family(checkpoint.configuration, model=asked)
    attention = "sdpa" if kind.both_ways and settings.attention == "auto" else settings.attention
    placement = choose_placement(device=settings.device, dtype=settings.dtype, attention=attention)
    bound = {"max_num_visual_tokens": settings.max_visual_tokens} if kind.takes_token_limit else {}
    processor = getattr(colpali_engine.models, kind.processor).from_pretrained(
        checkpoint.name, **checkpoint.at, **bound
    )
    about = ModelInfo(
        name=asked,
        revision=checkpoint.revision,
        placement=placement,
        side=processor.tokenizer.padding_side,
        pad_id=int(processor.tokenizer.pad_token_id),
        warnings=(RESEARCH_ONLY,) if asked == DEFAULT_MODEL else (),
    )
    return ColModel(_load(checkpoint, kind, placement), processor, kind=kind, about=about)


class ColModel:
    """A model of colpali-engine with its processor."""

    def __init__(self, model: Any, processor: Any, *, kind: Family, about: ModelInfo) -> None:
        self.about = about
        self._model = model
        self._processor = processor
        self._kind = kind
        self._signs = signs(processor.tokenizer)

    def tensors(self, item: Item) -> tuple[Tensors, Layout | None]:
        if item.image is not None:
            made = tensors_of(self._processor.process_images([item.image]))
            return made, layout_of(made, self._processor)
        text = defused(item.text or "", self._signs)
        process = self._processor.process_queries if item.task == "query" else self._processor.process_texts
        made = tensors_of(process([text]))
        if self._kind.both_ways:
            # Unsaid, a text alone would be seen both ways and a text in a batch one way only.
            made.setdefault("token_type_ids", made["input_ids"] * 0)
        return made, None

    def rows(self, batch: Tensors, *, task: Task) -> Rows:  # noqa: ARG002 - the prompt has told it apart
        return Rows(self._model(**batch, **self._kind.forward), batch["attention_mask"])


def _load(checkpoint: Checkpoint, kind: Family, placement: Placement) -> Any:
    model, told = getattr(colpali_engine.models, kind.model).from_pretrained(
        checkpoint.name,
        **checkpoint.at,
        dtype=placement.dtype,
        device_map=placement.device,
        attn_implementation=placement.attention,
        # Other formats can carry code.
        use_safetensors=True,
        output_loading_info=True,
    )
    # With an adapter, what the base lacks comes from the adapter.
    missing = [] if checkpoint.is_adapter else _missing(told)
    if missing:
        raise WeightsMissing(f"{checkpoint.name} lacks weights that its model needs: " + ", ".join(missing[:5]) + ".")
    return model.eval()


def _missing(told: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in told["missing_keys"] if "lm_head" not in name)
