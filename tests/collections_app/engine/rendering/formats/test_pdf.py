import pytest

from collections_app.engine.rendering.errors import UnsupportedType
from tests.collections_app.engine.rendering.formats.detection import format_of
from tests.collections_app.engine.rendering.samples import pdf


@pytest.mark.parametrize("prefix", [b"", b"\n" * 900, b"\x80 junk \xff", b"%!PS-Adobe-3.0 \x04"])
def test_a_pdf_may_start_within_the_first_kilobyte(prefix: bytes) -> None:
    assert format_of(prefix + pdf("text")).content_type == "application/pdf"


def test_a_pdf_that_starts_later_is_refused() -> None:
    with pytest.raises(UnsupportedType):
        format_of(b"\x80" * 1024 + pdf("text"))


def test_without_an_end_marker_a_late_signature_is_only_text() -> None:
    assert format_of(b"A PDF begins with %PDF-1.7, says this text.").content_type == "text/plain"


def test_a_web_page_that_contains_a_pdf_is_a_web_page() -> None:
    with pytest.raises(UnsupportedType, match="web page"):
        format_of(b"<html>" + pdf("hidden"))
