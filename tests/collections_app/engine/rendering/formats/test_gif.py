from tests.collections_app.engine.rendering.formats.detection import format_of, size_of
from tests.collections_app.engine.rendering.samples import pdf, picture


def test_both_versions_are_detected_with_their_size() -> None:
    content = picture("GIF", size=(30, 10))
    for version in (b"87a", b"89a"):
        changed = content[:3] + version + content[6:]
        assert format_of(changed).content_type == "image/gif"
        assert size_of(changed) == (30, 10)


def test_a_comment_with_a_pdf_signature_does_not_matter() -> None:
    assert format_of(picture("GIF", comment=b"%PDF-1.7") + pdf("hidden")).extension == "gif"
