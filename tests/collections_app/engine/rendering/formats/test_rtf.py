from tests.collections_app.engine.rendering.formats.detection import format_of


def test_rtf_is_detected_and_converted_by_libreoffice() -> None:
    format_ = format_of(rb"{\rtf1\ansi text}")
    assert (format_.content_type, format_.via_office) == ("application/rtf", True)


def test_other_text_in_braces_is_text() -> None:
    assert format_of(rb"{\rt}").content_type == "text/plain"
