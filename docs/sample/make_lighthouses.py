"""Writes lighthouses.pdf, the document of the first steps: three pages of text, a table and a chart.

A PDF in its plainest form, written by hand: `python docs/sample/make_lighthouses.py`.
"""

from collections.abc import Iterable
from math import sqrt
from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 64

_EDDYSTONE = """\
The Eddystone rocks lie twenty kilometres south-west of Plymouth and are covered at high water.
Four lighthouses have stood on them, and each taught something to the next.

Henry Winstanley finished the first in 1698. It was made of wood, held to the rock by iron bars,
and it was the first lighthouse ever to stand in the open sea. The Great Storm of November 1703
carried it away, with its builder, who was there to repair it.

John Rudyerd, a merchant of silk, built the second in 1709 like a ship: timber around a core of
stone and wood. It stood for forty-six years. In December 1755 the lantern caught fire and the
tower burned down to the rock.

John Smeaton built the third of granite and lit it in 1759. He cut the blocks so that they lock
into each other like a dovetail, and found a lime that sets under water, which led to modern
cement. Its light was twenty-four candles. The tower outlived its rock: the sea was wearing away
the ground beneath it. Its upper part was taken down and stands on Plymouth Hoe today.

James Douglass lit the fourth in 1882. It is forty-nine metres high and works without keepers
since 1982."""

_LENS = """\
An open flame sends its light everywhere, and most of it is lost to the sky. In 1822 Augustin
Fresnel showed how to gather it: a lens cut into rings keeps the curve that bends the light and
leaves out the glass that does nothing. The first was lit at Cordouan, at the mouth of the
Gironde, in 1823.

Lenses are made in orders, by the distance from the flame to the glass. The first order serves
the great lights of the coast, the sixth the ends of harbour walls."""

_ORDERS = (
    ("Order", "Focal length", "Height of the lens", "Used for"),
    ("first", "920 mm", "2.59 m", "great lights of the coast"),
    ("second", "700 mm", "2.07 m", "great lakes and islands"),
    ("third", "500 mm", "1.58 m", "straits and bays"),
    ("fourth", "250 mm", "0.72 m", "shoals and reefs"),
    ("fifth", "187.5 mm", "0.54 m", "breakwaters"),
    ("sixth", "150 mm", "0.43 m", "harbour walls"),
)

_RANGE = """\
The earth is round, so even the strongest light sinks below the horizon. How far it can be seen
depends on how high it stands, and on how high the eye is that looks for it. With both heights in
metres, the distance in nautical miles is about

        2.03 x (square root of the light's height + square root of the eye's height).

The chart shows it for an eye five metres above the water, as on the bridge of a small ship. To
see a light from twice as far, the tower must be far more than twice as high: this is why
builders looked for cliffs before they looked for stones."""

_TOWER_HEIGHTS_M = (10, 20, 40, 60, 80)
_EYE_M = 5


def main() -> None:
    """Write the file next to this script."""
    Path(__file__).with_name("lighthouses.pdf").write_bytes(document())


def document() -> bytes:
    """The whole PDF."""
    pages = (
        [*_title("Four towers on one rock"), *_paragraphs(_EDDYSTONE)],
        [*_title("The lens that saved the light"), *_paragraphs(_LENS), *_table(_ORDERS, top=500)],
        [*_title("How far a light is seen"), *_paragraphs(_RANGE), *_chart(top=500)],
    )
    return _pdf(["\n".join(page).encode("ascii") for page in pages])


def _title(text: str) -> list[str]:
    return [_text(text, x=_MARGIN, y=_HEIGHT - 90, size=24, font="bold")]


def _paragraphs(text: str) -> list[str]:
    lines = enumerate(text.splitlines())
    return [_text(line, x=_MARGIN, y=_HEIGHT - 135 - 16 * row, size=11) for row, line in lines if line]


def _table(rows: Iterable[tuple[str, ...]], *, top: int) -> list[str]:
    drawn = []
    for number, row in enumerate(rows):
        y = top - 26 * number
        for column, cell in enumerate(row):
            drawn.append(_text(cell, x=_MARGIN + 115 * column, y=y, size=11, font="plain" if number else "bold"))
        drawn.append(f"0.7 G {_MARGIN} {y - 9} m {_WIDTH - _MARGIN} {y - 9} l S 0 G")
    return drawn


def _chart(*, top: int) -> list[str]:
    drawn = [_text("Height of the light, and how far it is seen", x=_MARGIN, y=top, size=12, font="bold")]
    for number, height in enumerate(_TOWER_HEIGHTS_M):
        miles = 2.03 * (sqrt(height) + sqrt(_EYE_M))
        y = top - 40 - 44 * number
        drawn.append(_text(f"{height} m", x=_MARGIN, y=y, size=11))
        drawn.append(f"0.16 0.38 0.62 rg {_MARGIN + 60} {y - 8} {miles * 13:.1f} 24 re f 0 g")
        drawn.append(_text(f"{miles:.1f} nautical miles", x=_MARGIN + 68 + miles * 13, y=y, size=11))
    return drawn


def _text(text: str, *, x: float, y: float, size: int, font: str = "plain") -> str:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /{font} {size} Tf {x:.1f} {y:.1f} Td ({escaped}) Tj ET"


def _pdf(contents: list[bytes]) -> bytes:
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(contents)} /Kids [{kids}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in enumerate(contents):
        look = f"/MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Resources << /Font << /plain 3 0 R /bold 4 0 R >> >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {look} /Contents {6 + 2 * number} 0 R >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    objects.append(b"<< /Title (Lighthouses) /Producer (make_lighthouses.py) >>")
    return _assemble(objects)


def _assemble(objects: list[bytes]) -> bytes:
    """The objects with the table of where each begins; the last one is the document's information."""
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (count, count - 1)
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s%sstartxref\n%d\n%%%%EOF\n" % (count, table, trailer, len(body))


if __name__ == "__main__":
    main()
