"""Late-interaction models that sentence-transformers runs: its own, and those of transformers (`*ForRetrieval`)."""

import re
from typing import Any

from sentence_transformers import MultiVectorEncoder

from embeddings.backends.base import Item
from embeddings.backends.checkpoints import Checkpoint, find, has
from embeddings.backends.families import UnsupportedModel
from embeddings.backends.processors import defused, layout_of, signs
from embeddings.backends.torch_backend import ModelInfo, TorchBackend
from embeddings.backends.torch_runtime import Placement, Rows, Tensors, choose_placement, tensors_of
from embeddings.config import Settings
from embeddings.contract import Layout, Task
from embeddings.errors import UnsupportedInput

DEFAULT_MODEL = "Hcompany/NeoMME-260M-Retriever"
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


def make(settings: Settings) -> TorchBackend:
    """The backend that runs the model of the settings."""
    return TorchBackend("native", _open, settings=settings)


def _open(settings: Settings) -> "_Encoder":
    asked = settings.model or DEFAULT_MODEL
    placement = choose_placement(device=settings.device, dtype=settings.dtype, attention=settings.attention)
    checkpoint = find([asked], revision=settings.model_revision, offline=settings.offline)
    kinds = [str(kind) for kind in checkpoint.configuration.get("architectures") or ()]
    trained = any(kind.endswith("ForRetrieval") or kind == "HF_ColBERT" for kind in kinds)
    if not trained and not has(checkpoint, "modules.json"):
        # The library would put a random projection on top and say nothing.
        raise UnsupportedModel(f"{asked} is not a late-interaction model; its architecture is {', '.join(kinds)}.")
    return _Encoder(asked, checkpoint, placement)


class _Encoder:
    def __init__(self, asked: str, checkpoint: Checkpoint, placement: Placement) -> None:
        self._encoder = MultiVectorEncoder(
            checkpoint.name,
            device=placement.device,
            **checkpoint.at,
            model_kwargs={
                "dtype": placement.dtype,
                "attn_implementation": placement.attention,
                # Other formats can carry code.
                "use_safetensors": True,
            },
        ).eval()
        self._first = self._encoder[0]
        self._first.unpad_inputs = False  # batches are laid out here
        self._tell_queries_from_documents()
        self._signs = signs(self._encoder.tokenizer)
        self.about = ModelInfo(
            name=asked,
            revision=checkpoint.revision,
            placement=placement,
            side=self._encoder.tokenizer.padding_side,
            pad_id=int(self._encoder.tokenizer.pad_token_id),
        )

    def _tell_queries_from_documents(self) -> None:
        """Make a chat template that knows the task be used; without it queries would go in unmarked."""
        modalities: dict[str, Any] = self._first.modality_config
        template = getattr(self._first.processor, "chat_template", None)
        if "message" not in modalities and isinstance(template, str) and re.search(r"\btask\b", template):
            modalities["message"] = {**modalities["text"], "format": "structured"}

    def tensors(self, item: Item) -> tuple[Tensors, Layout | None]:
        if item.image is None:
            return self._made(defused(item.text or "", self._signs), item.task), None
        if not self._encoder.supports("image"):
            raise UnsupportedInput(f"{self.about.name} embeds texts only.")
        made = self._made(item.image, item.task)
        return made, layout_of(made, self._first.processor)

    def _made(self, one: Any, task: Task) -> Tensors:
        names = ("query",) if task == "query" else _DOCUMENT_PROMPTS
        prompt = next((self._encoder.prompts[name] for name in names if self._encoder.prompts.get(name)), None)
        return tensors_of(self._encoder.preprocess([one], prompt=prompt, task=task))

    def rows(self, batch: Tensors, *, task: Task) -> Rows:
        given = batch["attention_mask"].bool()
        kind = "image" if "pixel_values" in batch else "text"
        modality = "message" if "message" in self._first.modality_config else kind
        made = self._encoder({**batch, "modality": modality}, task=task)
        kept = made["attention_mask"].bool()
        # A text of nothing but signs that are left out keeps them, since every input has at least one vector.
        kept = kept | (given & ~kept.any(dim=1, keepdim=True))
        return Rows(made["token_embeddings"], kept)
