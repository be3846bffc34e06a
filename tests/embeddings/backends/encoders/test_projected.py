"""Axes, and files of axes."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from embeddings.backends.encoders import projected
from embeddings.backends.minilm import InvalidModelFile


def test_stored_axes_are_loaded_and_project(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((2000, 200)) * np.linspace(10, 0.1, 200) + 3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = vectors.mean(axis=0)
    file = tmp_path / "axes.npy"
    projected.store(file, projected.principal_axes(vectors - mean), mean)
    axes = projected.load(file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    assert axes.axes.shape == (200, projected.SEMANTIC_DIMS)
    rows = axes.project(np.float32(5) * vectors.astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    exact = (vectors - mean) @ axes.axes
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(rows, exact, atol=2e-2)


def test_other_axes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "axes.npy").write_bytes(b"other")
    with pytest.raises(InvalidModelFile, match="wrong content"):
        projected.load(tmp_path / "axes.npy", sha256="0" * 64)


def test_principal_axes_are_orthonormal_and_have_a_sign() -> None:
    axes = projected.principal_axes(np.random.default_rng(2).standard_normal((500, 150)))
    np.testing.assert_allclose(axes.T @ axes, np.eye(projected.SEMANTIC_DIMS), atol=1e-9)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(projected.SEMANTIC_DIMS)] > 0).all()
