"""The description of a file format: how it is recognised, checked and rendered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TypeAlias

PDF_RENDERER = "collections_app.engine.rendering.pdf_renderer"
IMAGE_RENDERER = "collections_app.engine.rendering.image_renderer"
TEXT_RENDERER = "collections_app.engine.rendering.text_renderer"

AS_LAID_OUT = "as LibreOffice lays them out"

# Reads the width and height of an image from its header, without decoding it. Raises FileDamaged.
SizeReader: TypeAlias = Callable[[IO[bytes]], tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A file format that is accepted."""

    name: str  # in prose; formats such as docx and doc share a name
    content_type: str
    extension: str
    renderer: str  # a module with `render_pages`; only the confined process imports it
    pages: str  # for docs/formats.md: what the pages are, and where their text comes from
    via_office: bool = False  # converted to PDF by LibreOffice first
    # Images only.
    read_size: SizeReader | None = None
    pillow_format: str = ""
    multi_page: bool = False  # every frame is a page; in other formats only the first frame is rendered


# Takes the file and its first bytes, and returns the format if the file has it. Raises if the file has the format but
# cannot be accepted. May move the position of the file; must read a bounded amount at once.
Detector: TypeAlias = Callable[[IO[bytes], bytes], Format | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatFamily:
    """Formats that are recognised together."""

    formats: tuple[Format, ...]
    detect: Detector | None = None  # by a signature at the first byte
    detect_unsigned: Detector | None = None  # only asked if no family recognised a signature


def signed(format_: Format, *signatures: bytes) -> FormatFamily:
    """Return a family of one format whose files start with one of the signatures."""

    def detect(_file: IO[bytes], head: bytes) -> Format | None:
        return format_ if head.startswith(signatures) else None

    return FormatFamily(formats=(format_,), detect=detect)


def office_format(name: str, extension: str, content_type: str, *, pages: str = AS_LAID_OUT) -> Format:
    """Return a format that LibreOffice converts to PDF."""
    return Format(
        name=name,
        content_type=content_type,
        extension=extension,
        renderer=PDF_RENDERER,
        pages=pages,
        via_office=True,
    )
