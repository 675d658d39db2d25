"""Whether the crew has said that it is off duty or at home: then nobody's place is kept or told. Pure."""

from collections.abc import Collection, Mapping

from wire.scheme import Scheme

Declared = Mapping[str, bool]
"""Of each unit that this device has declared a status of: whether the last one is private."""

NOTHING_DECLARED: Declared = {}


def note(declared: Declared, schemes: Mapping[str, Scheme], unit: str, *, scheme: str, code: str) -> Declared:
    """Note a unit's status. A scheme that this device does not know says nothing of privacy."""
    known = schemes.get(scheme)
    row = known.code(code) if known is not None else None
    return {**declared, unit: row is not None and row.private}


def is_private(declared: Declared, units: Collection[str]) -> bool:
    """Tell whether no place may be kept: every unit that it speaks for is private. While one works, it is found.

    `units` are those that it speaks for now: what was declared of one that it carried before says nothing any more.
    """
    told = [declared[unit] for unit in units if unit in declared]
    return bool(told) and all(told)
