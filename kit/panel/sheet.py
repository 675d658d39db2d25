"""A sheet of paper in millimetres, on which a panel is drawn. Pure."""

from collections.abc import Iterable, Iterator
from html import escape

WIDTH_MM, HEIGHT_MM = 297, 210
"""A4 on its side."""
TEXT_MM = 3.2
"""The size of what is written beside the panel."""
_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def sheet(title: str, says: str, drawn: Iterable[str]) -> str:
    """The whole SVG: what is drawn, below its title and what it says of itself."""
    lines = (
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}" font-family="{_FONT}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH_MM}" height="{HEIGHT_MM}" fill="#fff"/>',
        text(10, 11, title, size=5, more='font-weight="bold"'),
        text(10, 17, says),
        *drawn,
        "</svg>",
    )
    return "\n".join(lines) + "\n"


def mm(value: float) -> str:
    """A length as it is written in a drawing, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text(x: float, y: float, says: str, *, size: float = TEXT_MM, more: str = "") -> str:
    """A line of text, its foot at y; it starts at x unless `more` anchors it elsewhere."""
    attributes = f" {more}" if more else ""
    return f'<text x="{mm(x)}" y="{mm(y)}" font-size="{mm(size)}"{attributes}>{escape(says)}</text>'


def line(x: float, y: float, to_x: float, to_y: float, *, more: str = "") -> str:
    """A thin line."""
    ends = f'x1="{mm(x)}" y1="{mm(y)}" x2="{mm(to_x)}" y2="{mm(to_y)}"'
    return f'<line {ends} stroke="#000" stroke-width="0.2"{f" {more}" if more else ""}/>'


def rectangle(left: float, top: float, width: float, height: float, *, more: str) -> str:
    """A rectangle."""
    return f'<rect x="{mm(left)}" y="{mm(top)}" width="{mm(width)}" height="{mm(height)}" {more}/>'


def circle(x: float, y: float, diameter: float, *, more: str = 'fill="none" stroke="#000" stroke-width="0.3"') -> str:
    """A circle, by its centre and diameter."""
    return f'<circle cx="{mm(x)}" cy="{mm(y)}" r="{mm(diameter / 2)}" {more}/>'


def cross(x: float, y: float, reach: float) -> str:
    """A centre mark that reaches so far to each side."""
    return line(x - reach, y, x + reach, y) + line(x, y - reach, x, y + reach)


def scale(x: float, y: float) -> Iterator[str]:
    """A bar of 100 mm, by which a print is checked."""
    yield line(x, y, x + 100, y, more='id="scale"')
    for step in range(0, 101, 10):
        yield line(x + step, y, x + step, y - (3 if step % 50 == 0 else 1.8))
    yield text(x, y + 5, "This bar is 100 mm long: measure it after printing.")


def ordinates(at: tuple[float, float], size: tuple[float, float], xs: set[float], ys: set[float]) -> Iterator[str]:
    """Dimensions from the upper left corner of a panel that stands `at`: below it the `xs`, left of it the `ys`.

    Where two are too near for their figures, the second stands further out.
    """
    left, top = at
    foot = top + size[1]
    for value, row in _rows(xs | {0.0, size[0]}):
        yield line(left + value, foot + 1.5, left + value, foot + 4 + 4.5 * row)
        yield text(left + value, foot + 7.5 + 4.5 * row, mm(value), more='text-anchor="middle"')
    for value, row in _rows(ys | {0.0, size[1]}):
        yield line(left - 1.5, top + value, left - 4 - 8 * row, top + value)
        yield text(left - 5 - 8 * row, top + value + 1.1, mm(value), more='text-anchor="end"')


def _rows(values: set[float]) -> Iterator[tuple[float, int]]:
    """Each value, in order, and the row that its figure stands in."""
    last = {0: -100.0, 1: -100.0}
    for value in sorted(values):
        row = 0 if value - last[0] >= 10 else 1
        last[row] = value
        yield value, row
