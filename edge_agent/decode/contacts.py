"""Contacts that are read as levels (a GPIO line, a Modbus input) become presses. Pure.

A contact that is closed when it is first read is no press, or a jammed button would declare its status with every
start of the agent: it is a fault, and no press until it has been let go.
"""

from collections.abc import Mapping

import msgspec

from edge_agent.decode.readings import Press, SourceFault

ContactReading = Press | SourceFault


class Contacts(msgspec.Struct, frozen=True):
    """What is known of a panel's contacts, by button."""

    closed: Mapping[str, bool] = {}
    """Each contact whose level is known."""
    barred: frozenset[str] = frozenset()
    """Closed since they were first read: no press until let go."""


def fold_levels(contacts: Contacts, levels: Mapping[str, bool | None]) -> tuple[Contacts, tuple[ContactReading, ...]]:
    """Fold what was read of each button; None is a level that could not be read, and releases what was held."""
    readings: list[ContactReading] = []
    for button, level in levels.items():
        contacts, found = _forget(contacts, button) if level is None else fold_edge(contacts, button, level)
        readings += found
    return contacts, tuple(readings)


def fold_edge(contacts: Contacts, button: str, closed: bool) -> tuple[Contacts, tuple[ContactReading, ...]]:
    """Fold one contact's new level. The same level again is nothing."""
    before = contacts.closed.get(button)
    if before is closed:
        return contacts, ()
    levels = {**contacts.closed, button: closed}
    if before is None:
        barred = contacts.barred | {button} if closed else contacts.barred
        return Contacts(levels, barred), _held_at_start(button) if closed else ()
    if button in contacts.barred:
        return Contacts(levels, contacts.barred - {button}), _let_go(button)
    return Contacts(levels, contacts.barred), (Press(button, closed),)


def release(contacts: Contacts) -> tuple[ContactReading, ...]:
    """Releases for every button held: for a panel that has gone."""
    return fold_levels(contacts, dict.fromkeys(contacts.closed))[1]


def _forget(contacts: Contacts, button: str) -> tuple[Contacts, tuple[ContactReading, ...]]:
    """Know nothing of a contact any more. When it is read again, a closed one is closed since then."""
    known = {name: closed for name, closed in contacts.closed.items() if name != button}
    forgotten = Contacts(known, contacts.barred - {button})
    if button in contacts.barred:
        return forgotten, _let_go(button)
    return forgotten, (Press(button, False),) if contacts.closed.get(button) else ()


def _held_at_start(button: str) -> tuple[SourceFault, ...]:
    text = f"button {button} is held down since before it was first read: let it go, or mend it"
    return (SourceFault(f"panel {button}", text),)


def _let_go(button: str) -> tuple[SourceFault, ...]:
    return (SourceFault(f"panel {button}", ""),)
