"""What telemetry promises, whichever database is behind it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from cloud.telemetry.rows import InputRow, Owned, PositionRow


class Telemetry(Protocol):
    """A store of positions and sensor series.

    Synchronous. `append`, `drop_before` and `close` belong to one thread; the rest may come from any other at the
    same time and sees whole appends only. `drop_before` may also be another thread's than `append`, for days that
    are over. Every method raises `Retryable` (a full or failing disk, a database that is away) or `Fatal`.

    Copies of a record (the same device, stream and sequence) may be appended any number of times. A read gives the
    record once: the copy that comes first by (corrected_at, received_at) among those in the window asked for.
    """

    def append(self, positions: Sequence[PositionRow], inputs: Sequence[InputRow]) -> None:
        """Make all of it durable, or raise; it may then be tried again as it is. Nothing is ever stored in part."""
        ...

    def latest(self) -> list[PositionRow]:
        """Where each device is, for a process that starts: one or two rows a device, ordered by device.

        The first is the device's newest row by (corrected_at, seq). Where that one has no position (`fix` is `none`),
        the second is the newest that has, if there is one. An adapter may look back a few days only.
        """
        ...

    def series(self, unit: str, since: datetime, until: datetime, limit: int) -> list[PositionRow]:
        """A unit's positions with `since` <= corrected_at < `until`, by (corrected_at, seq): the first `limit`."""
        ...

    def inputs_of_unit(self, unit: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """What a unit's input read, with the same window, order and limit as `series`."""
        ...

    def inputs_of_device(self, device: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """What a device's input read, with the same window, order and limit as `series`."""
        ...

    def drop_before(self, day: date) -> None:
        """Forget what was received before that UTC day. A row may stay longer, never shorter."""
        ...

    def days(self) -> list[date]:
        """The UTC days of receipt that anything is kept of, oldest first."""
        ...

    def forget(self, day: date, positions: Owned, inputs: Owned) -> int:
        """Forget what these sent that was received on a finished UTC day. Returns how many rows it was.

        May run beside everything else. It is done as a whole or, where the day is being written to, not at all: then 0.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections. Nothing that was appended depends on it."""
        ...
