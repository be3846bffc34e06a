import pytest

from tests.collections_app.engine.rendering.formats.detection import format_of, size_of
from tests.collections_app.engine.rendering.samples import picture


def test_bmp_is_detected_with_its_size() -> None:
    assert format_of(picture("BMP")).content_type == "image/bmp"
    assert size_of(picture("BMP", size=(30, 10))) == (30, 10)


@pytest.mark.parametrize("text", [b"BM", b"BMW builds cars, and this is a text.", b"BM;" * 100])
def test_text_that_starts_with_the_signature_is_text(text: bytes) -> None:
    assert format_of(text).content_type == "text/plain"
