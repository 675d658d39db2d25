"""What must hold of agreements, covers and partners, and what the rules of sharing make of them. Pure."""

from collections.abc import Iterator

from cloud.directory.rows import AgreementRow, CoverRow, Directory, Unit
from cloud.directory.tables import Known, Placed, Tables, absent, repeated
from cloud.sharing.terms import Agreement, Covers, SharedUnit
from wire.strict import Problem


def sharing_problems(tables: Tables, known: Known) -> Iterator[Problem]:
    """Tell everything that can be wrong with who shares what with whom."""
    for rows in (tables.agreements, tables.covers):
        yield from repeated(rows, "id", lambda row: row.id, "an id of its own")
    yield from repeated(tables.partners, "organisation", lambda row: row.organisation, "one partner an organisation")
    yield from repeated(tables.partners, "token_sha256", lambda row: row.token_sha256, "a token of its own")
    for agreement in tables.agreements:
        yield from _agreement(agreement, tables, known)
    for cover in tables.covers:
        yield from _cover(cover, known)
    for partner in tables.partners:
        yield from absent(partner, "organisation", "organisation", partner.row.organisation, known.organisation)


def _agreement(placed: Placed[AgreementRow], tables: Tables, known: Known) -> Iterator[Problem]:
    row = placed.row
    yield from absent(placed, "owner", "organisation", row.owner, known.organisation)
    yield from absent(placed, "partner", "organisation", row.partner, known.organisation)
    if row.owner == row.partner:
        yield placed.problem("partner", "is the owner itself", "another organisation: its own units are its own to see")
    for index, unit in enumerate(row.covers.units):
        yield from absent(placed, f"covers.units[{index}]", "unit", unit, known.unit)
        owners = {each.row.organisation for each in tables.units if each.row.id == unit}
        if owners and row.owner not in owners:
            yield placed.problem(f"covers.units[{index}]", f"{unit!r} is not {row.owner!r}'s", "a unit of the owner")
    for index, base in enumerate(row.covers.bases):
        yield from absent(placed, f"covers.bases[{index}]", "base", base, known.base)
    if (row.when == "major_incident") != (row.incident is not None):
        yield placed.problem(
            "incident",
            "is given without `when`" if row.incident else "is missing",
            'the name of a major incident, with when = "major_incident" and only then',
        )
    if (row.precision_m or row.delay_s) and "position" not in row.fields:
        key = "precision_m" if row.precision_m else "delay_s"
        yield placed.problem(key, "says something of positions, which are not among `fields`", "position, or neither")
    yield from _times(placed)


def _cover(placed: Placed[CoverRow], known: Known) -> Iterator[Problem]:
    row = placed.row
    yield from absent(placed, "room", "control room", row.room, known.control_room)
    yield from absent(placed, "covered_by", "control room", row.covered_by, known.control_room)
    if row.room == row.covered_by:
        yield placed.problem("covered_by", "is the room itself", "another room")
    yield from _times(placed)


def _times(placed: Placed[AgreementRow] | Placed[CoverRow]) -> Iterator[Problem]:
    row = placed.row
    if row.valid_from is not None and row.valid_until is not None and row.valid_from >= row.valid_until:
        yield placed.problem("valid_until", "is not after `valid_from`", "a later time")


def agreements_of(directory: Directory) -> tuple[Agreement, ...]:
    """Give every agreement as the rules of sharing go by it."""
    return tuple(
        Agreement(
            id=row.id,
            owner=row.owner,
            partner=row.partner,
            purpose=row.purpose,
            covers=Covers(
                units=row.covers.units,
                types=row.covers.types,
                bases=row.covers.bases,
                capabilities=row.covers.capabilities,
            ),
            fields=frozenset(row.fields),
            precision_m=row.precision_m or 0,
            delay_s=row.delay_s or 0,
            when=row.when,
            incident=row.incident or "",
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
        for row in directory.agreements.values()
    )


def shared_unit(unit: Unit, *, private: bool, incident: str) -> SharedUnit:
    """Give a unit as agreements speak of it. `private`: it is off duty, or at home."""
    return SharedUnit(
        id=unit.id,
        organisation=unit.organisation,
        type=unit.type,
        base=unit.home or unit.base,
        capabilities=unit.capabilities,
        hidden=unit.covert or private,
        incident=incident,
    )
