import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.rendering.protocol import (
    MAX_SIDE_PX,
    Job,
    RenderedPage,
    RenderLimits,
    fitting_scale,
    parse_page,
    read_frame,
    write_frame,
    write_page,
)
from embeddings.contract import Word

parts = st.floats(0, 1)
words = st.builds(Word, st.text(max_size=5), parts, parts, parts, parts)
pages = st.builds(
    RenderedPage,
    number=st.integers(1, 2**31),
    total=st.integers(1, 2**31),
    image=st.binary(),
    content_type=st.text(),
    width=st.integers(1, 2**31),
    height=st.integers(1, 2**31),
    text=st.text(),
    words=st.lists(words, max_size=3).map(tuple),
)


@given(pages)
def test_pages_survive_a_round_trip(page: RenderedPage) -> None:
    pipe = io.BytesIO()
    write_page(pipe, page)
    pipe.seek(0)
    assert parse_page(*read_frame(pipe.read)) == page


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">III", 1 << 31, 0, 0),
        struct.pack(">III", 2, 1 << 31, 0) + b"{}",
        struct.pack(">III", 2, 0, 1 << 31) + b"{}",
        struct.pack(">III", 2, 0, 0) + b"[]",
        struct.pack(">III", 1, 0, 0) + b"{",
        struct.pack(">III", 1, 0, 0) + b"\xff",
    ],
)
def test_invalid_frames_are_rejected(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_frame(io.BytesIO(frame).read)


@pytest.mark.parametrize("header", [{}, {"page": 1, "words": []}, {"page": {"number": 1}, "words": []}])
def test_a_frame_without_a_page_is_rejected(header: dict[str, object]) -> None:
    pipe = io.BytesIO()
    write_frame(pipe, header)
    pipe.seek(0)
    with pytest.raises((KeyError, TypeError)):
        parse_page(*read_frame(pipe.read))


def test_jobs_survive_a_round_trip() -> None:
    job = Job(renderer="module", dpi=100, encoding="webp", limits=RenderLimits(max_pages=3, megapixels=1))
    assert Job.from_json(job.to_json()) == job
    assert json.loads(job.to_json())["renderer"] == "module"


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.integers(1, 100))
def test_pages_are_scaled_down_only_if_they_do_not_fit(width: float, height: float, megapixels: int) -> None:
    scale = fitting_scale(width, height, megapixels=megapixels)
    assert 0 < scale <= 1
    assert width * height * scale * scale <= megapixels * 1e6 * 1.000001
    assert max(width, height) * scale <= MAX_SIDE_PX * 1.000001
    if width * height <= megapixels * 1e6 and max(width, height) <= MAX_SIDE_PX:
        assert scale == 1


def test_text_that_is_not_valid_unicode_is_replaced() -> None:
    pipe = io.BytesIO()
    write_frame(pipe, {"error": "render_crashed", "detail": "half a pair: \ud800"})
    pipe.seek(0)
    assert read_frame(pipe.read)[0]["detail"] == "half a pair: ?"
