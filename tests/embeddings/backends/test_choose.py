"""Which backend runs."""

import logging
from importlib.util import find_spec

import pytest

from embeddings.backends.choose import choose
from embeddings.backends.embedded import Embedded
from embeddings.backends.lexical import Lexical
from tests.embeddings.serving import settings


def test_a_backend_is_chosen_by_name() -> None:
    assert isinstance(choose(settings(COLPALI_BACKEND="lexical")), Lexical)
    named = choose(settings(COLPALI_BACKEND="embedded"))
    assert isinstance(named, Embedded)
    assert not named.info.degraded


@pytest.mark.skipif(find_spec("torch") is not None, reason="with torch, auto takes a visual model")
def test_auto_falls_back_to_what_needs_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="embeddings"):
        chosen = choose(settings(COLPALI_BACKEND="auto"))
    assert isinstance(chosen, Embedded)
    assert chosen.info.degraded
    assert "No visual model can run here" in caplog.text
