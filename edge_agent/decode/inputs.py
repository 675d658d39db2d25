"""Levels of the device's own contacts become input values, bounce taken out. Pure.

A contact counts once it has held for the debounce time, both ways: nobody waits for an ignition. What must be known at
once (`prompt`, the supply's failure) counts with its first edge, for what runs on a hold-up store has seconds; only its
end is waited for. All times are seconds of the monotonic clock.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from edge_agent.decode.readings import InputValue, SourceFault

InputReading = InputValue | SourceFault

SUPPLY_FAILED = "the supply has failed: running on the hold-up store"


class InputRules(msgspec.Struct, frozen=True, kw_only=True):
    """How contacts are read."""

    debounce_s: float
    prompt: frozenset[str] = frozenset()
    """The inputs that are a fault while they are on, and count at once."""


class Contact(msgspec.Struct, frozen=True):
    """One contact whose level is known."""

    told: bool
    """What was last told of it."""
    level: bool
    """The newest level."""
    since_s: float
    """When it came to that level."""


Contacts = Mapping[str, Contact]


def fold(
    contacts: Contacts, levels: Iterable[tuple[str, bool]], now_s: float, rules: InputRules
) -> tuple[Contacts, tuple[InputReading, ...]]:
    """Take in levels, in their order, and what time alone has settled since. The first level of a contact counts."""
    held = dict(contacts)
    readings: list[InputReading] = []
    for name, level in levels:
        before = held.get(name)
        if before is None:
            held[name] = Contact(level, level, now_s)
            readings += _tell(name, level, rules)
            continue
        if level is not before.level:
            before = Contact(before.told, level, now_s)
        if level and not before.told and name in rules.prompt:
            before = Contact(True, level, before.since_s)
            readings += _tell(name, True, rules)
        held[name] = before
    for name, one in held.items():
        if one.level is not one.told and now_s >= one.since_s + rules.debounce_s:
            held[name] = Contact(one.level, one.level, one.since_s)
            readings += _tell(name, one.level, rules)
    return held, tuple(readings)


def due_s(contacts: Contacts, rules: InputRules) -> float | None:
    """When `fold` next has something to tell if no level changes; None where nothing is waited for."""
    waiting = [one.since_s + rules.debounce_s for one in contacts.values() if one.level is not one.told]
    return min(waiting, default=None)


def lose(names: Collection[str], rules: InputRules) -> tuple[InputReading, ...]:
    """Tell that nothing is known of any of these inputs any more."""
    bad = (InputValue(name, None, "bad") for name in names)
    return (*bad, *(SourceFault(name, "") for name in names if name in rules.prompt))


def _tell(name: str, on: bool, rules: InputRules) -> tuple[InputReading, ...]:
    value = InputValue(name, on)
    return (value, SourceFault(name, SUPPLY_FAILED if on else "")) if name in rules.prompt else (value,)
