"""Rerankers that transformers loads: encoders that read a query and a passage together, and return one number."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from embeddings.backends.base import BackendInfo, Prepared
from embeddings.backends.checkpoints import Checkpoint, require_checkpoint
from embeddings.backends.families import UnsupportedModel
from embeddings.backends.processors import neutralize_special_tokens, special_tokens
from embeddings.backends.torch_runtime import (
    Placement,
    Tensors,
    batch_of_one,
    choose_placement,
    inference,
    load_model,
    pad_batch,
    to_array,
    to_device,
)
from embeddings.config import Settings
from embeddings.contract import MultiVector, VectorSpace
from embeddings.errors import InvalidField

# Rerankers are trained with passages of this length, whatever their maximum.
_MAX_TOKENS = 512
_OVERLAP = 64
# The rest is for the passage.
_MAX_QUERY_SHARE = 0.5


def make(settings: Settings) -> "CrossEncoder":
    """Return the configured reranker."""
    return CrossEncoder(settings)


class CrossEncoder:
    """A model for sequence classification with one label."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self.info = BackendInfo("cross_encoder", VectorSpace(settings.reranker, settings.reranker_revision, 1))

    def load(self) -> None:
        settings = self._settings
        # Flash attention supports few encoders, and pairs are short.
        attention = "eager" if settings.attention == "eager" else "sdpa"
        self._placement = choose_placement(device=settings.device, dtype=settings.dtype, attention=attention)
        checkpoint = require_checkpoint(
            [settings.reranker], revision=settings.reranker_revision, offline=settings.offline
        )
        _check_architecture(checkpoint)
        self._tokenizer = AutoTokenizer.from_pretrained(checkpoint.name, **checkpoint.from_pretrained_options)
        if not self._tokenizer.is_fast or self._tokenizer.pad_token_id is None:
            raise UnsupportedModel(f"{checkpoint.name} has no fast tokenizer with a padding token.")
        self._special_tokens = special_tokens(self._tokenizer)
        self._model = _load(checkpoint, self._placement)
        # The positions of some models start after that of the padding token.
        positions = int(getattr(self._model.config, "max_position_embeddings", _MAX_TOKENS)) - 2
        self._max_tokens = min(_MAX_TOKENS, self._tokenizer.model_max_length, positions)
        self.info = BackendInfo(
            backend=self.info.backend,
            space=VectorSpace(settings.reranker, checkpoint.revision, 1),
            device=self._placement.device,
            dtype=f"{self._placement.dtype_name}, {self._placement.attention}",
        )

    def split(self, query: str, text: str) -> list[Prepared]:
        query, text = (neutralize_special_tokens(part, self._special_tokens) for part in (query, text))
        limit = int(self._max_tokens * _MAX_QUERY_SHARE)
        # A tokenizer stores the options of its latest call.
        with self._lock:
            length = len(self._tokenizer(query, add_special_tokens=False)["input_ids"])
            if length > limit:
                raise InvalidField(f"The query has {length} tokens; the reranker accepts at most {limit}.")
            # In a list, because an empty text on its own would be left out, and the pair be a single text.
            encoded = self._tokenizer(
                [query],
                [text],
                truncation="only_second",
                max_length=self._max_tokens,
                stride=min(_OVERLAP, (self._max_tokens - limit) // 4),
                return_overflowing_tokens=True,
            )
        names = [name for name in self._tokenizer.model_input_names if name in encoded]
        return [
            Prepared(len(ids), batch_of_one({name: encoded[name][number] for name in names}))
            for number, ids in enumerate(encoded["input_ids"])
        ]

    def collate(self, batch: Sequence[Prepared]) -> Tensors:
        return pad_batch(
            [prepared.payload for prepared in batch],
            side=self._tokenizer.padding_side,
            pad_id=int(self._tokenizer.pad_token_id),
            pin=self._placement.on_cuda,
        )

    def encode(self, batch: Tensors) -> list[MultiVector]:
        with inference():
            logits = self._model(**to_device(batch, self._placement)).logits.float().cpu()
        return [MultiVector(row[None].astype(np.float16)) for row in to_array(logits)]

    def close(self) -> None:
        """Do nothing; there is nothing to release."""


def _check_architecture(checkpoint: Checkpoint) -> None:
    """Raise UnsupportedModel unless the checkpoint has one label: transformers would add a random layer."""
    architectures = [str(name) for name in checkpoint.configuration.get("architectures") or ()]
    if checkpoint.is_adapter or not any(name.endswith("ForSequenceClassification") for name in architectures):
        raise UnsupportedModel(
            f"{checkpoint.name} is not a model for sequence classification; its architecture is "
            f"{', '.join(architectures) or 'unknown'}."
        )


def _load(checkpoint: Checkpoint, placement: Placement) -> Any:
    model = load_model(AutoModelForSequenceClassification, checkpoint, placement)
    if model.config.num_labels != 1:
        raise UnsupportedModel(f"{checkpoint.name} has {model.config.num_labels} labels; a reranker has one.")
    return model
