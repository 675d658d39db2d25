"""The symbols, each in the place that its component says, and where its pins are then."""

from collections.abc import Iterator

import schemdraw
import schemdraw.elements as elm
from schemdraw.segments import Segment, SegmentPoly

from kit.circuits import Circuit, Component

Spot = tuple[float, float]
Pins = dict[str, Spot]
"""Where each pin of a sheet is, by `R1.2`."""

_TWO_ENDS: dict[str, type[elm.Element2Term]] = {
    "resistor": elm.ResistorIEC,
    "capacitor": elm.Capacitor,
    "polar": elm.Capacitor,
    "diode": elm.Diode,
    "tvs": elm.DiodeTVS,
    "fuse": elm.FuseIEC,
}
_ANCHORS = {
    "npn": {"b": "base", "c": "collector", "e": "emitter"},
    "diode": {"a": "start", "k": "end"},
    **dict.fromkeys(("resistor", "capacitor", "polar", "tvs", "fuse"), {"1": "start", "2": "end"}),
}
"""Pin, as the circuits name it: what schemdraw calls it. A plus is pin 1."""


class PhotoCoupler(elm.Element):  # type: ignore[no-untyped-call]
    """An LED with anode `a` above cathode `k`, beside a transistor with collector `c` above emitter `e`."""

    def __init__(self) -> None:
        """Draw it from its anode on."""
        super().__init__()
        box = ((0.4, 0.5), (2.6, 0.5), (2.6, -2.5), (0.4, -2.5), (0.4, 0.5))
        for path in (
            box, ((0, 0), (0.9, 0), (0.9, -0.75)), ((0.9, -1.25), (0.9, -2), (0, -2)), ((0.6, -1.25), (1.2, -1.25)),
            ((2.05, -0.6), (2.05, -1.4)), ((2.05, -0.8), (2.5, -0.4), (2.5, 0), (3, 0)),
            ((2.5, -1.6), (2.5, -2), (3, -2)),
        ):  # fmt: skip
            self.segments.append(Segment(path))
        self.segments.append(SegmentPoly([(0.6, -0.75), (1.2, -0.75), (0.9, -1.25)]))
        for start, end in (((1.35, -0.75), (1.85, -0.75)), ((1.35, -1.1), (1.85, -1.1)), ((2.05, -1.2), (2.5, -1.6))):
            self.segments.append(Segment((start, end), arrow="->", arrowwidth=0.15, arrowlength=0.2))
        self.anchors.update({"a": (0, 0), "k": (0, -2), "c": (3, 0), "e": (3, -2)})


class RelayCoil(elm.Element):  # type: ignore[no-untyped-call]
    """A coil from `A1` down to `A2`, and a contact, open at rest, from `COM` down to `NO`."""

    def __init__(self) -> None:
        """Draw it from `A1` on."""
        super().__init__()
        for path in (
            ((0, 0), (0, -1.1)), ((0, -1.9), (0, -3)), ((-0.5, -1.1), (0.5, -1.1), (0.5, -1.9), (-0.5, -1.9)),
            ((-0.5, -1.9), (-0.5, -1.1)),
            ((3, 0), (3, -1.1), (2.5, -2)), ((3, -2), (3, -3)),
        ):  # fmt: skip
            self.segments.append(Segment(path))
        self.segments.append(Segment(((0.5, -1.5), (2.75, -1.5)), ls="--"))
        self.anchors.update({"A1": (0, 0), "A2": (0, -3), "COM": (3, 0), "NO": (3, -3)})


class Block(elm.Element):  # type: ignore[no-untyped-call]
    """A box with pins on its sides, a unit apart, each with its name inside."""

    def __init__(self, component: Component) -> None:
        """Draw it from its upper left corner on."""
        super().__init__()
        width, height = block_size(component)
        self.segments.append(Segment(((0, 0), (width, 0), (width, -height), (0, -height), (0, 0))))
        for name, inner, outer in leads(component):
            self.segments.append(Segment((inner, outer)))
            self.anchors[name] = outer


def block_size(component: Component) -> Spot:
    """Width and height of a block."""
    tall = max(len(component.left), len(component.right), 1)
    return 3.0, tall + 1.0


def leads(component: Component) -> Iterator[tuple[str, Spot, Spot]]:
    """Name, inner and outer end of each pin of a block."""
    width, height = block_size(component)
    for number, name in enumerate(component.left, 1):
        if name:
            yield name, (0, -number), (-0.5, -number)
    for number, name in enumerate(component.right, 1):
        if name:
            yield name, (width, -number), (width + 0.5, -number)
    for name in component.top:
        yield name, (width / 2, 0), (width / 2, 0.5)
    for name in component.bottom:
        yield name, (width / 2, -height), (width / 2, -height - 0.5)


def spot_of(text: str) -> Spot:
    """Where `3,4.5` is."""
    across, up = text.split(",")
    return float(across), float(up)


def symbol_of(component: Component) -> elm.Element | None:
    """The symbol in its place; none where it has none."""
    if component.at is None:
        return None
    at = spot_of(component.at)
    if component.symbol in _TWO_ENDS and component.to is not None:
        options = {"polar": True} if component.symbol == "polar" else {}
        two: elm.Element = _TWO_ENDS[component.symbol](**options).at(at).to(spot_of(component.to))
        return two
    if component.symbol == "npn":
        npn: elm.Element = elm.BjtNpn(circle=True).right().anchor("base").at(at)
        return npn
    symbols: dict[str, type[elm.Element]] = {"opto": PhotoCoupler, "relay": RelayCoil}
    made: elm.Element = symbols[component.symbol]() if component.symbol in symbols else Block(component)
    return made.right().at(at)


def pins_of(circuit: Circuit) -> Pins:
    """Where the pins are, as the drawing has them."""
    sheet, found = schemdraw.Drawing(show=False), Pins()
    for component in circuit.component:
        element = symbol_of(component)
        if element is None:
            continue
        sheet.add(element)
        names = _ANCHORS.get(component.symbol, {})
        for pin in component.pins:
            spot = element.absanchors.get(names.get(pin, pin))
            if spot is not None:
                found[f"{component.ref}.{pin}"] = (round(spot[0], 3), round(spot[1], 3))
    return found
