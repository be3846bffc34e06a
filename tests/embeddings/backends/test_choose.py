"""The choice of the backend."""

import logging
from importlib.util import find_spec

import pytest

from embeddings.backends.choose import choose_backend, choose_reranker
from embeddings.backends.embedded import EmbeddedBackend
from embeddings.backends.lexical import LexicalBackend
from embeddings.config import ConfigError
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


def test_reranker_is_chosen_only_if_configured() -> None:
    assert choose_reranker(settings()) is None


@pytest.mark.skipif(find_spec("torch") is not None, reason="the tests with torch load rerankers")
def test_reranker_without_torch_names_the_remedy() -> None:
    with pytest.raises(ConfigError, match="dependency group gpu"):
        choose_reranker(settings(COLPALI_RERANKER="a/model"))
