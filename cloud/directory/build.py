"""From the files' texts to a checked `Directory`, or to every problem at once. Pure."""

import hashlib
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from cloud.directory.check import Known, Placed, Row, Tables, cross_check
from cloud.directory.rows import Base, Device, Directory, Organisation, Unit, UnitRow
from wire.scheme import Scheme, assemble
from wire.strict import Problem, convert, in_file

Parsed = Mapping[str, Mapping[str, Any]]
"""Each file's content, by the file's name."""


class File(msgspec.Struct, frozen=True):
    """What one file of the directory may hold."""

    organisation: tuple[Organisation, ...] = ()
    base: tuple[Base, ...] = ()
    unit: tuple[UnitRow, ...] = ()
    device: tuple[Device, ...] = ()


def build(
    files: Mapping[str, str],
    packaged_schemes: Mapping[str, str],
    site_schemes: Mapping[str, str],
    unread: tuple[Problem, ...] = (),
) -> Directory | tuple[Problem, ...]:
    """Make the directory of the texts (by file name), or tell every problem, at least one, with those of `unread`.

    While a file can't be used at all, rows are not blamed for referring to what may stand there.
    """
    parsed, unparsed = _parse(files)
    problems = [*unread, *unparsed]
    whole = not problems
    for name, data in parsed.items():
        found = convert(data, File)
        problems += [in_file(name, problem) for problem in found] if isinstance(found, tuple) else []
    schemes, scheme_problems = assemble(packaged_schemes, site_schemes)
    problems += scheme_problems
    tables = _tables(parsed)
    problems += cross_check(tables, _known(parsed, None if scheme_problems else schemes, whole=whole))
    return tuple(problems) or _directory(tables, schemes, _version({**files, **site_schemes}))


def _parse(files: Mapping[str, str]) -> tuple[Parsed, list[Problem]]:
    parsed: dict[str, dict[str, Any]] = {}
    problems = []
    for name, text in files.items():
        try:
            parsed[name] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            problems.append(Problem(name, f"is not TOML: {error}", "a TOML file"))
    return parsed, problems


def _tables(parsed: Parsed) -> Tables:
    return Tables(
        _rows(parsed, "organisation", Organisation),
        _rows(parsed, "base", Base),
        _rows(parsed, "unit", UnitRow),
        _rows(parsed, "device", Device),
    )


def _rows(parsed: Parsed, table: str, kind: type[Row]) -> tuple[Placed[Row], ...]:
    found = ((place, convert(raw, kind)) for place, raw in _raw_rows(parsed, table))
    return tuple(Placed(row, place) for place, row in found if not isinstance(row, tuple))


def _raw_rows(parsed: Parsed, table: str) -> Iterator[tuple[str, Any]]:
    for name, data in parsed.items():
        rows = data.get(table, ())
        for index, raw in enumerate(rows if isinstance(rows, list) else ()):
            yield f"{name}: {table}[{index}]", raw


def _known(parsed: Parsed, schemes: Collection[str] | None, *, whole: bool) -> Known:
    if not whole:
        return Known(None, None, None, None, None)
    return Known(
        organisations=_ids(parsed, "organisation"),
        bases=_ids(parsed, "base"),
        units=_ids(parsed, "unit"),
        devices=_ids(parsed, "device"),
        schemes=schemes,
    )


def _ids(parsed: Parsed, table: str) -> Collection[str]:
    ids = (raw.get("id") for _, raw in _raw_rows(parsed, table) if isinstance(raw, dict))
    return dict.fromkeys(name for name in ids if isinstance(name, str))


def _directory(tables: Tables, schemes: dict[str, Scheme], version: str) -> Directory:
    organisations = {each.row.id: each.row for each in tables.organisations}
    units = {each.row.id: _resolved(each.row, organisations) for each in tables.units}
    carried = {unit.carrier: unit.id for unit in units.values()}
    return Directory(
        organisations=organisations,
        bases={each.row.id: each.row for each in tables.bases},
        units=units,
        devices={each.row.id: _with_carried(each.row, carried.get(each.row.id)) for each in tables.devices},
        schemes=schemes,
        version=version,
    )


def _resolved(row: UnitRow, organisations: Mapping[str, Organisation]) -> Unit:
    return Unit(**msgspec.structs.asdict(row), service=organisations[row.organisation].service)


def _with_carried(device: Device, carried: str | None) -> Device:
    if carried is None:
        return device
    others = tuple(unit for unit in device.units if unit != carried)
    return msgspec.structs.replace(device, units=(carried, *others))


def _version(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]
