"""The cables of a pin map that `check` has passed, as WireViz reads them: a file for each. Pure.

One drawing for each cable: all in one is too wide to print, and a cable is what a person makes at a time.
"""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from html import escape as html_escape

from kit.pinmap import Cable, Core, Pinmap

escape = partial(html_escape, quote=False)
"""Words as graphviz wants them in what it lays out as a table."""
_FAR = "Far"
"""What the other end is called in the text; in the drawing it has its words alone."""


def harness(pinmap: Pinmap) -> dict[str, str]:
    """Write them: the file's name, and its text in YAML. The same pin map always gives the same bytes."""
    titles = {place: escape(title) for place, title in pinmap.titles().items()}
    return {f"harness-{cable.name}.yml": "\n".join(_cable(cable, pinmap, titles)) + "\n" for cable in pinmap.cable}


def _cable(cable: Cable, pinmap: Pinmap, titles: dict[str, str]) -> Iterator[str]:
    yield f"# {pinmap.board.title}, {cable.title}, for WireViz 0.4."
    yield "# Generated from pinmap.toml by `make kit`: edit that. Not built, and not tested on hardware."
    yield "options: {mini_bom_mode: false}"
    yield "connectors:"
    for connector in pinmap.connector:
        if connector.name in cable.on:
            numbers = range(1, connector.pins + 1)
            labels = [titles.get(f"{connector.name}.{number}", "left open") for number in numbers]
            notes = json.dumps(f"{escape(pinmap.board.title)}: not built or tested")
            yield from _block(connector.name, escape(connector.title), list(numbers), labels, (f"    notes: {notes}",))
    fars = [_far(core) for core in cable.core]
    yield from _block(_FAR, escape(cable.to), fars, [], ("    show_name: false",))
    yield "cables:"
    yield from _wires(cable)
    yield "connections:"
    for name in cable.on:
        yield from _connections(cable, name)


def _block(
    name: str, title: str, pins: Sequence[object], labels: Sequence[str], more: Sequence[str] = ()
) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    type: {json.dumps(title)}"
    yield "    show_pincount: false"
    yield from more
    yield f"    pins: {json.dumps(pins)}"
    if labels:
        yield f"    pinlabels: {json.dumps(labels)}"


def _wires(cable: Cable) -> Iterator[str]:
    yield f"  {cable.name}:"
    yield f"    type: {json.dumps(escape(cable.title))}"
    yield f"    gauge: {cable.gauge_mm2:g} mm2"
    yield f"    length: {cable.length_m:g}"
    yield f"    colors: {json.dumps([core.colour for core in cable.core])}"
    if any(core.pair for core in cable.core):
        yield f"    wirelabels: {json.dumps([_label(core) for core in cable.core])}"
    yield "    show_wirenumbers: false"
    if cable.shield is not None:
        yield "    shield: true"
        yield f"    notes: {json.dumps(f'Shield to: {escape(cable.shield)}')}"


def _far(core: Core) -> str:
    """The core's other end. Bare figures, which WireViz would take for numbers of pins, get a word before them."""
    figures = core.far.replace("-", "").isdecimal()
    return f"pin {core.far}" if figures else escape(core.far)


def _label(core: Core) -> str:
    return "single core" if core.pair is None else f"twisted pair {core.pair}"


def _connections(cable: Cable, name: str) -> Iterator[str]:
    here = [(number, core) for number, core in enumerate(cable.core, 1) if core.pin.partition(".")[0] == name]
    yield f"- - {name}: {json.dumps([int(core.pin.partition('.')[2]) for _, core in here])}"
    yield f"  - {cable.name}: {json.dumps([number for number, _ in here])}"
    yield f"  - {_FAR}: {json.dumps([_far(core) for _, core in here])}"
