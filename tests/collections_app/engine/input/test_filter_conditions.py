import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.input.filter_conditions import DAY, INSTANT


@given(st.dates())
def test_every_date_of_the_calendar_is_a_day(day: date) -> None:
    assert re.fullmatch(DAY, day.isoformat())


@given(st.integers(1, 9999), st.integers(0, 99), st.integers(0, 99))
def test_a_day_matches_only_if_the_date_exists(year: int, month: int, day: int) -> None:
    text = f"{year:04}-{month:02}-{day:02}"
    try:
        date.fromisoformat(text)
        exists = True
    except ValueError:
        exists = False
    assert bool(re.fullmatch(DAY, text)) == exists


@given(st.datetimes())
def test_every_time_is_an_instant(moment: datetime) -> None:
    for separator in ("T", " "):
        for zone in ("", "Z", "+02:00", "-1130"):
            assert re.fullmatch(INSTANT, moment.isoformat(separator) + zone)


@pytest.mark.parametrize(
    "text",
    ["2024-02-29T24:00", "2024-02-29T10", "2024-02-29T10:60", "2024-02-29T10:00:60", "2024-02-29T10:00+15:00", "now",
     "0000-01-01", "2024-02-29T10:00:00.", "2024-02-29 10:00 Z", "2024-02-29\n"],
)  # fmt: skip
def test_other_texts_are_no_instants(text: str) -> None:
    assert not re.fullmatch(INSTANT, text)
