"""Holds messages against the published schemas, and records against what a partner was granted."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, FormatChecker

from wire.partner import FIELDS_OF, PartnerRecord
from wire.publish import schema

COMPLAINTS_MAX = 3
"""How many of one message's errors are told."""
EVENTS = {
    False: ("snapshot", "changes", "orders", "alarms", "tick"),
    True: ("snapshot", "changes", "alarms", "tick"),
}
"""The kinds of events, by whether it is a partner's feed."""
_FORMATS = FormatChecker(formats=())


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_FORMATS.checks("date-time")(_is_time)


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name), format_checker=_FORMATS)


def complaints(name: str, message: Any) -> Iterator[str]:
    """Tell where a message leaves its published schema, a few places at most."""
    for number, error in enumerate(_validator(name).iter_errors(message)):
        if number == COMPLAINTS_MAX:
            return
        place = ".".join(map(str, error.absolute_path)) or "it"
        yield f"{place}: {error.message[:200]}"


def schema_of(kind: str, *, is_partners: bool) -> str:
    """Name the schema of an event's data."""
    return f"{'partner' if is_partners and kind != 'tick' else 'feed'}-{kind}"


_JSON_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(PartnerRecord)}
_GRANTED = {grant: tuple(_JSON_NAMES[field] for field in fields) for grant, fields in FIELDS_OF.items()}


def withheld(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell which fields of a partner's record are there though nothing opens them, be they null or empty."""
    grants = record.get("grants")
    for grant, fields in _GRANTED.items():
        if not isinstance(grants, list) or grant not in grants:
            yield from (field for field in fields if field in record)


def missing(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell which fields of a partner's record are opened and yet not there."""
    grants = record.get("grants")
    for grant, fields in _GRANTED.items():
        if isinstance(grants, list) and grant in grants:
            yield from (field for field in fields if field not in record)
