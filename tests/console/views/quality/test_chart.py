"""Shares by day, as coordinates."""

from datetime import date, timedelta

import pytest

from console.views.quality.chart import HEIGHT, LEFT, TOP, WIDTH, line

TODAY = date(2026, 12, 3)


@pytest.mark.parametrize(("share", "floor"), [(1.0, 0.9), (0.9, 0.9), (0.899, 0.5), (0.5, 0.5), (0.0, 0.0)])
def test_floor_is_as_high_as_the_lowest_share_allows(share: float, floor: float) -> None:
    drawn = line({TODAY: share}, days=30, today=TODAY)
    assert drawn.floor == floor
    assert drawn.points[0].x == LEFT + WIDTH
    assert TOP <= drawn.points[0].y <= TOP + HEIGHT


def test_older_days_than_expected_still_fit() -> None:
    oldest = TODAY - timedelta(days=40)
    assert line({oldest: 1.0, TODAY: 0.95}, days=30, today=TODAY).path == "48.0,12.0 448.0,60.0"
