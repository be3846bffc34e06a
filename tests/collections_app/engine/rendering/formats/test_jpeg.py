import pytest

from tests.collections_app.engine.rendering.formats.detection import format_of, size_of
from tests.collections_app.engine.rendering.samples import picture


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 5}])
def test_jpeg_is_detected_with_its_size(options: dict[str, object]) -> None:
    content = picture("JPEG", size=(30, 10), **options)
    assert (format_of(content).content_type, format_of(content).extension) == ("image/jpeg", "jpg")
    assert size_of(content) == (30, 10)
