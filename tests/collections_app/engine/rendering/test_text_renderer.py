import codecs
import io
import mmap
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from collections_app.engine.rendering import text_renderer
from collections_app.engine.rendering.errors import TooManyPages
from collections_app.engine.rendering.formats.base import TEXT_RENDERER
from collections_app.engine.rendering.protocol import Job, RasterPage, RenderLimits
from collections_app.engine.rendering.render import render


def render_text(content: bytes, *, max_pages: int = 10, first_page: int = 1) -> tuple[int, list[RasterPage]]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    limits = RenderLimits(max_pages=max_pages)
    job = Job(renderer=TEXT_RENDERER, dpi=36, encoding="png", limits=limits, first_page=first_page)
    total, pages = text_renderer.render_pages(mapped, job)
    return total, list(pages)


def texts(content: bytes) -> list[str]:
    return [page.text for page in render_text(content)[1]]


def test_text_is_rendered_as_written_with_its_words() -> None:
    [page] = render(io.BytesIO(b"# Lights\n\nname,metres\nPharos,100\n"))
    assert (page.total, page.width, page.height) == (1, 1190, 1684)
    assert page.text == "# Lights\n\nname,metres\nPharos,100"
    assert [word.text for word in page.words] == ["#", "Lights", "name,metres", "Pharos,100"]


def test_word_boxes_cover_all_ink() -> None:
    _, [page] = render_text(b"one\n\n          two")
    for word in page.words:
        box = (
            int(word.x0 * page.image.width),
            int(word.y0 * page.image.height),
            int(word.x1 * page.image.width) + 1,
            int(word.y1 * page.image.height) + 1,
        )
        assert min(page.image.crop(box).convert("L").tobytes()) < 128
        page.image.paste("white", box)
    assert page.image.getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_accepted_encoding_is_read(encoding: str) -> None:
    assert texts("Grüße, Жук, 漢字 🙂".encode(encoding)) == ["Grüße, Жук, 漢字 🙂"]
    assert texts(codecs.BOM_UTF16_BE + "später".encode("utf-16-be")) == ["später"]


def test_long_lines_are_wrapped_and_overlong_words_cut() -> None:
    [wrapped] = texts(b"  word" * 100)
    assert wrapped.split() == ["word"] * 100
    assert 1 < wrapped.count("\n") < 20
    [cut] = texts(b"x" * 1000)
    assert len(cut.replace("\n", "")) == 1000
    assert max(map(len, cut.split("\n"))) < 200


def test_all_line_ends_and_form_feeds_are_recognised() -> None:
    assert texts(b"a\r\nb\rc\n\nd\fe\f") == ["a\nb\nc\n\nd", "e", ""]


def test_rendering_starts_at_the_requested_page_of_a_text() -> None:
    content = "\n".join(map(str, range(200))).encode()
    total, pages = render_text(content)
    assert (total, len(pages)) == (4, 4)
    assert [page.text for page in render_text(content, first_page=3)[1]] == [page.text for page in pages[2:]]


def test_a_text_of_too_many_pages_is_refused_early() -> None:
    with pytest.raises(TooManyPages):
        render_text(b"\n" * 20_000_000, max_pages=3)
    with pytest.raises(TooManyPages):
        render_text(b"x" * 3_000_000, max_pages=3)


def test_text_is_rendered_without_installed_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_renderer, "_FONTS", ("there is no such font.ttf",))
    assert isinstance(ImageFont.load_default(10), ImageFont.FreeTypeFont)
    assert texts("Grüße, Жук".encode()) == ["Grüße, Жук"]


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t\f "), min_size=1, max_size=400))
def test_no_letter_of_any_text_is_lost(text: str) -> None:
    rendered = "".join("".join(texts(text.encode())).split())
    assert rendered == "".join(text.replace("\ufeff", "", text.startswith("\ufeff")).split())
