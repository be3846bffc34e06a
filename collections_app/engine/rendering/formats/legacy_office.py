"""The binary Office formats doc, ppt and xls, recognised by the directory of their OLE2 container."""

from typing import IO

from collections_app.engine.rendering import ole2
from collections_app.engine.rendering.errors import FileEncrypted
from collections_app.engine.rendering.formats.base import Format, FormatFamily, office_format

_DOC = office_format("Word", "doc", "application/msword")
_PPT = office_format("PowerPoint", "ppt", "application/vnd.ms-powerpoint", pages="each slide is a page")
_XLS = office_format("Excel", "xls", "application/vnd.ms-excel", pages="as the sheets would be printed")
_BY_STREAM = {"WordDocument": _DOC, "PowerPoint Document": _PPT, "Workbook": _XLS, "Book": _XLS}


def _detect(file: IO[bytes], head: bytes) -> Format | None:
    if not head.startswith(ole2.SIGNATURE):
        return None
    names = {stream.name for stream in ole2.streams(file)}
    # Encrypted Office Open XML is stored in such a container as well.
    if "EncryptedPackage" in names:
        raise FileEncrypted
    return next((format_ for name, format_ in _BY_STREAM.items() if name in names), None)


FAMILY = FormatFamily(formats=(_DOC, _PPT, _XLS), detect=_detect)
