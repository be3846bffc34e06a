"""The three protocols by which terminals draw images: kitty's, iTerm2's, and sixel."""

import base64
from collections.abc import Callable, Iterator
from typing import Literal

from paliapi_client.cli.pictures.picture import Picture

Protocol = Literal["kitty", "iterm2", "sixel"]
_KITTY_CHUNK = 4096
_SIXEL_COLOURS = 128


def encoded(picture: Picture, protocol: Protocol) -> str:
    """Return the control sequence that draws a picture at the cursor, which is then at the start of the line below."""
    return _ENCODERS[protocol](picture)


def _kitty(picture: Picture) -> str:
    content = base64.standard_b64encode(picture.png()).decode("ascii")
    chunks = [content[i : i + _KITTY_CHUNK] for i in range(0, len(content), _KITTY_CHUNK)]
    # a=T transmits and displays, f=100 is PNG, q=2 suppresses responses, C=1 leaves the cursor.
    control = f"a=T,f=100,q=2,C=1,c={picture.columns},r={picture.rows},"
    sequences = [
        f"\x1b_G{control if number == 0 else ''}m={int(number < len(chunks) - 1)};{chunk}\x1b\\"
        for number, chunk in enumerate(chunks)
    ]
    # Rows are made first, so that a picture at the bottom of the screen scrolls it and stays whole.
    return "\n" * picture.rows + f"\x1b[{picture.rows}A" + "".join(sequences) + f"\x1b[{picture.rows}B\r"


def _iterm2(picture: Picture) -> str:
    content = picture.png()
    arguments = f"inline=1;size={len(content)};width={picture.columns};height={picture.rows};preserveAspectRatio=1"
    return f"\x1b]1337;File={arguments}:{base64.standard_b64encode(content).decode('ascii')}\x07\r\n"


def _sixel(picture: Picture) -> str:
    image = picture.image.quantize(_SIXEL_COLOURS)
    width, height = image.size
    pixels = image.tobytes()
    palette = image.getpalette() or []
    parts = [f'\x1bP0;1;0q"1;1;{width};{height}']
    for colour in range(len(palette) // 3):
        red, green, blue = (round(value * 100 / 255) for value in palette[colour * 3 : colour * 3 + 3])
        parts.append(f"#{colour};2;{red};{green};{blue}")
    for top in range(0, height, 6):
        parts.append("$".join(_sixel_band(pixels, width, top, min(top + 6, height))))
        parts.append("-")
    return "".join([*parts, "\x1b\\\r\n"])


def _sixel_band(pixels: bytes, width: int, top: int, bottom: int) -> Iterator[str]:
    """Yield a line of sixels for each colour in up to six rows of pixels."""
    columns: dict[int, bytearray] = {}
    for bit, row in enumerate(range(top, bottom)):
        value = 1 << bit
        for x, colour in enumerate(pixels[row * width : (row + 1) * width]):
            line = columns.get(colour)
            if line is None:
                line = columns[colour] = bytearray(width)
            line[x] |= value
    for colour, line in columns.items():
        yield f"#{colour}{_run_lengths(bytes(line).rstrip(bytes(1)))}"


def _run_lengths(line: bytes) -> str:
    parts = []
    start = 0
    while start < len(line):
        end = start + 1
        while end < len(line) and line[end] == line[start]:
            end += 1
        character = chr(63 + line[start])
        parts.append(f"!{end - start}{character}" if end - start > 3 else character * (end - start))
        start = end
    return "".join(parts)


_ENCODERS: dict[Protocol, Callable[[Picture], str]] = {"kitty": _kitty, "iterm2": _iterm2, "sixel": _sixel}
