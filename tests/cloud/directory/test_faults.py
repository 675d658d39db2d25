"""Every fault that a directory can have is told in its own words, with its file and row, and nothing else is."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cloud.directory import Directory
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from tests.cloud.directory.shire import AREA_FILE, AREAS, FILES, shire

FAULTS = tomllib.loads((Path(__file__).parent / "faults.toml").read_text(encoding="utf-8"))["fault"]


def told_of(changes: dict[str, str]) -> list[str]:
    """What is told of the shire with some files' whole texts changed."""
    files = {name: changes.get(name, text) for name, text in FILES.items()}
    areas = {AREA_FILE: changes.get(AREA_FILE, AREAS)}
    built = build(files, read_packaged(), {}, areas)
    return [] if isinstance(built, Directory) else [str(problem) for problem in built]


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{place}-{one['file']}" for place, one in enumerate(FAULTS)])
def test_each_fault_is_told_in_exactly_its_lines(fault: dict[str, Any]) -> None:
    """One place of one file is wrong: the lines that say so, word for word, and no row that is right is blamed."""
    text = {**FILES, AREA_FILE: AREAS}[fault["file"]]
    assert fault["written"] in text
    assert fault["told"] == told_of({fault["file"]: text.replace(fault["written"], fault["changed"], 1)})


def test_there_is_a_fault_for_every_rule() -> None:
    """The table has faults of every file of the shire."""
    assert len(FAULTS) >= 80
    assert {*FILES, AREA_FILE} == {fault["file"] for fault in FAULTS}


def test_faults_of_all_files_are_told_at_once() -> None:
    """A wrong shift, vehicle, crew and area in four files are told in one go."""
    told = told_of(
        {
            "shifts.toml": FILES["shifts.toml"].replace("days = 8", "days = 3"),
            "vehicles.toml": FILES["vehicles.toml"].replace('"PX-2"', '"PX 2"'),
            "units.toml": FILES["units.toml"].replace("minimum_crew = 4", "minimum_crew = 6"),
            AREA_FILE: AREAS.replace('"fire"', '"police"'),
        }
    )
    assert ["vehicles.toml", "units.toml", AREA_FILE, "shifts.toml"] == [line.split(": ")[0] for line in told]


def test_an_area_file_that_cannot_be_used_is_the_only_one_blamed() -> None:
    """While nobody knows which areas there are, no base and no control room is blamed for naming one."""
    (line,) = told_of({AREA_FILE: "{"})
    assert line.startswith(f"{AREA_FILE}: is not GeoJSON")


def test_an_area_that_is_drawn_too_finely_is_refused() -> None:
    """Ground of more positions than any map shows is told with how many it has."""
    written = "[[[0.5, 51], [1.1, 51], [1.1, 51.35], [0.5, 51.35], [0.5, 51]]]"
    assert written in AREAS
    (line,) = told_of({AREA_FILE: AREAS.replace(written, f"[[{'[0.5, 51],' * 100_000} [0.5, 51]]]")})
    assert line == f"{AREA_FILE}: features[0].geometry.coordinates: has 100001 positions; expected at most 100000: " + (
        "simplify it"
    )


def test_areas_may_overlap_and_services_draw_their_own() -> None:
    """Fire and police ground that overlaps and is called the same loads, each with its own borders."""
    police = """{"type": "Feature",
      "properties": {"id": "weald-police", "name": "Weald", "organisation": "kp"},
      "geometry": {"type": "Polygon", "coordinates": [[[0.4, 51], [0.9, 51], [0.9, 51.2], [0.4, 51]]]}},"""
    assert [] == told_of({AREA_FILE: AREAS.replace('"features": [', '"features": [' + police)})


def test_toml_dates_are_dates() -> None:
    """An anchor may be written as TOML's own date or in quotes."""
    quoted = FILES["shifts.toml"].replace("2026-11-02", '"2026-11-02"')
    assert [] == told_of({"shifts.toml": quoted})
    assert shire().shifts["watches"].cycle is not None


def test_callsigns_that_a_crew_types_alike_are_one() -> None:
    """At a panel blanks and capitals tell no units apart, so a claim could go to either."""
    units = FILES["units.toml"].replace('callsign = "14P1"', 'callsign = "14 P1"')
    (line,) = told_of({"units.toml": units.replace('callsign = "14H1"', 'callsign = "14  p1"')})
    assert "unit[1].callsign" in line and "one unit a callsign in an organisation" in line
