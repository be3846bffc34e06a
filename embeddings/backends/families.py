"""Which class of colpali-engine runs a model, told from the model's own configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DEFAULT_MODEL: Final = "tsystems/colqwen2.5-3b-multilingual-v1.0"
RESEARCH_ONLY: Final = (
    f"The default model {DEFAULT_MODEL} is built on Qwen2.5-VL-3B, whose licence allows research use only. "
    "For commercial use name another one in COLPALI_MODEL_NAME: vidore/colqwen2-v1.0 (Apache-2.0), or, with "
    "COLPALI_BACKEND=native, Hcompany/NeoMME-260M-Retriever (Apache-2.0, smaller and faster)."
)

# The same model with its adapter worked in: loads faster, and nothing of it can be left out by accident.
_MERGED: Final = {
    DEFAULT_MODEL: f"{DEFAULT_MODEL}-merged",
    "vidore/colpali-v1.3": "vidore/colpali-v1.3-merged",
    "vidore/colqwen2-v1.0": "vidore/colqwen2-v1.0-merged",
}


class UnsupportedModel(Exception):
    """These weights are not of a kind that this backend runs."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model: its class and its processor in `colpali_engine.models`."""

    model: str
    processor: str
    # Does its processor take the most visual tokens of an image?
    takes_token_limit: bool = False
    # What the forward pass is told besides the inputs.
    forward: Mapping[str, Any] = field(default_factory=dict)
    # Do tokens see those that follow them too? Flash attention cannot express that.
    both_ways: bool = False


# Without this, the scores of every word of the vocabulary would be computed for every token: gigabytes for nothing.
_NO_WORDS: Final = {"logits_to_keep": 1}
_BY_TYPE: Final = {
    "paligemma": Family("ColPali", "ColPaliProcessor", forward=_NO_WORDS, both_ways=True),
    "qwen2_vl": Family("ColQwen2", "ColQwen2Processor", takes_token_limit=True),
    "qwen2_5_vl": Family("ColQwen2_5", "ColQwen2_5_Processor", takes_token_limit=True),
    "qwen2_5_omni_thinker": Family("ColQwen2_5Omni", "ColQwen2_5OmniProcessor"),
    "qwen3_vl": Family("ColQwen3", "ColQwen3Processor", takes_token_limit=True),
    "qwen3_5": Family("ColQwen3_5", "ColQwen3_5Processor", takes_token_limit=True),
    "idefics3": Family("ColIdefics3", "ColIdefics3Processor"),
    "modernvbert": Family("ColModernVBert", "ColModernVBertProcessor"),
    "gemma3": Family("ColGemma3", "ColGemmaProcessor3", both_ways=True),
}


def family(configuration: Mapping[str, Any], *, model: str) -> Family:
    """The family of a model with this `config.json`, or UnsupportedModel with what to do instead."""
    kinds = [str(kind) for kind in configuration.get("architectures") or ()]
    kind = str(configuration.get("model_type"))
    if any(one.startswith("Bi") for one in kinds):
        raise UnsupportedModel(f"{model} gives one vector for a page; this service needs one for each part of it.")
    if any(one.endswith("ForRetrieval") for one in kinds):
        raise UnsupportedModel(f"{model} is run by another backend: set COLPALI_BACKEND=native.")
    if kind not in _BY_TYPE:
        raise UnsupportedModel(f"{model} is of the type {kind}; known are " + ", ".join(_BY_TYPE) + ".")
    return _BY_TYPE[kind]


def candidates(model: str, *, revision: str) -> list[str]:
    """The weights to try for a model, best first. A revision belongs to one repository, so it allows no other."""
    merged = _MERGED.get(model)
    return [model] if merged is None or revision else [merged, model]
