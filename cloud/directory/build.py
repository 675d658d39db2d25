"""From the files' texts to a checked `Directory`, or to every problem at once. Asks the machine for time zones only."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import msgspec

from cloud.directory.areas import Feature, ids_of, read_areas
from cloud.directory.check import cross_check
from cloud.directory.resolve import resolve
from cloud.directory.rows import (
    AgreementRow,
    Base,
    ControlRoom,
    CoverRow,
    Device,
    Directory,
    Organisation,
    Partner,
    UnitRow,
    Vehicle,
)
from cloud.directory.shifts import Shift
from cloud.directory.tables import Known, Placed, Row, Tables
from wire.scheme import Scheme, assemble
from wire.strict import Problem, convert, in_file, read_toml

Parsed = Mapping[str, Mapping[str, Any]]
"""Each file's content, by the file's name."""


class File(msgspec.Struct, frozen=True):
    """What one TOML file of the directory may hold."""

    organisation: tuple[Organisation, ...] = ()
    base: tuple[Base, ...] = ()
    vehicle: tuple[Vehicle, ...] = ()
    unit: tuple[UnitRow, ...] = ()
    device: tuple[Device, ...] = ()
    shift: tuple[Shift, ...] = ()
    control_room: tuple[ControlRoom, ...] = ()
    agreement: tuple[AgreementRow, ...] = ()
    cover: tuple[CoverRow, ...] = ()
    partner: tuple[Partner, ...] = ()


def build(
    files: Mapping[str, str],
    packaged_schemes: Mapping[str, str],
    site_schemes: Mapping[str, str],
    areas: Mapping[str, str] | None = None,
    *,
    unread: tuple[Problem, ...] = (),
) -> Directory | tuple[Problem, ...]:
    """Make the directory of the texts (by file name), or tell every problem, at least one, with those of `unread`.

    While a file can't be used at all, rows are not blamed for referring to what may stand there.
    """
    areas = areas or {}
    parsed, unparsed = _parse(files)
    problems = [*unread, *unparsed]
    for name, data in parsed.items():
        found = convert(data, File)
        problems += [in_file(name, problem) for problem in found] if isinstance(found, tuple) else []
    schemes, scheme_problems = assemble(packaged_schemes, site_schemes)
    problems += scheme_problems
    ground, ground_problems, unread_ground = _read_ground(areas)
    problems += ground_problems
    tables = _tables(parsed, ground)
    known = Known()
    if not (unread or unparsed or unread_ground):
        known = _known(parsed, areas, None if scheme_problems else schemes)
    problems += cross_check(tables, known)
    texts = {**files, **site_schemes, **areas}
    return tuple(problems) or _directory(tables, schemes, texts)


def _parse(files: Mapping[str, str]) -> tuple[Parsed, list[Problem]]:
    parsed: dict[str, dict[str, Any]] = {}
    problems = []
    for name, text in files.items():
        try:
            parsed[name] = _plain(read_toml(text))
        except (ValueError, RecursionError) as error:
            problems.append(Problem(name, f"is not TOML: {error}", "a TOML file"))
    return parsed, problems


def _plain(value: Any) -> Any:
    """Give TOML's own dates and times as the texts that rows take: 2026-11-02 is as good as "2026-11-02"."""
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case date() if not isinstance(value, datetime):
            return value.isoformat()
        case time(second=0, microsecond=0):
            return value.isoformat("minutes")
        case _:
            return value


def _read_ground(areas: Mapping[str, str]) -> tuple[list[Feature], list[Problem], bool]:
    """Read every area file; the last says whether one of them can't be used at all."""
    ground: list[Feature] = []
    problems: list[Problem] = []
    unread = False
    for name, text in areas.items():
        found, faults = read_areas(text)
        ground += (msgspec.structs.replace(each, path=f"{name}: {each.path}") for each in found)
        problems += (in_file(name, fault) for fault in faults)
        unread = unread or any(not fault.path for fault in faults)
    return ground, problems, unread


def _tables(parsed: Parsed, ground: list[Feature]) -> Tables:
    return Tables(
        organisations=_rows(parsed, "organisation", Organisation),
        bases=_rows(parsed, "base", Base),
        vehicles=_rows(parsed, "vehicle", Vehicle),
        units=_rows(parsed, "unit", UnitRow),
        devices=_rows(parsed, "device", Device),
        control_rooms=_rows(parsed, "control_room", ControlRoom),
        shifts=_rows(parsed, "shift", Shift),
        areas=tuple(Placed(each.area, each.path) for each in ground),
        agreements=_rows(parsed, "agreement", AgreementRow),
        covers=_rows(parsed, "cover", CoverRow),
        partners=_rows(parsed, "partner", Partner),
    )


def _rows(parsed: Parsed, table: str, kind: type[Row]) -> tuple[Placed[Row], ...]:
    found = ((place, convert(raw, kind)) for place, raw in _raw_rows(parsed, table))
    return tuple(Placed(row, place) for place, row in found if not isinstance(row, tuple))


def _raw_rows(parsed: Parsed, table: str) -> Iterator[tuple[str, Any]]:
    for name, data in parsed.items():
        rows = data.get(table, ())
        for index, raw in enumerate(rows if isinstance(rows, list) else ()):
            yield f"{name}: {table}[{index}]", raw


def _known(parsed: Parsed, areas: Mapping[str, str], schemes: Mapping[str, Scheme] | None) -> Known:
    return Known(
        organisation=_ids(parsed, "organisation"),
        base=_ids(parsed, "base"),
        unit=_ids(parsed, "unit"),
        device=_ids(parsed, "device"),
        shift=_ids(parsed, "shift"),
        area=dict.fromkeys(name for text in areas.values() for name in ids_of(text)),
        control_room=_ids(parsed, "control_room"),
        scheme=schemes,
        crew_groups=Counter(_values(parsed, "unit", "crew_group")),
    )


def _ids(parsed: Parsed, table: str) -> dict[str, None]:
    return dict.fromkeys(_values(parsed, table, "id"))


def _values(parsed: Parsed, table: str, key: str) -> Iterator[str]:
    """What rows say under a key, also those with other faults."""
    values = (raw.get(key) for _, raw in _raw_rows(parsed, table) if isinstance(raw, dict))
    return (value for value in values if isinstance(value, str))


def _directory(tables: Tables, schemes: dict[str, Scheme], texts: dict[str, str]) -> Directory:
    organisations = {each.row.id: each.row for each in tables.organisations}
    vehicles = {each.row.id: each.row for each in tables.vehicles}
    units = resolve([each.row for each in tables.units], organisations, vehicles)
    carried = {unit.carrier: unit.id for unit in units.values()}
    return Directory(
        organisations=organisations,
        bases={each.row.id: each.row for each in tables.bases},
        vehicles=vehicles,
        units=units,
        devices={each.row.id: _with_carried(each.row, carried.get(each.row.id)) for each in tables.devices},
        shifts={each.row.id: each.row for each in tables.shifts},
        areas={each.row.id: each.row for each in tables.areas},
        control_rooms={each.row.id: each.row for each in tables.control_rooms},
        agreements={each.row.id: each.row for each in tables.agreements},
        covers={each.row.id: each.row for each in tables.covers},
        partners={each.row.organisation: each.row for each in tables.partners},
        schemes=schemes,
        version=version_of(texts),
        texts=texts,
    )


def _with_carried(device: Device, carried: str | None) -> Device:
    if carried is None:
        return device
    others = tuple(unit for unit in device.units if unit != carried)
    return msgspec.structs.replace(device, units=(carried, *others))


def version_of(files: Mapping[str, str]) -> str:
    """Give 12 hex digits of the SHA-256 over names and texts: the same content, the same version."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]
