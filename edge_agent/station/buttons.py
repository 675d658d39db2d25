"""What the station's own buttons say: an acknowledgement, or a cooker given back. Pure."""

import msgspec

from edge_agent.station.readings import is_off, is_on
from edge_agent.station.state import Station
from edge_agent.station.words import Acknowledged, CookerReset
from wire.events import Service

Said = Acknowledged | CookerReset


def read_buttons(station: Station) -> tuple[Station, tuple[Said, ...]]:
    """Take in how the buttons stand. One speaks when it was read as up and is now read as down, and then once.

    What could not be read in between is no such thing: a module that comes back with its inputs active has not been
    pressed, and must neither open a door nor give a cooker back.
    """
    said: list[Said] = []
    pressed = dict(station.pressed)
    for point, words in _buttons(station):
        if is_on(station.plant, point) and station.pressed.get(point) is False:
            said += words
        pressed.pop(point, None)
        if is_on(station.plant, point) or is_off(station.plant, point):
            pressed[point] = is_on(station.plant, point)
    return msgspec.structs.replace(station, pressed=pressed), tuple(said)


def _buttons(station: Station) -> list[tuple[str, list[Said]]]:
    """Every button's point, and what a press of it says now."""
    layout = station.layout
    found: list[tuple[str, list[Said]]] = [(layout.inputs.acknowledge, [Acknowledged(by="manual_input")])]
    found += [(button.input, _for_services(station, button.services)) for button in layout.buttons]
    found += [(each.reset, [CookerReset(cooker=each.id)]) for each in layout.cookers]
    return [(point, words) for point, words in found if point]


def _for_services(station: Station, services: tuple[Service, ...]) -> list[Said]:
    """An acknowledgement for each unit of these services that is called."""
    return [
        Acknowledged(order=live.call.order, by="manual_input", unit=unit.unit)
        for live in station.live
        for unit in live.call.units
        if unit.service in services
    ]
