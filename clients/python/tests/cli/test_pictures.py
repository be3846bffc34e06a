"""Page images in terminals."""

import base64
import io
import re

import pytest
from PIL import Image, ImageChops

from cli.pseudo_terminal import ATTRIBUTES, Terminal, environ, python
from paliapi_client.cli.pictures.encodings import encoded
from paliapi_client.cli.pictures.highlight import framed
from paliapi_client.cli.pictures.picture import NotAPicture, picture

ASK = """
import sys
from paliapi_client.cli.pictures.terminal import ability
print("ability:", ability(sys.stdout))
"""
KITTY_QUESTION = b"a=q,t=d,f=24;AAAA\x1b\\"
CELL_QUESTION = b"\x1b[16t"


def page(size: tuple[int, int] = (600, 800), kind: str = "PNG") -> bytes:
    image = Image.new("RGB", size, "white")
    image.paste((200, 0, 0), (0, 0, size[0] // 2, size[1] // 2))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_page_is_scaled_into_the_cells(kind: str) -> None:
    drawn = picture(page(kind=kind), columns=40, rows=20, cell=(10, 20))
    assert drawn.image.size == (300, 400)
    assert (drawn.columns, drawn.rows) == (30, 20)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1b[2J",
        b"\x89PNG\r\n\x1a\n",
        page()[:200],
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"%!PS-Adobe-3.0 EPSF",
    ],
)
def test_what_is_no_page_image_is_refused(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        picture(content, columns=10, rows=10)


def test_image_that_would_fill_the_memory_is_refused() -> None:
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    with pytest.raises(NotAPicture):
        picture(bomb.getvalue(), columns=10, rows=10)


def test_kitty_gets_a_png_in_chunks() -> None:
    text = encoded(picture(noise(), columns=40, rows=20), "kitty")
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert all(len(content) <= 4096 for _, content in chunks)
    assert [control.rpartition("m=")[2] for control, _ in chunks] == ["1"] * (len(chunks) - 1) + ["0"]
    assert len(chunks) > 1
    assert "f=100" in chunks[0][0]
    assert "r=20" in chunks[0][0]
    image = Image.open(io.BytesIO(base64.b64decode("".join(content for _, content in chunks))))
    assert image.size == (240, 320)


def noise() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((300, 400), 100).save(file, "PNG")
    return file.getvalue()


def test_iterm2_gets_a_file_and_its_size_in_cells() -> None:
    text = encoded(picture(page(), columns=40, rows=20), "iterm2")
    match = re.fullmatch(r"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07\r\n", text)
    assert match
    content = base64.b64decode(match[2])
    assert match[1] == f"inline=1;size={len(content)};width=30;height=20;preserveAspectRatio=1"
    assert Image.open(io.BytesIO(content)).size == (240, 320)


def test_sixel_shows_the_same_pixels() -> None:
    original = picture(page((61, 83)), columns=40, rows=20).image
    shown = decode_sixel(encoded(picture(page((61, 83)), columns=40, rows=20), "sixel"))
    assert shown.size == original.size
    # Between colours, the palette may be off by more.
    difference = ImageChops.difference(shown, original).convert("L").histogram()
    assert sum(difference[:12]) > 0.95 * shown.width * shown.height


def decode_sixel(text: str) -> Image.Image:
    """Read sixels by the description in DEC's manual."""
    match = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+);(\d+)(.*)\x1b\\\r\n', text, re.DOTALL)
    assert match
    image = Image.new("RGB", (int(match[1]), int(match[2])))
    palette: dict[int, tuple[int, ...]] = {}
    colour, x, top = 0, 0, 0
    for one in re.finditer(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])", match[3]):
        if one[1]:
            palette[int(one[1])] = tuple(round(int(value) * 2.55) for value in one.group(2, 3, 4))
        elif one[5]:
            colour = int(one[5])
        elif one[9]:
            x, top = 0, top + 6 * (one[9] == "-")
        else:
            bits = ord(one[7] or one[8]) - 63
            width = int(one[6] or 1)
            for bit in (bit for bit in range(6) if bits >> bit & 1):
                image.paste(palette[colour], (x, top + bit, x + width, top + bit + 1))
            x += width
    return image


def test_regions_are_framed_and_wrong_ones_ignored() -> None:
    image = Image.new("RGB", (100, 100), "white")
    wrong = [(0.5, 0.5, 0.1, 0.1), (2, 2, 3, 3), (0.1, 0.1, 0.1001, 0.2)]
    assert framed(image, wrong).tobytes() == image.tobytes()
    shown = framed(image, [(0.1, 0.1, 0.9, 0.5)])
    assert shown.getpixel((10, 30)) != (255, 255, 255)
    assert shown.getpixel((50, 30)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("answers", "variables", "expected"),
    [
        ({KITTY_QUESTION: b"\x1b_Gi=31;OK\x1b\\", ATTRIBUTES: b"\x1b[?62c"}, {}, "protocol='kitty', cell=(8, 16)"),
        ({CELL_QUESTION: b"\x1b[6;30;14t", ATTRIBUTES: b"\x1b[?62;4;22c"}, {}, "protocol='sixel', cell=(14, 30)"),
        ({ATTRIBUTES: b"\x1b[?65;1;9c"}, {"TERM_PROGRAM": "iTerm.app"}, "protocol='iterm2'"),
        # In a multiplexer, the variables are those of the terminal around it.
        ({ATTRIBUTES: b"\x1b[?1;2c"}, {"TERM_PROGRAM": "iTerm.app", "TMUX": "/tmp/x"}, "ability: None"),
        ({ATTRIBUTES: b"\x1b[?62;22c"}, {}, "ability: None"),
        ({KITTY_QUESTION: b"\x1b_Gi=31;EINVAL\x1b\\", ATTRIBUTES: b"\x1b[?4c"}, {}, "ability: None"),
        ({CELL_QUESTION: b"\x1b[6;0;9999t", ATTRIBUTES: b"\x1b[?62;4c"}, {}, "protocol='sixel', cell=(8, 16)"),
        ({}, {"PALI_PICTURES": "kitty"}, "protocol='kitty'"),
        ({}, {"PALI_PICTURES": "off"}, "ability: None"),
        ({}, {"TERM": "dumb"}, "ability: None"),
        ({}, {"TERM_PROGRAM": "Apple_Terminal"}, "ability: None"),
        # A terminal that answers nothing.
        ({}, {}, "ability: None"),
    ],
)
def test_terminal_is_asked_what_it_can_draw(
    answers: dict[bytes, bytes], variables: dict[str, str], expected: str
) -> None:
    code, output = Terminal(answers=answers).run(python(ASK), environ(**variables))
    assert code == 0
    assert expected in output.decode()


def test_answers_of_the_terminal_are_neither_shown_nor_left_for_the_shell() -> None:
    read_rest = "import select; print('rest:', bool(select.select([sys.stdin], [], [], 0)[0]))"
    terminal = Terminal(answers={ATTRIBUTES: b"\x1b[?62;4;1;2;3;4;5c"})
    _, output = terminal.run(python(ASK + read_rest), environ())
    assert b"protocol='sixel'" in output
    assert b"4;1;2" not in output
    assert b"rest: False" in output
    assert output.index(b"\x1b[c") < output.index(b"\r\x1b[K") < output.index(b"ability")


def test_cell_size_of_the_window_is_used() -> None:
    terminal = Terminal(cell=(12, 25), answers={ATTRIBUTES: b"\x1b[?62;4c"})
    assert b"cell=(12, 25)" in terminal.run(python(ASK), environ())[1]
