from tests.collections_app.engine.rendering.formats.detection import format_of, size_of
from tests.collections_app.engine.rendering.samples import huge_png, pdf, picture


def test_png_is_detected_with_its_size() -> None:
    assert format_of(picture("PNG")).content_type == "image/png"
    assert size_of(picture("PNG", size=(30, 10))) == (30, 10)
    assert size_of(huge_png(9000)) == (9000, 9000)


def test_content_after_the_image_is_ignored() -> None:
    assert format_of(picture("PNG") + pdf("hidden")).extension == "png"
