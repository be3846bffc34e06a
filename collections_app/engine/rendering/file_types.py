"""What a file is, told by its content alone; names and declared types are not asked.

A signature at the first byte wins. Only where there is none may a PDF begin later, within the first 1024 bytes,
as its readers allow; so a picture with a PDF inside is a picture, and a web page with one is a web page. A bounded
amount is read into memory, and the file is left at its beginning.
"""

import codecs
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Literal, TypeAlias

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from collections_app.engine.rendering import office_types
from collections_app.engine.rendering.errors import FileDamaged, FileEmpty, PageTooLarge, UnsupportedType

Family: TypeAlias = Literal["pdf", "image", "office", "text"]

ACCEPTED = (
    "PDF; PNG, JPEG, WebP, TIFF, GIF and BMP images; "
    "Word, PowerPoint, Excel, OpenDocument and RTF files; plain text, Markdown and CSV in UTF-8 or UTF-16"
)
MAX_PIXELS = 100_000_000

_HEAD = 1024
_CHUNK = 64 * 1024
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKUP = re.compile(rb"\s*<(?:!doctype\s|html|head|body|script|svg|\?xml)", re.IGNORECASE)
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type that is accepted."""

    content_type: str
    extension: str
    family: Family


PDF = Kind("application/pdf", "pdf", "pdf")
PNG = Kind("image/png", "png", "image")
JPEG = Kind("image/jpeg", "jpg", "image")
WEBP = Kind("image/webp", "webp", "image")
TIFF = Kind("image/tiff", "tiff", "image")
GIF = Kind("image/gif", "gif", "image")
BMP = Kind("image/bmp", "bmp", "image")
RTF = Kind("application/rtf", "rtf", "office")
TEXT = Kind("text/plain", "txt", "text")
OFFICE_TYPES = office_types.CONTENT_TYPES | {RTF.content_type}

# The classes, not Image.open: that would warn of size by its own measure, in a process that serves others too.
_READERS: dict[Kind, Callable[[IO[bytes]], ImageFile]] = {
    PNG: PngImageFile,
    JPEG: JpegImageFile,
    TIFF: TiffImageFile,
    GIF: GifImageFile,
    BMP: BmpImageFile,
}


def sniff(file: IO[bytes], *, max_pixels: int = MAX_PIXELS) -> Kind:
    """The kind of a seekable file, or UnsupportedType, FileEmpty, FileDamaged, PageTooLarge and the like."""
    try:
        file.seek(0)
        head = file.read(_HEAD)
        if not head:
            raise FileEmpty
        kind = _signed(head) or _container(file, head)
        if kind is None:
            kind = _unsigned(file, head)
        if kind.family == "image":
            _check_picture(file, kind, max_pixels=max_pixels)
        return kind
    finally:
        file.seek(0)


def _signed(head: bytes) -> Kind | None:
    """The kind that the first bytes alone tell."""
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"BM"):
        # Text may well begin with these two letters.
        return BMP if int.from_bytes(head[14:18], "little") in _BMP_HEADERS else None
    signatures = {
        b"%PDF-": PDF,
        b"\x89PNG\r\n\x1a\n": PNG,
        b"\xff\xd8\xff": JPEG,
        b"II*\0": TIFF,
        b"MM\0*": TIFF,
        b"II+\0": TIFF,
        b"MM\0+": TIFF,
        b"GIF87a": GIF,
        b"GIF89a": GIF,
        b"{\\rtf": RTF,
    }
    return next((kind for start, kind in signatures.items() if head.startswith(start)), None)


def _container(file: IO[bytes], head: bytes) -> Kind | None:
    if head.startswith(office_types.ZIP):
        found = office_types.kind_in_zip(file)
    elif head.startswith(office_types.OLE2):
        found = office_types.kind_in_ole2(file)
    else:
        return None
    if found is None:
        raise _unsupported("This is an archive, but not an Office document.")
    return Kind(*found, "office")


def _unsigned(file: IO[bytes], head: bytes) -> Kind:
    bare = head.removeprefix(codecs.BOM_UTF8)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        bare = head[: len(head) // 2 * 2].decode("utf-16", errors="replace").encode(errors="replace")
    if _MARKUP.match(bare):
        raise _unsupported("This is a web page or XML.")
    if b"%PDF-" in head and b"%%EOF" in _tail(file):
        return PDF
    if _is_text(file):
        return TEXT
    raise _unsupported("The type of this file was not recognised.")


def _tail(file: IO[bytes]) -> bytes:
    file.seek(max(0, file.seek(0, io.SEEK_END) - _HEAD))
    return file.read(_HEAD)


def _is_text(file: IO[bytes]) -> bool:
    """Whether the whole file is UTF-8, or UTF-16 with a mark, without control characters."""
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    utf16 = start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    decoder = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8")()
    try:
        while chunk := file.read(_CHUNK):
            if _CONTROLS.search(decoder.decode(chunk)):
                return False
        return not _CONTROLS.search(decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        return False


def _check_picture(file: IO[bytes], kind: Kind, *, max_pixels: int) -> None:
    """The header must be whole and the (first) picture not absurdly large; its pixels are not decoded here."""
    file.seek(0)
    if kind == WEBP:
        width, height = _webp_size(file.read(30))
    else:
        width, height = _size(file, _READERS[kind])
    if width * height > max_pixels:
        detail = f"The picture has {width} x {height} pixels; at most {max_pixels // 1_000_000} megapixels are read."
        raise PageTooLarge(detail)


def _size(file: IO[bytes], reader: Callable[[IO[bytes]], ImageFile]) -> tuple[int, int]:
    try:
        # Readers may close what they are given, and this file is the caller's.
        return reader(io.BufferedReader(_Borrowed(file))).size
    except Exception as error:
        # Hostile headers make readers raise almost anything.
        raise FileDamaged("The picture is damaged and cannot be read.") from error


def _webp_size(head: bytes) -> tuple[int, int]:
    """Read by hand, because Pillow would ask for memory for the whole picture at once."""
    form, start = head[12:16], head[20:30]
    if len(head) == 30 and form == b"VP8X":
        return int.from_bytes(start[4:7], "little") + 1, int.from_bytes(start[7:10], "little") + 1
    if len(head) == 30 and form == b"VP8L" and start[0] == 0x2F:
        bits = int.from_bytes(start[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if len(head) == 30 and form == b"VP8 " and start[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(start[6:8], "little") & 0x3FFF, int.from_bytes(start[8:10], "little") & 0x3FFF
    raise FileDamaged("The picture is damaged and cannot be read.")


def _unsupported(detail: str) -> UnsupportedType:
    return UnsupportedType(f"{detail} Accepted are {ACCEPTED}.")


class _Borrowed(io.RawIOBase):
    """Somebody else's file, which stays open when this is closed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)
