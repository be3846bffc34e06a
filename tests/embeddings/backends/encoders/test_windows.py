"""Windows over long texts."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.backends.encoders.windows import Window, balanced, full

WAYS = pytest.mark.parametrize("divide", [full, balanced])


@WAYS
@given(count=st.integers(0, 5000), size=st.sampled_from([254, 379]))
def test_windows_use_every_piece_once_and_with_context(
    divide: Callable[..., list[Window]], count: int, size: int
) -> None:
    chosen = divide(count, size=size)
    used = [number for window in chosen for number in range(window.first, window.last)]
    assert used == list(range(count))
    for window in chosen:
        assert 0 <= window.start <= window.first <= window.last <= window.stop <= count
        assert window.stop - window.start <= size
        assert window.first == 0 or window.first - window.start >= 31
        assert window.last == count or window.stop - window.last >= 31


@WAYS
def test_short_text_is_one_window(divide: Callable[..., list[Window]]) -> None:
    assert divide(254, size=254) == [Window(0, 254, 0, 254)]
    assert len(divide(255, size=254)) == 2


def test_full_windows_have_the_whole_size_and_balanced_ones_what_is_needed() -> None:
    assert [window.stop - window.start for window in full(450, size=254)] == [254, 254, 254]
    assert [window.stop - window.start for window in balanced(450, size=379)] == [257, 257]
