import pytest

from collections_app.engine.rendering.errors import UnsupportedType
from tests.collections_app.engine.rendering.formats.detection import format_of
from tests.collections_app.engine.rendering.samples import docx, office_xml, pptx, xlsx, zipped

MIMETYPE = "application/vnd.oasis.opendocument."


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (docx("text"), "docx"),
        (pptx("text"), "pptx"),
        (xlsx("text"), "xlsx"),
        (office_xml("xl/workbook.bin"), "xlsb"),
    ],
)
def test_the_main_part_decides(content: bytes, extension: str) -> None:
    format_ = format_of(content)
    assert (format_.extension, format_.via_office) == (extension, True)


@pytest.mark.parametrize(
    "content",
    [
        zipped(("word/document.xml", b"no types")),
        zipped(("[Content_Types].xml", b"<Types/>"), ("visio/document.xml", b"<x/>")),
        zipped(("a.txt", b"text")),
    ],
    ids=["no types", "other main part", "other archive"],
)
def test_other_archives_are_refused(content: bytes) -> None:
    with pytest.raises(UnsupportedType, match="archive"):
        format_of(content)


def test_an_archive_that_declares_another_type_is_not_office_open_xml() -> None:
    with pytest.raises(UnsupportedType):
        format_of(
            zipped(
                ("mimetype", f"{MIMETYPE}formula".encode()),
                ("content.xml", b"<x/>"),
                ("[Content_Types].xml", b"<Types/>"),
                ("word/document.xml", b"<x/>"),
            )
        )
