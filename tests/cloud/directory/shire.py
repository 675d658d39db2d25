"""A directory that has every kind of row, as texts: what tests break, bind and reload."""

from pathlib import Path

from cloud.directory import Directory
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged

ORGANISATIONS = """
[[organisation]]
id = "kfrs"
name = "Weald Fire and Rescue"
service = "fire"
skills = ["ba", "driver", "ic"]
words = { mobilise = "turn out" }
masters = { status = "cad" }
retention = { positions_days = 31 }
[[organisation]]
id = "kp"
name = "Weald Police"
service = "police"
"""

BASES = """
[[base]]
id = "stn14"
name = "Stn 14 shared"
device = "panel-14"
lat = 51.1445
lon = 0.8725
area = "yard"
zones = [{ id = "dorm", name = "Dormitory", services = ["fire"] }, { id = "bays" }]
[[base]]
id = "hq"
name = "Headquarters"
organisation = "kp"
lat = 51.27
lon = 0.52
fence_m = 80
[[base]]
id = "stn15"
name = "Stn 15"
"""

VEHICLES = """
[[vehicle]]
id = "FA-1"
registration = "GN21 ABC"
organisation = "kfrs"
type = "pump"
device = "veh-1"
base = "stn14"
[[vehicle]]
id = "FA-9"
registration = "GN09 XYZ"
organisation = "kfrs"
type = "pump"
device = "veh-9"
spare = true
[[vehicle]]
id = "PX-2"
organisation = "kp"
type = "car"
device = "veh-2"
"""

UNITS = """
[[unit]]
id = "14p1"
callsign = "14P1"
organisation = "kfrs"
type = "pump"
base = "stn14"
scheme = "uk-fire-gd92"
carrier = "veh-1"
capabilities = ["pumping"]
attachments = [{ name = "HVP pod", capabilities = ["high volume pump", "pumping"] }]
minimum_crew = 4
preferred_crew = 5
skills = { ba = 2, ic = 1 }
shift = "watches"
crew_group = "red"
crew_order = 2
[[unit]]
id = "14h1"
callsign = "14H1"
organisation = "kfrs"
type = "hose layer"
base = "stn14"
scheme = "uk-fire-gd92"
carrier = "veh-3"
tier_min = 5
crew_group = "red"
crew_order = 1
[[unit]]
id = "p12"
callsign = "P12"
organisation = "kp"
type = "van"
base = "hq"
scheme = "uk-police-state"
carrier = "veh-2"
shift = "days"
covert = true
[[unit]]
id = "p12a"
callsign = "P12A"
organisation = "kp"
type = "beat"
base = "hq"
scheme = "uk-police-state"
carrier = "hand-1"
part_of = "p12"
"""

DEVICES = """
[[device]]
id = "veh-1"
organisation = "kfrs"
enrolment = "E1"
units = ["14p1", "14h1"]
[[device]]
id = "veh-2"
organisation = "kp"
enrolment = "E2"
[[device]]
id = "veh-3"
organisation = "kfrs"
enrolment = "E3"
[[device]]
id = "veh-9"
organisation = "kfrs"
enrolment = "E9"
[[device]]
id = "hand-1"
organisation = "kp"
enrolment = "E10"
[[device]]
id = "panel-14"
organisation = "kfrs"
enrolment = "E14"
units = ["14p1"]
"""

SHIFTS = """
[[shift]]
id = "days"
zone = "Europe/London"
turns = [
  { days = ["mon", "tue"], from = "07:00", until = "19:00" },
  { days = ["fri"], from = "19:00", until = "07:00" },
]
[[shift]]
id = "watches"
zone = "Europe/London"
[shift.cycle]
anchor = 2026-11-02
days = 8
turns = [{ days = [1, 2], from = "09:00", until = "18:00" }, { days = [3, 4], from = "18:00", until = "09:00" }]
"""

ROOMS = """
[[control_room]]
id = "weald"
name = "Weald Control"
organisations = ["kfrs", "kp"]
areas = ["weald-fire"]
"""

AREAS = """
{"type": "FeatureCollection", "features": [
  {"type": "Feature",
   "properties": {"id": "weald-fire", "name": "Weald", "organisation": "kfrs", "service": "fire"},
   "geometry": {"type": "Polygon", "coordinates": [[[0.5, 51], [1.1, 51], [1.1, 51.35], [0.5, 51.35], [0.5, 51]]]}},
  {"type": "Feature",
   "properties": {"id": "yard", "name": "Yard"},
   "geometry": {"type": "MultiPolygon", "coordinates":
    [[[[0.8715, 51.1438], [0.8736, 51.1438], [0.8736, 51.1452], [0.8715, 51.1452], [0.8715, 51.1438]]]]}}
]}
"""

FILES = {
    "organisations.toml": ORGANISATIONS,
    "bases.toml": BASES,
    "vehicles.toml": VEHICLES,
    "units.toml": UNITS,
    "devices.toml": DEVICES,
    "shifts.toml": SHIFTS,
    "rooms.toml": ROOMS,
}
AREA_FILE = "areas/weald.geojson"


def shire() -> Directory:
    """The directory, checked."""
    built = build(FILES, read_packaged(), {}, {AREA_FILE: AREAS})
    assert isinstance(built, Directory), built
    return built


def write_shire(folder: Path) -> Path:
    """The directory as files in a folder, which is made."""
    for name, text in {**FILES, AREA_FILE: AREAS}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
