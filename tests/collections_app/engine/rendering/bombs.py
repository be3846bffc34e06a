"""Small malicious files, each with the code with which its processing ends."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.collections_app.engine.rendering.samples import (
    assembled,
    docx,
    endless_pdf,
    huge_png,
    lying_zip,
    pdf,
    pdf_with_bloated_page,
    zip_bomb,
)

READY = "ready"
_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
_MEMORY = frozenset({"render_took_too_much_memory", "render_crashed"})
_TIME = frozenset({"render_took_too_long"})


@dataclass(frozen=True, slots=True)
class Bomb:
    """A malicious file. `ends` has several codes if it depends on timing which limit is hit first."""

    name: str
    make: Callable[[], bytes]
    ends: frozenset[str]

    def __str__(self) -> str:
        return self.name


def one_huge_page(side: int = 14_400) -> bytes:
    """Return a few bytes that describe a page of 829 megapixels, at two pixels per point."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]>>" % (side, side)
    return assembled([_CATALOG, b"<</Type/Pages/Count 1/Kids[3 0 R]>>", page])


def deep_tree(levels: int = 50_000) -> bytes:
    """Return a PDF whose page tree is this many levels deep."""
    nodes = [
        b"<</Type/Pages/Count 1/Parent %d 0 R/Kids[%d 0 R]>>" % (max(2, number - 1), number + 1)
        for number in range(2, levels + 2)
    ]
    return assembled([_CATALOG, *nodes, b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 100 100]>>" % (levels + 1)])


def many_pages(count: int = 100_000) -> bytes:
    """Return a PDF that contains the same page this many times."""
    tree = b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b"3 0 R " * count)
    return assembled([_CATALOG, tree, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"])


def form_within_itself() -> bytes:
    form = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 500 500]/Resources<</XObject<</X 6 0 R>>>>/Length 12>>"
        b"stream\n/X Do /X Do \nendstream"
    )
    return pdf("", content=b"/X Do", resources=b"/XObject<</X 6 0 R>>", extra=[form])


def huge_image_in_pdf(side: int = 20_000) -> bytes:
    """Return a PDF with 1.2 gigabytes of black pixels, compressed twice."""
    packer = zlib.compressobj(1)
    rows = bytes(3 * side)
    packed = b"".join(packer.compress(rows) for _ in range(side)) + packer.flush()
    return _with_image(side, zlib.compress(packed, 9), filters=b"/FlateDecode/FlateDecode")


def misdeclared_image_in_pdf(side: int = 60_000) -> bytes:
    """Return a PDF with an image that declares 3.6 gigapixels and has a few bytes."""
    return _with_image(side, zlib.compress(b"nothing"), filters=b"/FlateDecode")


def _with_image(side: int, packed: bytes, *, filters: bytes) -> bytes:
    image = (
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8"
        b"/Filter[%s]/Length %d>>stream\n%s\nendstream" % (side, side, filters, len(packed), packed)
    )
    return pdf("", content=b"500 0 0 500 0 0 cm /X Do", resources=b"/XObject<</X 6 0 R>>", extra=[image])


def misdeclared_png() -> bytes:
    """Return a PNG whose header declares 81 megapixels, which is allowed, with the pixels of a much smaller image."""
    content = bytearray(huge_png(10))
    content[16:24] = struct.pack(">II", 9000, 9000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def billion_laughs_docx(rounds: int = 12) -> bytes:
    """Return a document with XML entities that contain each other ten times."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, rounds))
    body = f"<w:body><w:p><w:r><w:t>&e{rounds - 1};</w:t></w:r></w:p></w:body>"
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    whole = f'<!DOCTYPE d [<!ENTITY e0 "lol">{entities}]><w:document {space}>{body}</w:document>'
    return docx("", document=whole.encode())


IN_FILES = (
    Bomb("a page of 829 megapixels in few bytes", one_huge_page, frozenset({READY})),
    Bomb("a page of 200,000 points", lambda: one_huge_page(200_000), frozenset({"page_too_large"})),
    Bomb("a tree of pages 50,000 deep", deep_tree, frozenset({"file_damaged", "file_without_pages", READY})),
    Bomb("100,000 pages", many_pages, frozenset({"too_many_pages"})),
    Bomb("a form that draws itself", form_within_itself, _MEMORY | _TIME),
    Bomb("forms that draw a billion shapes", endless_pdf, _MEMORY | _TIME),
    Bomb("an image of 1.2 gigabytes in a PDF", huge_image_in_pdf, _MEMORY | {READY}),
    Bomb("an image in a PDF that declares a wrong size", misdeclared_image_in_pdf, _MEMORY | {READY}),
    Bomb("a page description of 1 gigabyte", lambda: pdf_with_bloated_page(1000), _MEMORY),
    Bomb("a PNG of 177 megapixels", lambda: huge_png(13_300), frozenset({"page_too_large"})),
    Bomb("a PNG that declares a wrong size", misdeclared_png, frozenset({"file_damaged"})),
    Bomb("a docx that unpacks to 600 megabytes", lambda: zip_bomb(600), frozenset({"file_expands_too_much"})),
    Bomb("a docx that declares a wrong size", lambda: lying_zip(20), frozenset({"file_expands_too_much"})),
    Bomb(
        "a docx with nested XML entities",
        billion_laughs_docx,
        frozenset({"conversion_failed", "render_took_too_long", "too_many_pages", READY}),
    ),
)
