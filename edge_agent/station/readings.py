"""What the last reads of a station prove, and what they don't: bad quality is neither yes nor no. Pure."""

from edge_agent.station.parts import Door, Layout, Part
from edge_agent.station.words import Plant


def is_on(plant: Plant, point: str) -> bool:
    """Whether a point was read, in good quality, and is active. False for no point at all."""
    value = plant.points.get(point)
    return value is not None and value.quality == "good" and value.value is True


def is_off(plant: Plant, point: str) -> bool:
    """Whether a point was read, in good quality, and is not active. False for no point at all."""
    value = plant.points.get(point)
    return value is not None and value.quality == "good" and value.value is False


def number(plant: Plant, point: str) -> float | None:
    """The number that a point shows; None where it is not known."""
    value = plant.points.get(point)
    if value is None or value.quality != "good" or value.value is None:
        return None
    return float(value.value)


def read_since(plant: Plant, point: str, since_s: float) -> bool:
    """Whether a point was read at `since_s` or later."""
    value = plant.points.get(point)
    return value is not None and value.read_s >= since_s


def is_silent(plant: Plant, *points: str) -> bool:
    """Whether the slave of any of these points does not answer."""
    return any(point.partition(".")[0] in plant.silent for point in points if point)


def on_battery(plant: Plant, layout: Layout) -> bool:
    """Whether the mains have failed and no generator runs."""
    return is_on(plant, layout.inputs.mains_failed) and not is_on(plant, layout.inputs.on_generator)


def part_refusal(part: Part, layout: Layout, plant: Plant) -> str:
    """Why a part is left alone now: `manual_override`, `mains_failed`; empty for no reason."""
    if is_on(plant, part.override):
        return "manual_override"
    return "mains_failed" if part.needs_mains and on_battery(plant, layout) else ""


def door_refusal(door: Door, layout: Layout, plant: Plant) -> str:
    """Why a door may not be opened now; empty for no reason that was read."""
    if is_on(plant, door.maintenance):
        return "in_maintenance"
    if is_on(plant, door.override):
        return "manual_override"
    if is_on(plant, door.obstruction):
        return "obstructed"
    return "mains_failed" if door.needs_mains and on_battery(plant, layout) else ""


def door_is_known(door: Door, plant: Plant) -> bool:
    """Whether everything that a pulse must look at first was read in good quality.

    A pulse to a door that stands open may close it, and one to a door under repair may hurt somebody. So what is not
    known counts as a reason to wait.
    """
    needed = (door.open_input, door.maintenance, door.override, door.obstruction)
    return all(is_on(plant, point) or is_off(plant, point) for point in needed if point)
