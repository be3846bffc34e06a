"""Office Open XML: docx, pptx, xlsx, and xlsb, recognised by the table of contents of their ZIP archive."""

from typing import IO

from collections_app.engine.rendering import zip_check
from collections_app.engine.rendering.formats import open_document
from collections_app.engine.rendering.formats.base import Format, FormatFamily, office_format

_TYPE = "application/vnd.openxmlformats-officedocument"
_BY_MAIN_PART = {
    b"word/document.xml": office_format("Word", "docx", f"{_TYPE}.wordprocessingml.document"),
    b"ppt/presentation.xml": office_format(
        "PowerPoint", "pptx", f"{_TYPE}.presentationml.presentation", pages="each slide is a page"
    ),
    b"xl/workbook.xml": office_format(
        "Excel", "xlsx", f"{_TYPE}.spreadsheetml.sheet", pages="as the sheets would be printed"
    ),
    b"xl/workbook.bin": office_format(
        "Excel",
        "xlsb",
        "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        pages="as the sheets would be printed",
    ),
}


def _detect(file: IO[bytes], head: bytes) -> Format | None:
    if not head.startswith(zip_check.SIGNATURE) or open_document.declared_type(head) is not None:
        return None
    names = {entry.name for entry in zip_check.entries(file)}
    if b"[Content_Types].xml" not in names:
        return None
    return next((format_ for part, format_ in _BY_MAIN_PART.items() if part in names), None)


FAMILY = FormatFamily(formats=tuple(_BY_MAIN_PART.values()), detect=_detect)
