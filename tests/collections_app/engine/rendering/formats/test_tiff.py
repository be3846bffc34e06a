import pytest

from tests.collections_app.engine.rendering.formats.detection import format_of, size_of
from tests.collections_app.engine.rendering.samples import picture


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}, {"compression": "tiff_lzw"}])
def test_tiff_is_detected_with_its_size(options: dict[str, object]) -> None:
    content = picture("TIFF", size=(30, 10), **options)
    assert format_of(content).content_type == "image/tiff"
    assert size_of(content) == (30, 10)
    assert format_of(content).multi_page
