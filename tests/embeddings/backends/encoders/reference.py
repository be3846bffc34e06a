"""BERT in the slow and obvious way, and small ones with random weights."""

import math

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders.bert import Bert, Dense, Floats, Layer, Norm

_erf = np.vectorize(math.erf)


def random_bert(*, layers: int = 2, dim: int = 32, wide: int = 64, heads: int = 4) -> Bert:
    rng = np.random.default_rng(1)

    def numbers(*shape: int) -> Floats:
        return rng.standard_normal(shape).astype(np.float32)

    def dense(inputs: int, outputs: int) -> Dense:
        return Dense(numbers(inputs, outputs) * np.float32(inputs**-0.5), numbers(outputs))

    def norm() -> Norm:
        return Norm((1 + numbers(dim) / 10).astype(np.float32), numbers(dim))

    def layer() -> Layer:
        query, key, value, attended = (dense(dim, dim) for _ in range(4))
        return Layer(query, key, value, attended, norm(), dense(dim, wide), dense(wide, dim), norm())

    return Bert(heads, 1e-12, norm(), [layer() for _ in range(layers)])


def encode(bert: Bert, embedded: Floats) -> NDArray[np.float64]:
    """Return the last layer's vectors (n, dim) for the embeddings (n, dim) of a window."""
    hidden = _norm(embedded.astype(np.float64), bert.norm, bert)
    for layer in bert.layers:
        query, key, value = (_dense(hidden, part) for part in (layer.query, layer.key, layer.value))
        width = bert.dim // bert.heads
        attended = np.empty_like(query)
        for head in range(bert.heads):
            columns = slice(head * width, (head + 1) * width)
            weights = np.exp(query[:, columns] @ key[:, columns].T / math.sqrt(width))
            attended[:, columns] = weights / weights.sum(axis=1, keepdims=True) @ value[:, columns]
        hidden = _norm(hidden + _dense(attended, layer.attended), layer.attended_norm, bert)
        inner = _dense(hidden, layer.wide)
        inner *= (1 + _erf(inner / math.sqrt(2))) / 2
        hidden = _norm(hidden + _dense(inner, layer.narrow), layer.norm, bert)
    return hidden


def cosines(left: NDArray[np.floating], right: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the cosine of each row with that of the other array."""
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left * right).sum(axis=1) / lengths  # type: ignore[no-any-return]


def _dense(hidden: NDArray[np.float64], dense: Dense) -> NDArray[np.float64]:
    product: NDArray[np.float64] = hidden @ dense.matrix.astype(np.float64) + dense.bias
    return product


def _norm(hidden: NDArray[np.float64], norm: Norm, bert: Bert) -> NDArray[np.float64]:
    centred = hidden - hidden.mean(axis=1, keepdims=True)
    centred /= np.sqrt((centred**2).mean(axis=1, keepdims=True) + bert.epsilon)
    normed: NDArray[np.float64] = centred * norm.scale + norm.shift
    return normed
