"""Which units were covert until lately: a process that starts must not show others where those were before."""

import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from cloud.directory import Directory
from cloud.ledger import DirectoryRow

LATELY = timedelta(days=1)
"""How long before a start it is looked. A place that is older is that of nobody who was heard since."""
_BEFORE = timedelta(microseconds=1)
_decode_texts = msgspec.json.Decoder(dict[str, str]).decode


def find_uncovered(
    directory_at: Callable[[datetime], DirectoryRow | None], directory: Directory, now: datetime
) -> dict[str, datetime]:
    """Give the units that others may know of and that were covert lately, or whose vehicle carried one that was.

    Each with when that ended. A directory that was never in force before now comes into force now. Blocks; raises what
    `directory_at` does.
    """
    found: dict[str, datetime] = {}
    until, row = now, directory_at(now)
    while row is not None:
        if row.version != directory.version:
            carriers = _secret(row)
            for unit in directory.units.values():
                if unit.carrier in carriers and not unit.covert:
                    found.setdefault(unit.id, until)
        if now - row.at > LATELY:
            break
        until, row = row.at, directory_at(row.at - _BEFORE)
    return found


def _secret(row: DirectoryRow) -> set[str]:
    """Give the devices that carry a covert unit."""
    texts = (text for name, text in _decode_texts(row.body).items() if name.endswith(".toml") and "covert" in text)
    units = (unit for text in texts for unit in tomllib.loads(text).get("unit", ()))
    return {unit["carrier"] for unit in units if unit.get("covert")}
