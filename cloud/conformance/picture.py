"""What a client holds that follows the feed: the reference for servers and consumers. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cloud.conformance.shapes import Record, named, texts_of

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_FLEETING = ("as_of", "cursor", "ages", "status_s", "position_s", "link_s", "position", "valid_until")
"""What is another from one moment to the next, though the unit stands as it was."""


class Picture:
    """Units by name, as a client holds them."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.units: dict[str, Record] = {}
        self.alarms: dict[str, Record] = {}
        self.is_whole = False
        """Whether a whole snapshot has come."""
        self._parts: list[Record] = []

    def copy(self) -> "Picture":
        """Give one that goes on by itself."""
        other = Picture()
        other.units, other.alarms, other.is_whole = dict(self.units), dict(self.alarms), self.is_whole
        return other

    def apply(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take an event in. Kinds that it does not know change nothing."""
        if kind == "snapshot":
            self._snapshot(data)
        elif kind == "changes":
            self.units.update(named(data.get("records"), "unit"))
            for unit in texts_of(data.get("gone")):
                self._let_go(unit)
            self._close_alarms()
        elif kind == "alarms":
            self.alarms.update(named(data.get("alarms"), "alarm"))
            self.alarms = {name: alarm for name, alarm in self.alarms.items() if alarm.get("active")}

    def _snapshot(self, data: Mapping[str, Any]) -> None:
        self._parts = [data] if data.get("part") == 1 else [*self._parts, data]
        if data.get("part") == data.get("parts"):
            self.units = {name: one for part in self._parts for name, one in named(part.get("records"), "unit").items()}
            self.alarms, self._parts, self.is_whole = {}, [], True

    def _let_go(self, unit: str) -> None:
        self.units.pop(unit, None)
        self.alarms = {name: alarm for name, alarm in self.alarms.items() if alarm.get("unit") != unit}

    def _close_alarms(self) -> None:
        """Let go of the emergencies of units whose `alarms` are no longer opened."""
        shut = [unit for unit, one in self.units.items() if "grants" in one and "alarms" not in texts_of(one["grants"])]
        self.alarms = {name: alarm for name, alarm in self.alarms.items() if alarm.get("unit") not in shut}


def differences(ours: Mapping[str, Record], theirs: Mapping[str, Record]) -> Iterator[str]:
    """Tell in what two pictures differ that should be the same, one word for each unit. Ages and places may."""
    for unit in sorted(ours.keys() | theirs.keys()):
        if unit not in theirs:
            yield f"{unit} is on the feed only"
        elif unit not in ours:
            yield f"{unit} is in the list only"
        else:
            for field in sorted(ours[unit].keys() | theirs[unit].keys()):
                if lasting(ours[unit], field) != lasting(theirs[unit], field):
                    yield f"{unit}.{field}"


def lasting(record: Record, field: str) -> Any:
    """Give what lasts of a field: whether there is a value at all, of one that changes by the moment."""
    if field not in record:
        return "absent"
    if field in _FLEETING:
        return record[field] is None if field == "position" else "there"
    if field == "reasons" and isinstance(record[field], list):
        return [{**reason, "age_s": None, "text": None} for reason in record[field] if isinstance(reason, dict)]
    return _as_meant(record[field])


def _as_meant(value: Any) -> Any:
    """Give a value with its times as times: one moment may be written in many ways."""
    if isinstance(value, dict):
        return {name: _as_meant(one) for name, one in value.items()}
    if isinstance(value, list):
        return list(map(_as_meant, value))
    if isinstance(value, str) and _TIME.match(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value
