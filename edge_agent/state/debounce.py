"""Bounce taken out of a panel's contacts, so that one push is one press. Pure.

Our own rule, for gpiozero's mock ignores bounce time and USB keypads differ (measured): the first down edge counts
at once, so no push is ever lost or late; what is waited for is the release.
"""

from collections.abc import Mapping

import msgspec

from edge_agent.decode.readings import Press

STUCK_AFTER_S = 30.0
"""A button held longer is taken for jammed, and reported."""


class Contact(msgspec.Struct, frozen=True):
    """One button's contact since its last press."""

    pressed_at_s: float
    """When the press counted."""
    up_since_s: float | None = None
    """When it last opened; None while it is closed."""
    stuck: bool = False
    """It has been reported as stuck."""


class Debounce(msgspec.Struct, frozen=True):
    """Every button that has been pressed, and how long a release must hold before the next press counts."""

    debounce_s: float
    contacts: Mapping[str, Contact] = {}


def apply(state: Debounce, press: Press, now_s: float) -> tuple[Debounce, tuple[str, ...]]:
    """Fold one edge, and name the button if it is a press. `now_s` is the monotonic clock at that edge.

    A down edge is a press if the button was never pressed or has been open for at least `debounce_s`.
    Other edges only tell how long the contact has been open. Buttons do not affect each other.
    """
    contact = state.contacts.get(press.button)
    if contact is None:
        return (_with(state, press.button, Contact(now_s)), (press.button,)) if press.down else (state, ())
    if not press.down:
        opened = contact.up_since_s if contact.up_since_s is not None else now_s
        return _with(state, press.button, msgspec.structs.replace(contact, up_since_s=opened)), ()
    if contact.up_since_s is not None and now_s - contact.up_since_s >= state.debounce_s:
        return _with(state, press.button, Contact(now_s)), (press.button,)
    return _with(state, press.button, msgspec.structs.replace(contact, up_since_s=None)), ()


def find_stuck(state: Debounce, now_s: float) -> tuple[Debounce, tuple[str, ...]]:
    """Name the buttons that have been held for more than `STUCK_AFTER_S`, each once per press."""
    found = tuple(button for button, contact in state.contacts.items() if _is_newly_stuck(contact, now_s))
    for button in found:
        state = _with(state, button, msgspec.structs.replace(state.contacts[button], stuck=True))
    return state, found


def _is_newly_stuck(contact: Contact, now_s: float) -> bool:
    return contact.up_since_s is None and not contact.stuck and now_s - contact.pressed_at_s > STUCK_AFTER_S


def _with(state: Debounce, button: str, contact: Contact) -> Debounce:
    return msgspec.structs.replace(state, contacts={**state.contacts, button: contact})
