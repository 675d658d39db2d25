"""The demo's sharing: agreements that the cloud reads, covert units, and tokens that stay in its own folder."""

import hashlib
import stat
from pathlib import Path

import pytest

from cloud.directory import Directory
from cloud.directory import load as load_directory
from simulator.county import County, generate
from simulator.folder import write_directory, write_tables
from simulator.partners import curl_line, make_tokens
from simulator.sharing import EVERYDAY, FLOOD, HELD_BACK_S, JOINT, SQUARE_M, sharing_rows
from wire.partner import GRANTS


def directory_of(county: County, folder: Path) -> Directory:
    """The county's directory with its sharing, as the demo writes it."""
    digests = make_tokens((one.id for one in county.organisations), folder)
    written = write_directory(county, folder / "directory")
    return load_directory(write_tables(sharing_rows(county, digests), written))


@pytest.mark.parametrize("units", [5, 60])
def test_the_cloud_reads_what_is_shared(units: int, tmp_path: Path) -> None:
    """The real loader takes the rows, of a small county too; each pair of services has an everyday and a joint one."""
    county = generate(14, units)
    directory = directory_of(county, tmp_path)
    pairs = {(one.id, other.id) for one in county.organisations for other in county.organisations if one != other}
    for when in ("always", "joint_incident"):
        held = [row for row in directory.agreements.values() if row.when == when and row.valid_until is None]
        assert sorted(pairs) == sorted((row.owner, row.partner) for row in held)
    assert {FLOOD} == {row.incident for row in directory.agreements.values() if row.when == "major_incident"}
    assert sorted(one.id for one in county.organisations) == sorted(directory.partners)
    assert len(directory.control_rooms) == len(directory.covers) == 2
    assert {*EVERYDAY, *JOINT} <= set(GRANTS)


def test_everyday_positions_are_blurred_and_the_ambulances_held_back(tmp_path: Path) -> None:
    """No everyday agreement opens an exact position, and nobody follows an ambulance as it drives."""
    for row in directory_of(generate(14), tmp_path).agreements.values():
        if row.when == "always" and "position" in row.fields:
            assert SQUARE_M == row.precision_m
            assert (HELD_BACK_S if row.owner == "kas" else None) == row.delay_s


def test_two_units_are_covert(tmp_path: Path) -> None:
    """Two of the police's own cars are covert, and are called out by no shared station."""
    county = generate(14)
    covert = {unit.id for unit in county.units if unit.covert}
    assert 2 == len(covert)
    assert covert == {unit.id for unit in directory_of(county, tmp_path).units.values() if unit.covert}
    assert not covert & {unit.id for station in county.stations for unit in station.units}


def test_a_token_is_for_its_owners_eyes(tmp_path: Path) -> None:
    """Each token lies in a file that nobody else may read, is kept from run to run, and only its digest is told."""
    digests = make_tokens(["kp", "kas"], tmp_path)
    assert make_tokens(["kp", "kas"], tmp_path) == digests
    for name, digest in digests.items():
        path = tmp_path / "tokens" / name
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert path.read_text() not in curl_line(name, tmp_path, 8471)
    assert 2 == len(set(digests.values()))
