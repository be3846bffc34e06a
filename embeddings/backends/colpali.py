"""The late-interaction models of colpali-engine, which see the page as an image."""

from typing import Any

import colpali_engine.models

from embeddings.backends.base import Item
from embeddings.backends.checkpoints import Checkpoint, find_checkpoint, require_checkpoint
from embeddings.backends.families import DEFAULT_MODEL, RESEARCH_ONLY, Family, candidate_models, family_of
from embeddings.backends.processors import neutralize_special_tokens, page_layout, special_tokens
from embeddings.backends.torch_backend import ModelInfo, TorchBackend
from embeddings.backends.torch_runtime import ModelOutput, Tensors, choose_placement, load_model, tensors_of
from embeddings.config import Settings
from embeddings.contract import Layout, Task


def make(settings: Settings) -> TorchBackend:
    """Return the backend for the configured model."""
    return TorchBackend("colpali", _open, settings=settings)


def weights(settings: Settings) -> Checkpoint | None:
    """Return the files of the configured model, or None if they are not available."""
    return find_checkpoint(_candidates(settings), revision=settings.model_revision, offline=settings.offline)


def _candidates(settings: Settings) -> list[str]:
    return candidate_models(settings.model or DEFAULT_MODEL, revision=settings.model_revision)


def _open(settings: Settings) -> "ColModel":
    name = settings.model or DEFAULT_MODEL
    checkpoint = require_checkpoint(_candidates(settings), revision=settings.model_revision, offline=settings.offline)
    family = family_of(checkpoint.configuration, model=name)
    attention = "sdpa" if family.bidirectional and settings.attention == "auto" else settings.attention
    placement = choose_placement(device=settings.device, dtype=settings.dtype, attention=attention)
    limit = {"max_num_visual_tokens": settings.max_visual_tokens} if family.takes_token_limit else {}
    processor = getattr(colpali_engine.models, family.processor).from_pretrained(
        checkpoint.name, **checkpoint.from_pretrained_options, **limit
    )
    info = ModelInfo(
        name=name,
        revision=checkpoint.revision,
        placement=placement,
        padding_side=processor.tokenizer.padding_side,
        pad_id=int(processor.tokenizer.pad_token_id),
        warnings=(RESEARCH_ONLY,) if name == DEFAULT_MODEL else (),
    )
    kind = getattr(colpali_engine.models, family.model)
    model = load_model(kind, checkpoint, placement, may_lack="lm_head")
    return ColModel(model, processor, family=family, info=info)


class ColModel:
    """A model of colpali-engine with its processor."""

    def __init__(self, model: Any, processor: Any, *, family: Family, info: ModelInfo) -> None:
        self.info = info
        self._model = model
        self._processor = processor
        self._family = family
        self._special_tokens = special_tokens(processor.tokenizer)

    def prepare(self, item: Item) -> tuple[Tensors, Layout | None]:
        if item.image is not None:
            tensors = tensors_of(self._processor.process_images([item.image]))
            return tensors, page_layout(tensors, self._processor)
        text = neutralize_special_tokens(item.text or "", self._special_tokens)
        process = self._processor.process_queries if item.task == "query" else self._processor.process_texts
        tensors = tensors_of(process([text]))
        if self._family.bidirectional:
            # Without it, attention would be bidirectional for a single text but causal for a text in a batch.
            tensors.setdefault("token_type_ids", tensors["input_ids"] * 0)
        return tensors, None

    def forward(self, batch: Tensors, *, task: Task) -> ModelOutput:  # noqa: ARG002 - the prompt contains the task
        return ModelOutput(self._model(**batch, **self._family.forward_options), batch["attention_mask"])
