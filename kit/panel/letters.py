"""How wide and how high a label's legend is. Pure."""

from collections.abc import Sequence

LETTER_MM_MIN = 3.3
"""The lowest capital: 16 minutes of arc at 0.7 m, an arm's length. Source: NUREG-0700 rev. 3, height of characters."""
CAPITAL = 0.72
"""The height of a capital of Helvetica Bold, of its size: Adobe's font metrics."""
SIZE_MM = 4.8
"""The size of the letters of a label: their capitals are 3.46 mm high."""
LINE_MM = 6.2
"""From one line of a legend to the next."""
MARGIN_MM = 2.0
"""What is left free round a legend."""
STRIP_MM = 6.0
"""The strip at the left of a label that has its service's colour and letter."""
_WIDTHS = {
    **dict.fromkeys("ABCDHKNRU&", 722), **dict.fromkeys("EPSVXY", 667), **dict.fromkeys("FLTZ", 611),
    **dict.fromkeys("GOQ", 778), **dict.fromkeys("0123456789J", 556), **dict.fromkeys(" I/.", 278),
    "M": 833, "W": 944, "-": 333,
}  # fmt: skip
"""The widths of Helvetica Bold in thousandths of its size: Adobe's font metrics."""


def width_mm(line: str) -> float:
    """How wide a line of a legend is."""
    return SIZE_MM * sum(_WIDTHS[letter] for letter in line) / 1000


def height_mm(legend: Sequence[str]) -> float:
    """How high a legend is, from the top of its first line to the foot of its last."""
    return SIZE_MM * CAPITAL + LINE_MM * (len(legend) - 1)
