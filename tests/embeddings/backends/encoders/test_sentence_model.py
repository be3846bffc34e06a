"""The part of the sentence encoder that is an ONNX model, with small random weights."""

import numpy as np
import pytest

from embeddings.backends.encoders import sentence_model
from embeddings.backends.encoders.bert import Floats
from embeddings.backends.encoders.runtime import OnnxModel

DIM, WIDTH = 8, 4
# The number of neighbours of each branch, and how many of them come before the piece.
BRANCHES = ((2, 0), (3, 1), (5, 2))


def random_arrays() -> dict[str, Floats]:
    rng = np.random.default_rng(1)
    shapes: dict[str, tuple[int, ...]] = {"ln_g": (DIM + 3 * WIDTH,), "ln_b": (DIM + 3 * WIDTH,)}
    for size, _ in BRANCHES:
        shapes |= {
            f"proj{size}": (DIM, WIDTH),
            f"w1_{size}": (size * WIDTH, WIDTH),
            f"w2_{size}": (size * WIDTH, WIDTH),
        }
        shapes |= {f"{name}{size}": (WIDTH,) for name in ("proj_b", "ln_g", "ln_b", "b1_", "b2_")}
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    return arrays | {"eps": np.array(1e-5, dtype=np.float32)}


def summed(arrays: dict[str, Floats], embedded: Floats) -> Floats:
    """Return what the model should, piece by piece."""

    def norm(row: Floats, gains: Floats, biases: Floats) -> Floats:
        normed: Floats = (row - row.mean()) / np.sqrt(row.var() + arrays["eps"]) * gains + biases
        return normed

    gains, biases = (np.concatenate([arrays[f"{name}{size}"] for size, _ in BRANCHES]) for name in ("ln_g", "ln_b"))
    projected = np.concatenate(
        [embedded @ arrays[f"proj{size}"] + arrays[f"proj_b{size}"] for size, _ in BRANCHES], axis=1
    )
    inputs = np.stack([norm(row, gains, biases) for row in projected])
    branches = [embedded]
    for number, (size, before) in enumerate(BRANCHES):
        rows = inputs[:, number * WIDTH : (number + 1) * WIDTH]
        for step in (1, 2):
            combined = np.zeros_like(rows)
            for place in range(len(rows)):
                around = np.zeros((size, WIDTH), dtype=np.float32)
                for offset in range(size):
                    if 0 <= place - before + offset < len(rows):
                        around[offset] = rows[place - before + offset]
                product = around.reshape(-1) @ arrays[f"w{step}_{size}"] + arrays[f"b{step}_{size}"]
                combined[place] = np.maximum(product, 0)
            rows = rows + combined
        branches.append(rows)
    together = np.concatenate(branches, axis=1)
    total: Floats = np.stack([norm(row, arrays["ln_g"], arrays["ln_b"]) for row in together]).sum(axis=0)
    return total


@pytest.mark.parametrize("length", [1, 2, 9])
def test_model_equals_the_reference(length: int) -> None:
    arrays = random_arrays()
    embedded = np.random.default_rng(length).standard_normal((length, DIM)).astype(np.float32)
    encoded = OnnxModel(*sentence_model.build(arrays))(embedded)
    np.testing.assert_allclose(encoded, summed(arrays, embedded), atol=1e-4)
