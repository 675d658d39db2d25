"""Which mode control has put each unit in: by itself, by its base, by its organisation, or all of them. Pure.

A mode lets control try things out, and keeps what is tried out of what is sent. It ends when it is ended or by its
time, whichever is first; of several that hold for a unit the most restrictive counts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from cloud.fleet.basis import ModeSaid
from wire.events import Mode

Scope = Literal["unit", "base", "organisation", "all"]
RESTRICTIVE: tuple[Mode, ...] = ("live", "training", "test", "maintenance", "commissioning")
"""From the least to the most."""
LASTS_MAX = timedelta(hours=24)
COMMISSIONING_MAX = timedelta(days=30)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A mode that a person at control has set, or `live` where one was ended."""

    scope: Scope
    id: str = ""
    """The unit's, base's or organisation's; empty for all."""
    mode: Mode
    by: str
    reason: str
    at: datetime
    until: datetime | None = None
    """When it runs out; None for `live`."""


class Belonging(msgspec.Struct, frozen=True, kw_only=True):
    """Where a unit belongs now."""

    unit: str
    base: str
    organisation: str


def why_not(mode: Mode, until: datetime | None, now: datetime) -> str:
    """Say why a mode can't be set until then; empty where it can."""
    if mode == "live":
        return "" if until is None else "until: live has no end; leave it out"
    if until is None:
        return f"until: is missing; say when {mode} ends"
    if until <= now:
        return "until: is not in the future"
    lasts = COMMISSIONING_MAX if mode == "commissioning" else LASTS_MAX
    if until - now > lasts:
        return f"until: {mode} lasts at most {_length(lasts)}; set it again before it ends"
    return ""


class ModeBook:
    """The modes that control has set and that are not over."""

    def __init__(self, settings: Iterable[Setting] = ()) -> None:
        """Take in what was set, in order."""
        self._set: dict[tuple[Scope, str], Setting] = {}
        for setting in settings:
            self.put(setting)

    def put(self, setting: Setting) -> None:
        """Take in what a person has set. It replaces what was set for the same."""
        key = (setting.scope, setting.id)
        self._set.pop(key, None)
        if setting.mode != "live":
            self._set[key] = setting

    def drop_over(self, now: datetime) -> tuple[Setting, ...]:
        """Forget what has run out, and give it."""
        over = tuple(one for one in self._set.values() if not _holds(one, now))
        for one in over:
            del self._set[(one.scope, one.id)]
        return over

    def find(self, scope: Scope, scope_id: str) -> Setting | None:
        """What is set for just this; None for nothing."""
        return self._set.get((scope, scope_id))

    def in_force(self, now: datetime) -> tuple[Setting, ...]:
        """Everything that holds now, in the order in which it was set."""
        return tuple(one for one in self._set.values() if _holds(one, now))

    def of(self, unit: Belonging, now: datetime) -> ModeSaid | None:
        """Give the mode that holds for a unit: of several the most restrictive, then the longest. None for live.

        What holds longer than it comes with it, so that no unit is live between the two.
        """
        keys: tuple[tuple[Scope, str], ...] = (
            ("unit", unit.unit),
            ("base", unit.base),
            ("organisation", unit.organisation),
            ("all", ""),
        )
        known = [one for key in keys if (one := self._set.get(key)) is not None and _holds(one, now)]
        if not known:
            return None
        most = max(known, key=lambda one: (RESTRICTIVE.index(one.mode), one.until or one.at))
        then = None if most.until is None else self.of(unit, most.until)
        return ModeSaid(mode=most.mode, at=most.at, until=most.until, by=most.by, then=then)


def _holds(setting: Setting, now: datetime) -> bool:
    return setting.until is not None and now < setting.until


def _length(length: timedelta) -> str:
    hours = int(length.total_seconds() // 3600)
    return f"{hours} hours" if hours <= 48 else f"{length.days} days"
