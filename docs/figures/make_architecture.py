"""Draw `architecture.svg` from `architecture.txt`: `python docs/figures/make_architecture.py`."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

SOURCE = Path(__file__).with_name("architecture.txt")
PICTURE = Path(__file__).with_name("architecture.svg")

BOX_WIDTH, BOX_HEIGHT = 206, 62
COLUMN_WIDTH, ROW_HEIGHT = 292, 142
MARGIN = 16
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #59636e; text-anchor: middle }
.title { font-weight: 600; font-size: 15px; fill: #1f2328 }
.label { font-size: 12px; paint-order: stroke; stroke: #fff; stroke-width: 5px }
rect { fill: #f6f8fa; stroke: #8c959f }
line { stroke: #59636e; stroke-width: 1.3; marker-end: url(#head) }"""

HEAD = (
    '<marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
    '<path d="M0,0 L9,4 L0,8 z" fill="#59636e"/></marker>'
)


@dataclass(frozen=True)
class Box:
    """A part of the system, and its place in the grid."""

    column: int
    row: int
    title: str
    detail: str

    @property
    def centre(self) -> tuple[float, float]:
        x = MARGIN + self.column * COLUMN_WIDTH + BOX_WIDTH / 2
        return x, MARGIN + self.row * ROW_HEIGHT + BOX_HEIGHT / 2

    def edge_towards(self, other: "Box") -> tuple[float, float]:
        """Return the point where a line to the centre of the other box leaves this one."""
        (x, y), (other_x, other_y) = self.centre, other.centre
        width, height = abs(other_x - x), abs(other_y - y)
        share = min(BOX_WIDTH / 2 / width if width else 2.0, BOX_HEIGHT / 2 / height if height else 2.0)
        return x + (other_x - x) * share, y + (other_y - y) * share


def svg(source: str) -> str:
    """Return the picture that the source describes."""
    boxes: dict[str, Box] = {}
    arrows: list[str] = []
    for line in source.splitlines():
        head, *texts = (part.strip() for part in line.partition("#")[0].split("|"))
        match head.split():
            case ["box", name, column, row]:
                boxes[name] = Box(int(column), int(row), *texts)
            case ["arrow", start, end]:
                arrows.append(_arrow(boxes[start], boxes[end], texts[0]))
    width = 2 * MARGIN + max(box.column for box in boxes.values()) * COLUMN_WIDTH + BOX_WIDTH
    height = 2 * MARGIN + max(box.row for box in boxes.values()) * ROW_HEIGHT + BOX_HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            "<title>The processes and stores of PaliAPI</title>",
            f"<style>\n{STYLE}\n</style>",
            HEAD,
            f'<rect width="{width}" height="{height}" style="fill:#fff;stroke:none"/>',
            *arrows,
            *(_box(box) for box in boxes.values()),
            "</svg>\n",
        ]
    )


def _box(box: Box) -> str:
    x, y = box.centre
    corner = f'x="{x - BOX_WIDTH / 2:g}" y="{y - BOX_HEIGHT / 2:g}"'
    return (
        f'<rect {corner} width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<text class="title" x="{x:g}" y="{y - 5:g}">{escape(box.title)}</text>'
        f'<text x="{x:g}" y="{y + 16:g}">{escape(box.detail)}</text>'
    )


def _arrow(start: Box, end: Box, label: str) -> str:
    (x1, y1), (x2, y2) = start.edge_towards(end), end.edge_towards(start)
    share = (
        0.5 if start.column == end.column or start.row == end.row else 0.28
    )  # labels avoid the crossings of diagonals
    x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share + 4
    return (
        f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"/>'
        f'<text class="label" x="{x:.0f}" y="{y:.0f}">{escape(label)}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(svg(SOURCE.read_text()))
