"""Small PDFs with a text layer: lines in the fonts that every PDF reader has, on A4."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 595, 842


@dataclass(frozen=True, slots=True)
class Line:
    """Text, its size and font, and its origin from the lower left corner."""

    text: str
    x: float
    y: float
    size: float = 12
    font: str = "Helvetica"


def write(pages: Sequence[Sequence[Line]]) -> bytes:
    """Return a file with these pages. Letters outside Latin-1 become question marks."""
    names = sorted({line.font for lines in pages for line in lines})
    fonts = b" ".join(
        b"/%s << /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % (2 * (name.encode(),))
        for name in names
    )
    leaves = [3 + 2 * number for number in range(len(pages))]
    kids = b" ".join(b"%d 0 R" % leaf for leaf in leaves)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
    ]
    for leaf, lines in zip(leaves, pages, strict=True):
        content = "\n".join(_operators(line) for line in lines).encode("latin-1", "replace")
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /Resources << /Font << %s >> >> >>"
            % (WIDTH, HEIGHT, leaf + 1, fonts)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _file(objects)


def _operators(line: Line) -> str:
    escaped = line.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /{line.font} {line.size:g} Tf {line.x:g} {line.y:g} Td ({escaped}) Tj ET"


def _file(objects: Sequence[bytes]) -> bytes:
    out = b"%PDF-1.4\n"
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    size = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, len(out))
    return out + head + table + end
