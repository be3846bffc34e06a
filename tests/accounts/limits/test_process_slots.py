"""Limits on what all owners together run in a process."""

import pytest

from accounts.limits.process_slots import process_slot


def test_slots_are_limited_by_kind_and_released() -> None:
    with process_slot("wait", limit=1) as first, process_slot("wait", limit=1) as second:
        assert (first, second) == (True, False)
        with process_slot("conversion", limit=1) as other:
            assert other
    with pytest.raises(ZeroDivisionError), process_slot("wait", limit=1) as first:
        _ = 1 / 0
    with process_slot("wait", limit=1) as again:
        assert again
