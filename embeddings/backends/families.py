"""Selects the colpali-engine classes of a model from the model's own configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DEFAULT_MODEL: Final = "tsystems/colqwen2.5-3b-multilingual-v1.0"
RESEARCH_ONLY: Final = (
    f"The default model {DEFAULT_MODEL} is based on Qwen2.5-VL-3B, whose licence allows research use only. "
    "For commercial use, set COLPALI_MODEL_NAME to another model: vidore/colqwen2-v1.0 (Apache-2.0), or, with "
    "COLPALI_BACKEND=native, Hcompany/NeoMME-260M-Retriever (Apache-2.0, smaller and faster)."
)

# The same models with their adapters merged: they load faster, and no part of an adapter can be left out by accident.
_MERGED: Final = {
    DEFAULT_MODEL: f"{DEFAULT_MODEL}-merged",
    "vidore/colpali-v1.3": "vidore/colpali-v1.3-merged",
    "vidore/colqwen2-v1.0": "vidore/colqwen2-v1.0-merged",
}


class UnsupportedModel(Exception):
    """The backend cannot run this kind of model."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model: its class and its processor in `colpali_engine.models`."""

    model: str
    processor: str
    # The processor takes a limit on the visual tokens of an image.
    takes_token_limit: bool = False
    # Additional arguments of the forward pass.
    forward_options: Mapping[str, Any] = field(default_factory=dict)
    # Tokens attend to later tokens too, which Flash attention does not support.
    bidirectional: bool = False


# Otherwise the model computes logits over the vocabulary for every token: gigabytes that are never used.
_NO_LOGITS: Final = {"logits_to_keep": 1}
_BY_TYPE: Final = {
    "paligemma": Family("ColPali", "ColPaliProcessor", forward_options=_NO_LOGITS, bidirectional=True),
    "qwen2_vl": Family("ColQwen2", "ColQwen2Processor", takes_token_limit=True),
    "qwen2_5_vl": Family("ColQwen2_5", "ColQwen2_5_Processor", takes_token_limit=True),
    "qwen3_vl": Family("ColQwen3", "ColQwen3Processor", takes_token_limit=True),
    "qwen3_5": Family("ColQwen3_5", "ColQwen3_5Processor", takes_token_limit=True),
    "idefics3": Family("ColIdefics3", "ColIdefics3Processor"),
    "modernvbert": Family("ColModernVBert", "ColModernVBertProcessor"),
    "gemma3": Family("ColGemma3", "ColGemmaProcessor3", bidirectional=True),
}


def family_of(configuration: Mapping[str, Any], *, model: str) -> Family:
    """Return the family of a model with this `config.json`, or raise UnsupportedModel with a remedy."""
    architectures = [str(name) for name in configuration.get("architectures") or ()]
    model_type = str(configuration.get("model_type"))
    if any(name.startswith("Bi") for name in architectures):
        raise UnsupportedModel(f"{model} computes a single vector for a page; this service needs one for each part.")
    if any(name.endswith("ForRetrieval") for name in architectures):
        raise UnsupportedModel(f"{model} needs another backend: set COLPALI_BACKEND=native.")
    if model_type not in _BY_TYPE:
        raise UnsupportedModel(f"{model} has the type {model_type}; supported are " + ", ".join(_BY_TYPE) + ".")
    return _BY_TYPE[model_type]


def candidate_models(model: str, *, revision: str) -> list[str]:
    """Return the weights to try for a model, best first. A revision pins one repository, so it allows no other."""
    merged = _MERGED.get(model)
    return [model] if merged is None or revision else [merged, model]
