"""Reads parts of what others sent, whatever it is: what has another shape than it should is as if it were not there.

The checks of the schemas tell of it; the other checks go on. Pure.
"""

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]


def records_of(value: Any) -> list[Record]:
    """Give the objects in a list; none of what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts_of(value: Any) -> list[str]:
    """Give the texts in a list; none of what is no list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def named(value: Any, name: str) -> dict[str, Record]:
    """Give the objects in a list by a text that each has; of two with the same the later."""
    return {one[name]: one for one in records_of(value) if isinstance(one.get(name), str)}


def number_of(value: Any, otherwise: int) -> int:
    """Give a whole number; another where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
