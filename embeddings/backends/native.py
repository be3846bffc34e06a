"""The late-interaction models of sentence-transformers: its own, and those of transformers (`*ForRetrieval`)."""

import re
from typing import Any

from sentence_transformers import MultiVectorEncoder

from embeddings.backends.base import Item
from embeddings.backends.checkpoints import Checkpoint, has_file, require_checkpoint
from embeddings.backends.families import UnsupportedModel
from embeddings.backends.processors import neutralize_special_tokens, page_layout, special_tokens
from embeddings.backends.torch_backend import ModelInfo, TorchBackend
from embeddings.backends.torch_runtime import ModelOutput, Placement, Tensors, choose_placement, tensors_of
from embeddings.config import Settings
from embeddings.contract import Layout, Task
from embeddings.errors import UnsupportedInput

DEFAULT_MODEL = "Hcompany/NeoMME-260M-Retriever"
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


def make(settings: Settings) -> TorchBackend:
    """Return the backend for the configured model."""
    return TorchBackend("native", _open, settings=settings)


def _open(settings: Settings) -> "_EncoderModel":
    name = settings.model or DEFAULT_MODEL
    placement = choose_placement(device=settings.device, dtype=settings.dtype, attention=settings.attention)
    checkpoint = require_checkpoint([name], revision=settings.model_revision, offline=settings.offline)
    architectures = [str(architecture) for architecture in checkpoint.configuration.get("architectures") or ()]
    late_interaction = any(
        architecture.endswith("ForRetrieval") or architecture == "HF_ColBERT" for architecture in architectures
    )
    if not late_interaction and not has_file(checkpoint, "modules.json"):
        # The library would silently add a random projection.
        raise UnsupportedModel(
            f"{name} is not a late-interaction model; its architecture is {', '.join(architectures)}."
        )
    return _EncoderModel(name, checkpoint, placement)


class _EncoderModel:
    def __init__(self, name: str, checkpoint: Checkpoint, placement: Placement) -> None:
        self._encoder = MultiVectorEncoder(
            checkpoint.name,
            device=placement.device,
            **checkpoint.from_pretrained_options,
            model_kwargs={
                "dtype": placement.dtype,
                "attn_implementation": placement.attention,
                # Other formats can contain code.
                "use_safetensors": True,
            },
        ).eval()
        self._first = self._encoder[0]
        self._first.unpad_inputs = False  # batches are padded by the backend
        self._use_task_template()
        self._special_tokens = special_tokens(self._encoder.tokenizer)
        self.info = ModelInfo(
            name=name,
            revision=checkpoint.revision,
            placement=placement,
            padding_side=self._encoder.tokenizer.padding_side,
            pad_id=int(self._encoder.tokenizer.pad_token_id),
        )

    def _use_task_template(self) -> None:
        """Enable a chat template that depends on the task; otherwise queries would not be marked as such."""
        modalities: dict[str, Any] = self._first.modality_config
        template = getattr(self._first.processor, "chat_template", None)
        if "message" not in modalities and isinstance(template, str) and re.search(r"\btask\b", template):
            modalities["message"] = {**modalities["text"], "format": "structured"}

    def prepare(self, item: Item) -> tuple[Tensors, Layout | None]:
        if item.image is None:
            text = neutralize_special_tokens(item.text or "", self._special_tokens)
            return self._preprocess(text, item.task), None
        if not self._encoder.supports("image"):
            raise UnsupportedInput(f"{self.info.name} embeds texts only.")
        tensors = self._preprocess(item.image, item.task)
        return tensors, page_layout(tensors, self._first.processor)

    def _preprocess(self, content: Any, task: Task) -> Tensors:
        names = ("query",) if task == "query" else _DOCUMENT_PROMPTS
        prompt = next((self._encoder.prompts[name] for name in names if self._encoder.prompts.get(name)), None)
        return tensors_of(self._encoder.preprocess([content], prompt=prompt, task=task))

    def forward(self, batch: Tensors, *, task: Task) -> ModelOutput:
        input_mask = batch["attention_mask"].bool()
        kind = "image" if "pixel_values" in batch else "text"
        modality = "message" if "message" in self._first.modality_config else kind
        features = self._encoder({**batch, "modality": modality}, task=task)
        mask = features["attention_mask"].bool()
        # A text of nothing but skipped tokens keeps them, because every input has at least one vector.
        mask = mask | (input_mask & ~mask.any(dim=1, keepdim=True))
        return ModelOutput(features["token_embeddings"], mask)
