"""The choice of the backend."""

import logging

import pytest

from embeddings.backends.choose import choose_backend
from embeddings.backends.embedded import EmbeddedBackend
from embeddings.backends.lexical import LexicalBackend
from tests.embeddings.serving import settings


def test_backend_is_chosen_by_name() -> None:
    assert isinstance(choose_backend(settings(COLPALI_BACKEND="lexical")), LexicalBackend)
    named = choose_backend(settings(COLPALI_BACKEND="embedded"))
    assert isinstance(named, EmbeddedBackend)
    assert not named.info.degraded


def test_auto_falls_back_to_embedded_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="embeddings"):
        chosen = choose_backend(
            settings(COLPALI_BACKEND="auto", COLPALI_OFFLINE="true", COLPALI_MODEL_NAME="missing/model")
        )
    assert isinstance(chosen, EmbeddedBackend)
    assert chosen.info.degraded
    assert "No visual model can run here" in caplog.text
