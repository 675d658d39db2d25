"""What became of an order between two looks at it, for the ledger's log."""

from collections.abc import Iterator

import msgspec

from cloud.dispatch.words import Order

Entry = tuple[str, bytes]
"""What happened, and what is to be known of it, as JSON."""


def tell_changes(before: Order, after: Order) -> Iterator[Entry]:
    """Tell of each phase that was reached, each alarm that was raised or cleared, and of being put away."""
    for phase in after.phases[len(before.phases) :]:
        yield "phase", msgspec.json.encode(phase)
    standing = {(one.code, one.text) for one in before.alarms if not one.cleared}
    for alarm in after.alarms[len(before.alarms) :]:
        yield "alarm", msgspec.json.encode(alarm)
    for alarm in after.alarms[: len(before.alarms)]:
        if alarm.cleared and (alarm.code, alarm.text) in standing:
            yield "alarm_cleared", msgspec.json.encode(alarm)
    if after.rested and not before.rested:
        yield "put_away", b"{}"
