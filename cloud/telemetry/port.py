"""What telemetry promises, whichever database is behind it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from cloud.telemetry.rows import InputRow, PositionRow


class Telemetry(Protocol):
    """A store of positions and sensor series.

    Synchronous. `append`, `drop_before` and `close` belong to one thread; reads may come from any other at the same
    time and see whole appends only. Every method raises `Retryable` (a full or failing disk, a database that is away)
    or `Fatal`.

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

    def close(self) -> None:
        """Let go of files and connections. Nothing that was appended depends on it."""
        ...
