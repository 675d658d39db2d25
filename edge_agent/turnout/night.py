"""Whether it is night at a station, by its own clock on the wall."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge_agent.errors import Fatal
from edge_agent.station.parts import Night


def find_zone(night: Night | None) -> ZoneInfo | None:
    """Find the time zone that the layout names. Raises `Fatal`, in one line, where the machine does not know it."""
    if night is None:
        return None
    try:
        return ZoneInfo(night.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Fatal(
            f"the station's night.zone {night.zone!r} is no time zone of this machine: install tzdata, or correct it"
        ) from error


def is_night(night: Night | None, zone: ZoneInfo | None, at: datetime) -> bool:
    """Tell whether `at` lies in the station's night, which may go over midnight; never where it has none."""
    if night is None or zone is None:
        return False
    clock = at.astimezone(zone).strftime("%H:%M")
    if night.start <= night.until:
        return night.start <= clock < night.until
    return clock >= night.start or clock < night.until
