import io

from collections_app.engine.rendering.formats.base import PDF_RENDERER, office_format, signed


def test_a_signed_format_is_detected_by_any_of_its_signatures() -> None:
    format_ = office_format("Demo", "demo", "application/x-demo")
    family = signed(format_, b"AB", b"CD")
    assert family.detect
    assert family.formats == (format_,)
    for head, expected in ((b"ABC", format_), (b"CDE", format_), (b"xAB", None), (b"A", None)):
        assert family.detect(io.BytesIO(head), head) is expected


def test_office_formats_are_rendered_as_pdf() -> None:
    format_ = office_format("Demo", "demo", "application/x-demo")
    assert format_.via_office
    assert format_.renderer == PDF_RENDERER
    assert format_.read_size is None
