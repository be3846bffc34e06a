"""Generated PDFs of any length: report-like pages, or one line each."""

import random
import textwrap
from collections.abc import Iterable, Iterator

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def report(pages: int, *, seed: int = 1, words: int = 400) -> bytes:
    """Return A4 pages with a heading, that many words, and bars. No two are alike; the seed determines the bytes."""
    rng = random.Random(seed)  # noqa: S311 - the same pages every time
    known = ["".join(rng.choices(_LETTERS, k=rng.randint(3, 9))) for _ in range(3000)]
    size = 11 if words <= 400 else 7
    return _written("\n".join(_page(number, rng, known, words, size)) for number in range(1, pages + 1))


def _page(number: int, rng: random.Random, known: list[str], words: int, size: int) -> Iterator[str]:
    yield f"BT /F 22 Tf 60 780 Td (Page {number}) Tj ET"
    for line, text in enumerate(textwrap.wrap(" ".join(rng.choices(known, k=words)), 990 // size)):
        yield f"BT /F {size} Tf 60 {740 - (size + 4) * line} Td ({text}) Tj ET"
    for bar in range(12):
        red, green, blue = (f"{rng.random():.2f}" for _ in range(3))
        yield f"{red} {green} {blue} rg {70 + 38 * bar} 60 30 {rng.randint(10, 120)} re f"


def lines(texts: Iterable[str]) -> bytes:
    """Return a small page per text: letters, digits, spaces and dashes."""
    return _written((f"BT /F 8 Tf 5 35 Td ({text}) Tj ET" for text in texts), size=(200, 72))


def _written(pages: Iterable[str], *, size: tuple[int, int] = (595, 842)) -> bytes:
    """Return the file with these page descriptions."""
    objects = ["", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"]
    kids = []
    for rng in pages:
        objects.append(f"<</Length {len(rng)}>>stream\n{rng}\nendstream")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size[0]} {size[1]}]/Contents {len(objects)} 0 R"
            "/Resources<</Font<</F 3 0 R>>>>>>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[0] = "<</Type/Catalog/Pages 2 0 R>>"
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n".encode("latin-1")
    start = len(out)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
