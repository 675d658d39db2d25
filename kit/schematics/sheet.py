"""One sheet for each circuit: symbols, wires, dots where they join, texts, and the page round all of it."""

import re
from html import escape
from typing import Literal

import schemdraw
import schemdraw.elements as elm
from schemdraw.types import BBox

from kit.circuits import Circuit, Circuits, Component, Mark
from kit.schematics.nets import dots_of, spots_of
from kit.schematics.symbols import Spot, block_size, leads, pins_of, spot_of, symbol_of

schemdraw.use("svg")
schemdraw.svgconfig.text = "text"  # not paths: a text can be searched, copied and read aloud

Across = Literal["left", "center", "right"]
Up = Literal["top", "center", "bottom"]

FONT_PT = 10
MARGIN_PT = 12
LETTER = 0.6
"""How wide a letter is at the most, on average, of its size."""
UNIT_IN = 0.4
"""Inches of one grid unit: the widest sheet fits A4 on its side."""
_WARNING = "Not built, not tested on hardware. Values: circuits.toml; parts: parts.csv beside it."
_TEXT_AT: dict[str, tuple[float, float, Across, Up]] = {
    "above": (0.0, 0.45, "center", "bottom"),
    "below": (0.0, -0.45, "center", "top"),
    "left": (-0.5, 0.0, "right", "center"),
    "right": (0.5, 0.0, "left", "center"),
}
"""How far beside a symbol its label is, and which side of the label is there."""


class Sheet(schemdraw.Drawing):
    """A drawing that knows how far its texts reach: the width that schemdraw guesses for them is too small."""

    def __init__(self) -> None:
        """Begin an empty one."""
        super().__init__(show=False)
        self.config(unit=2, inches_per_unit=UNIT_IN, fontsize=FONT_PT, lw=1.2, color="black", bgcolor="white")
        self.reach: list[Spot] = []

    def write(self, at: Spot, text: str, *, across: Across = "left", up: Up = "center", size: float = FONT_PT) -> None:
        """Write lines of text beside a place: `across` and `up` say which side of the text is there."""
        # Turned to the right, or it would keep the way of the last symbol; schemdraw adds a tenth, whatever it is told.
        label = elm.Label().right().at((at[0] - 0.1, at[1] - 0.1))
        self.add(label.label(text, loc="center", halign=across, valign=up, ofst=(0, 0), fontsize=size))
        lines = text.split("\n")
        wide, high = max(map(len, lines)) * size * LETTER / 72 / UNIT_IN, len(lines) * size * 1.2 / 72 / UNIT_IN
        left = at[0] - wide * {"left": 0.0, "center": 0.5, "right": 1.0}[across]
        low = at[1] - high * {"bottom": 0.0, "center": 0.5, "top": 1.0}[up]
        self.reach += [(left, low), (left + wide, low + high)]

    def page(self) -> tuple[float, float, float, float]:
        """Left, lower, right and upper edge of all that is on it."""
        box: BBox = self.get_bbox()
        spots = [(box.xmin, box.ymin), (box.xmax, box.ymax), *self.reach]
        return tuple(pick(spot[axis] for spot in spots) for pick in (min, max) for axis in (0, 1))


def schematics(circuits: Circuits) -> dict[str, str]:
    """Draw every circuit: the file's name, such as `lamp_driver.svg`, and its text. The same text each time."""
    return {f"{each.name}.svg": draw(each) for each in circuits.circuit}


def draw(circuit: Circuit) -> str:
    """One circuit as SVG."""
    sheet, pins = Sheet(), pins_of(circuit)
    for wire in circuit.wire:
        spots = spots_of(wire, pins)
        for one, other in zip(spots, spots[1:], strict=False) if isinstance(spots, list) else ():
            if one != other:
                sheet.add(elm.Line().at(one).to(other))
    for spot in dots_of(circuit, pins):
        sheet.add(elm.Dot(radius=0.07).at(spot))
    for component in circuit.component:
        if (element := symbol_of(component)) is not None:
            sheet.add(element)
            _label(sheet, component)
    for mark in circuit.mark:
        _mark(sheet, mark)
    left, low, _, high = sheet.page()
    sheet.write((left, high + 1.0), circuit.title, up="bottom", size=FONT_PT + 4)
    sheet.write((left, high + 0.4), _WARNING, up="bottom")
    for number, note in enumerate(circuit.note):
        sheet.write((left, low - 0.5 - 0.5 * number), f"{note}.", up="top")
    return _tidy(sheet.get_imagedata("svg").decode("utf-8"), sheet.page(), circuit.title)


def _label(sheet: Sheet, component: Component) -> None:
    """Reference and value beside the symbol; in a block, with the names of its pins."""
    across, up = spot_of(component.at or "0,0")
    text = f"{component.ref}\n{component.value}"
    if component.symbol == "block":
        width, height = block_size(component)
        sheet.write((across + width / 2, up - height / 2), text, across="center")
        for name, inner, outer in leads(component):
            _pin_name(sheet, name, (across + inner[0], up + inner[1]), (outer[0] - inner[0], outer[1] - inner[1]))
        return
    if component.to is not None:
        end = spot_of(component.to)
        across, up = (across + end[0]) / 2, (up + end[1]) / 2
    else:
        aside = {"npn": (0.8, 0.0), "relay": (3.0, -1.5), "opto": (1.5, 0.3)}[component.symbol]
        across, up = across + aside[0], up + aside[1]
    beside, above, side, edge = _TEXT_AT[component.label]
    sheet.write((across + beside, up + above), text, across=side, up=edge)


def _pin_name(sheet: Sheet, name: str, at: Spot, way: Spot) -> None:
    """Inside the edge of a block, where the lead goes out the other way."""
    inward = (at[0] - 0.3 * way[0], at[1] - 0.3 * way[1])
    if way[0]:
        sheet.write(inward, name, across="right" if way[0] > 0 else "left", size=FONT_PT - 2)
    else:
        sheet.write(inward, name, across="center", up="top" if way[1] > 0 else "bottom", size=FONT_PT - 2)


def _mark(sheet: Sheet, mark: Mark) -> None:
    at = spot_of(mark.at)
    if mark.kind == "ground":
        sheet.add(elm.Ground().at(at).right())
    elif mark.kind == "supply":
        sheet.add(elm.Vdd().at(at).right())  # type: ignore[no-untyped-call]
        sheet.write((at[0], at[1] + 0.75), mark.text or mark.net, across="center", up="bottom")
    else:
        sheet.add(elm.Dot(open=True, radius=0.1).at(at))
        left = mark.kind == "port_left"
        beside = (at[0] - 0.25, at[1]) if left else (at[0] + 0.25, at[1])
        sheet.write(beside, mark.text or mark.net, across="right" if left else "left")


def _tidy(svg: str, page: tuple[float, float, float, float], title: str) -> str:
    """The whole page in view, its title said, a font that browsers know, and numbers of three digits.

    The last digits of a sum may differ between machines: no drawing is to change by them.
    """
    point = UNIT_IN * 72
    left, low, right, high = (edge * point for edge in page)
    box = (left - MARGIN_PT, -high - MARGIN_PT, right - left + 2 * MARGIN_PT, high - low + 2 * MARGIN_PT)
    head = 'height="{3:.3f}pt" width="{2:.3f}pt" viewBox="{0:.3f} {1:.3f} {2:.3f} {3:.3f}"'.format(*box)
    whole = re.sub(r'height="[^"]*" width="[^"]*" viewBox="[^"]*"', head, svg, count=1)
    short = re.sub(r"-?[0-9]+\.[0-9]+", lambda found: f"{float(found[0]):.3f}".rstrip("0").rstrip("."), whole)
    said = short.replace(">", f">\n<title>{escape(title)}</title>\n", 1).replace(
        'font-family="sans"', 'font-family="sans-serif"'
    )
    return said.replace("</text><", "</text>\n<").rstrip("\n") + "\n"
