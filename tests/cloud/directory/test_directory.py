"""The directory: a folder loads whole and resolved, or is refused with everything that is wrong in it."""

from pathlib import Path

import pytest

from cloud.directory import Directory, DirectoryInvalid, SchemesInvalid, load, load_schemes
from cloud.errors import Fatal

ORGANISATIONS = """
[[organisation]]
id = "kfrs"
name = "Weald Fire and Rescue"
service = "fire"
[[organisation]]
id = "kp"
name = "Weald Police"
service = "police"
"""

BASES = """
[[base]]
id = "stn-14"
name = "Stn 14 shared"
lat = 51.27
lon = 0.52
[[base]]
id = "hq"
name = "Police headquarters"
organisation = "kp"
"""

UNITS = """
[[unit]]
id = "kfrs-14p1"
callsign = "14P1"
organisation = "kfrs"
type = "pump"
base = "stn-14"
scheme = "uk-fire-gd92"
carrier = "veh-1"
capabilities = ["pump", "ladder 13.5 m"]
[[unit]]
id = "kp-12"
callsign = "P12"
organisation = "kp"
type = "response car"
base = "stn-14"
scheme = "uk-police-state"
carrier = "veh-2"
[[unit]]
id = "kp-13"
callsign = "P13"
organisation = "kp"
type = "van"
base = "hq"
scheme = "uk-police-state"
carrier = "veh-3"
"""

DEVICES = """
[[device]]
id = "veh-1"
organisation = "kfrs"
enrolment = "E0001"
units = ["kfrs-14p1"]
[[device]]
id = "veh-2"
organisation = "kp"
enrolment = "E0002"
[[device]]
id = "veh-3"
organisation = "kp"
enrolment = "E0003"
units = ["kp-12", "kp-13"]
[[device]]
id = "panel-1"
organisation = "kp"
enrolment = "E0004"
units = ["kp-13"]
"""

FILES = {
    "organisations.toml": ORGANISATIONS,
    "bases.toml": BASES,
    "units.toml": UNITS,
    "devices.toml": DEVICES,
}


def write(folder: Path, **changed: str) -> Path:
    """Write the sample directory, with some files' whole texts changed, by their name without `.toml`."""
    texts = FILES | {f"{name}.toml": text for name, text in changed.items()}
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def errors(folder: Path) -> list[str]:
    """Load a folder that is wrong, and tell its errors, one a line."""
    with pytest.raises(DirectoryInvalid) as caught:
        load(folder)
    first, *lines = str(caught.value).splitlines()
    assert f"{folder}:" == first
    return [line.strip() for line in lines]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """The sample directory, loaded."""
    return load(write(tmp_path))


def test_a_right_folder_loads_with_every_reference_resolved(directory: Directory) -> None:
    """Each row is found by its id, and a unit knows the service of its organisation."""
    assert ["kfrs", "kp"] == list(directory.organisations)
    assert ["stn-14", "hq"] == list(directory.bases)
    assert ["veh-1", "veh-2", "veh-3", "panel-1"] == list(directory.devices)
    assert {"kfrs-14p1": "fire", "kp-12": "police", "kp-13": "police"} == {
        unit.id: unit.service for unit in directory.units.values()
    }
    assert ("pump", "ladder 13.5 m") == directory.units["kfrs-14p1"].capabilities
    assert 41 == len(directory.schemes["eido-secondary"].codes)


def test_a_carrier_speaks_for_its_unit_whether_written_or_not(directory: Directory) -> None:
    """A carried unit is added to a device that doesn't list it, and comes first where several are listed."""
    spoken = {name: [unit.id for unit in directory.device_units(name)] for name in directory.devices}
    assert {
        "veh-1": ["kfrs-14p1"],
        "veh-2": ["kp-12"],
        "veh-3": ["kp-13", "kp-12"],
        "panel-1": ["kp-13"],
    } == spoken


def test_only_a_carrier_carries(directory: Directory) -> None:
    """A panel that may speak for a unit doesn't carry it, so it can't pass for the vehicle."""
    carried = [directory.carried_by(name) for name in ("veh-3", "panel-1", "nobody")]
    assert ["kp-13", None, None] == [unit.id if unit else None for unit in carried]


def test_a_revoked_or_unknown_device_speaks_for_nothing(tmp_path: Path) -> None:
    """Revoking a device takes its units from it, and leaves the unit on the board."""
    revoked = DEVICES.replace('enrolment = "E0001"', 'enrolment = "E0001"\nrevoked = true')
    directory = load(write(tmp_path, devices=revoked))
    assert () == directory.device_units("veh-1") == directory.device_units("nobody")
    assert directory.carried_by("veh-1") is None
    assert "kfrs-14p1" in directory.units


def test_rows_may_be_spread_over_files_as_one_likes(tmp_path: Path) -> None:
    """One file or many: the same directory."""
    (tmp_path / "all.toml").write_text("".join(FILES.values()), "utf-8")
    together = load(tmp_path)
    apart = tmp_path / "apart"
    apart.mkdir()
    assert load(write(apart)).units == together.units


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    """The same files give the same version of 12 hex digits; a changed scheme override changes it as a row does."""
    folder = write(tmp_path)
    first = load(folder).version
    assert (first, 12) == (load(folder).version, len(first))
    (folder / "bases.toml").write_text(BASES + "# changed\n", "utf-8")
    second = load(folder).version
    (folder / "schemes").mkdir()
    (folder / "schemes" / "mine.toml").write_text('replaces = "de-bos-fms"\nvariant = "bavaria"\n', "utf-8")
    assert 3 == len({first, second, load(folder).version})


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("units", 'scheme = "uk-fire-gd92"', 'scheme = "uk-fire-gd9"', "units.toml: unit[0].scheme: 'uk-fire-gd9'"),
        ("units", 'carrier = "veh-2"', 'carrier = "veh-9"', "units.toml: unit[1].carrier: 'veh-9' is no known device"),
        ("units", 'base = "hq"', 'base = "h"', "units.toml: unit[2].base: 'h' is no known base"),
        ("units", 'callsign = "P13"', 'callsign = "p12"', "units.toml: unit[2].callsign: 'p12' stands in"),
        ("units", 'carrier = "veh-2"', 'carrier = "veh-3"', "units.toml: unit[2].carrier: 'veh-3' stands in"),
        ("units", '"pump", "l', '"pump", "pump", "l', "units.toml: unit[0].capabilities: names 'pump' 2 times"),
        ("units", 'id = "kp-12"', 'id = "KP 12"', "units.toml: unit[1].id: is 'KP 12'; expected 1 to 40 of a-z"),
        ("units", 'type = "van"', 'typ = "van"', "units.toml: unit[2].typ: unknown key (did you mean 'type'?)"),
        ("units", "[[unit]]", "[[units]]", "units.toml: units: unknown key (did you mean 'unit'?)"),
        ("devices", 'id = "panel-1"', 'id = "veh-2"', "devices.toml: device[3].id: 'veh-2' stands in"),
        ("devices", '"E0004"', '"E0003"', "devices.toml: device[3].enrolment: 'E0003' stands in"),
        ("devices", '["kp-12",', '["kp-99",', "devices.toml: device[2].units[0]: 'kp-99' is no known unit"),
        ("devices", '["kp-12",', '["kfrs-14p1",', "devices.toml: device[2].units[0]: 'kfrs-14p1' belongs to 'kfrs'"),
        ("devices", '["kp-12",', '["kp-13",', "devices.toml: device[2].units[1]: 'kp-13' is there twice"),
        ("bases", "lon = 0.52", "", "bases.toml: base[0].lon: is missing; expected lat and lon, or neither"),
        ("bases", "lat = 51.27", "lat = 91", "bases.toml: base[0].lat: is 91; expected a number from -90 to 90"),
        ("bases", '"kp"', '"kpp"', "bases.toml: base[1].organisation: 'kpp' is no known organisation (did you mean"),
        ("organisations", '"fire"', '"fires"', "organisations.toml: organisation[0].service: is 'fires' (did you"),
    ],
)
def test_each_fault_is_refused_with_its_file_and_path(tmp_path: Path, file: str, old: str, new: str, line: str) -> None:
    """Every rule of the directory holds on its own: one broken row, one error that says where and what."""
    text = FILES[f"{file}.toml"]
    assert old in text
    found = errors(write(tmp_path, **{file: text.replace(old, new)}))
    assert any(error.startswith(line) for error in found), found


def test_a_carrier_of_another_organisation_is_refused(tmp_path: Path) -> None:
    """No organisation's device speaks for another's unit, by whichever end it is written."""
    units = UNITS.replace('carrier = "veh-1"', 'carrier = "panel-1"')
    found = errors(write(tmp_path, units=units))
    assert ["units.toml: unit[0].carrier: 'panel-1' belongs to 'kp'; expected a device of 'kfrs'"] == found


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """A wrong shape, a twin, a dangling reference and a broken scheme in four files are told in one go."""
    folder = write(
        tmp_path,
        organisations=ORGANISATIONS.replace('"police"', '"polise"'),
        bases=BASES + '[[base]]\nid = "hq"\nname = "Again"\n',
        devices=DEVICES.replace('["kp-13"]', '["kp-99"]'),
    )
    (folder / "schemes").mkdir()
    (folder / "schemes" / "mine.toml").write_text('replaces = "de-bos-fm"\n', "utf-8")
    assert [
        "organisations.toml: organisation[1].service",
        "schemes/mine.toml: replaces",
        "bases.toml: base[2].id",
        "devices.toml: device[3].units[0]",
    ] == [": ".join(line.split(": ")[:2]) for line in errors(folder)]


def test_a_row_of_the_wrong_shape_is_no_excuse_to_blame_those_who_name_it(tmp_path: Path) -> None:
    """Where one device has a wrong enrolment, the unit that it carries has no error."""
    found = errors(write(tmp_path, devices=DEVICES.replace('"E0001"', '"E 1"')))
    assert ["devices.toml: device[0].enrolment"] == [line.split(": is")[0] for line in found]


def test_an_organisation_that_is_nowhere_is_refused_in_units_and_devices(tmp_path: Path) -> None:
    """A unit and its device that agree on an organisation which doesn't exist are both told so."""
    old, new = 'organisation = "kfrs"', 'organisation = "kfr"'
    found = errors(write(tmp_path, units=UNITS.replace(old, new), devices=DEVICES.replace(old, new)))
    assert ["units.toml: unit[0].organisation", "devices.toml: device[0].organisation"] == [
        line.split(": 'kfr'")[0] for line in found
    ]


@pytest.mark.parametrize("content", [b"[[device]\n", b'id = "\xff"'])
def test_a_file_that_cannot_be_used_is_the_only_one_blamed(tmp_path: Path, content: bytes) -> None:
    """While a file is no TOML or no UTF-8, nobody knows what it holds, so references into it are not called wrong."""
    folder = write(tmp_path)
    (folder / "devices.toml").write_bytes(content)
    assert ["devices.toml"] == [line.split(":")[0] for line in errors(folder)]


def test_a_folder_without_files_or_no_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """An empty directory never loads as a county without units: the mistake is the path."""
    with pytest.raises(DirectoryInvalid, match=r"has no \*\.toml"):
        load(tmp_path)
    with pytest.raises(Fatal, match="must be a folder"):
        load(tmp_path / "none")


def test_a_site_scheme_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A site's override that isn't text never drops out silently, leaving the packaged row in force."""
    folder = write(tmp_path)
    (folder / "schemes").mkdir()
    (folder / "schemes" / "mine.toml").write_bytes(b"\xff")
    assert ["schemes/mine.toml: is not text in UTF-8; expected a TOML file in UTF-8"] == errors(folder)


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    """An editor's hidden copy doesn't stand beside the file it copies."""
    folder = write(tmp_path)
    (folder / ".units.toml").write_text("[[unit", "utf-8")
    assert 3 == len(load(folder).units)


def test_a_site_scheme_may_be_named_by_a_unit(tmp_path: Path) -> None:
    """A site's own reading of a scheme is what its units speak; without the file it is the packaged one."""
    folder = write(tmp_path)
    packaged = load(folder).schemes["uk-police-state"].code("3")
    (folder / "schemes").mkdir()
    text = 'replaces = "uk-police-state"\nvariant = "nottinghamshire"\n'
    (folder / "schemes" / "notts.toml").write_text(text, "utf-8")
    own = load(folder).schemes["uk-police-state"].code("3")
    assert ["Available, standby", "At station, available"] == [row.label for row in (packaged, own) if row]
    assert load_schemes(folder / "schemes") == load(folder).schemes


def test_the_schemes_alone_load_or_are_refused_as_well(tmp_path: Path) -> None:
    """Packaged schemes load without any folder, and a broken folder is refused with its errors."""
    assert 6 == len(load_schemes())
    (tmp_path / "x.toml").write_text("replaces = 3", "utf-8")
    with pytest.raises(SchemesInvalid, match=r"x\.toml: replaces: is 3"):
        load_schemes(tmp_path)


SHARED = BASES.replace('name = "Stn 14 shared"', 'name = "Stn 14 shared"\ndevice = "panel-1"')
BOTH = DEVICES.replace('enrolment = "E0004"\nunits = ["kp-13"]', 'enrolment = "E0004"\nunits = ["kfrs-14p1", "kp-12"]')


def test_a_stations_device_speaks_for_every_service_that_is_based_there(tmp_path: Path) -> None:
    """One panel serves the fire engine and the police car of a shared station, and carries neither."""
    directory = load(write(tmp_path, bases=SHARED, devices=BOTH))
    assert "panel-1" == directory.bases["stn-14"].device
    assert ["kfrs-14p1", "kp-12"] == [unit.id for unit in directory.device_units("panel-1")]
    assert directory.carried_by("panel-1") is None


def test_no_other_device_speaks_for_units_of_others(tmp_path: Path) -> None:
    """Neither a device that is no station's, nor a station's for a unit that is based elsewhere."""
    told = errors(write(tmp_path, devices=BOTH))
    assert 1 == len(told) and "'kfrs-14p1' belongs to 'kfrs'" in told[0] and "whose device it is" in told[0]
    elsewhere = BASES.replace('name = "Police headquarters"', 'name = "Police headquarters"\ndevice = "panel-1"')
    assert 1 == len(errors(write(tmp_path, bases=elsewhere, devices=BOTH)))


def test_a_stations_device_is_there_and_is_its_own(tmp_path: Path) -> None:
    """A device that there is not, and one that is another base's already, are each told with what would be right."""
    (told,) = errors(write(tmp_path, bases=SHARED.replace("panel-1", "panel-9")))
    assert "'panel-9' is no known device" in told
    twice = SHARED.replace('name = "Police headquarters"', 'name = "Police headquarters"\ndevice = "panel-1"')
    (told,) = errors(write(tmp_path, bases=twice))
    assert "a device that is no other base's" in told
