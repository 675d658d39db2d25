"""Trees as they are assembled from what the project ships."""

import os
import shlex
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_agent.cli import cli
from edge_agent.config import load
from edge_agent.config.profiles import Profile, parse_profile
from edge_agent.errors import Fatal
from edge_agent.image.assemble import CONNECTIONS, ImageRefused, Wanted, assemble, profile_names
from edge_agent.image.device import Identity, profile_problems
from edge_agent.image.steps import next_steps
from tests.edge_agent.outbox.conftest import mounted
from tests.programs import require_program
from tests.tidy.sources import ROOT

STOCK = ROOT / "firmware_configs"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NAMED = Identity(device="veh-0001", organisation="kfrs", enrolment="E0001", unit="kfrs-14p1", callsign="14P1")
STATION = """
[device]
id = "stn-0014"
organisation = "kfrs"
enrolment = "E0014"

[page]
title = "Stn 14"

[[unit]]
id = "kfrs-14p1"
scheme = "uk-fire-gd92"
service = "fire"

[[unit]]
id = "kpol-14v1"
scheme = "uk-police-state"
service = "police"

[[unit]]
id = "kas-14a1"
scheme = "uk-ambulance"
service = "ambulance"
"""


@pytest.fixture(autouse=True)
def _compiler() -> None:
    """The overlay's compiler is there."""
    require_program("dtc")


@pytest.mark.parametrize("profile", profile_names())
def test_each_profile_makes_a_device_that_its_agent_takes(profile: str, tmp_path: Path) -> None:
    """Of each profile `edge-agent image` makes a tree, and `edge-agent check` passes the configuration in it."""
    ran = CliRunner().invoke(cli, ["image", "--profile", profile, "--out", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    assert "Ready except WAN" in ran.output and "What to do next" in ran.output
    checked = CliRunner().invoke(cli, ["check", "--config", str(tmp_path / "out/etc/watchroom/device.toml")])
    assert checked.exit_code == 0 and "is in order" in checked.output, checked.output


def test_a_tree_has_everything_of_its_board(tmp_path: Path) -> None:
    """Every file of common and of the board is there as it is shipped, beside what is made for this device."""
    out = assemble(Wanted(profile="ambulance", out=tmp_path / "out", identity=NAMED), NOW).out
    for folder in ("common", "vehicle-a"):
        for path in (STOCK / "tree" / folder).rglob("*"):
            if path.is_file():
                assert (out / path.relative_to(STOCK / "tree" / folder)).read_bytes() == path.read_bytes(), path
    assert (out / "etc/hostname").read_text() == "veh-0001\n"
    assert (out / "boot/firmware/overlays/watchroom-vehicle-a.dtbo").read_bytes()[:4] == bytes.fromhex("d00dfeed")
    rules = (out / "etc/udev/rules.d/90-watchroom.rules").read_text()
    assert 'SYMLINK+="watchroom/receiver"' in rules
    told = tomllib.loads((out / "etc/watchroom/image.toml").read_text())
    assert (told["profile"], told["board"], told["built_at"]) == ("ambulance", "vehicle-a", NOW)


def test_no_clock_is_set_behind_the_build(tmp_path: Path) -> None:
    """The file that systemd takes as the floor of the clock has the time of the build."""
    out = assemble(Wanted(profile="ambulance", out=tmp_path / "out"), NOW).out
    assert (out / "usr/lib/clock-epoch").stat().st_mtime == NOW.timestamp()


def test_files_have_the_modes_that_their_readers_ask_for(tmp_path: Path) -> None:
    """A connection is for root alone, or NetworkManager ignores it; scripts can be run; all else can be read by all."""
    mask = os.umask(0o077)
    try:
        out = assemble(Wanted(profile="ambulance", out=tmp_path / "out"), NOW).out
    finally:
        os.umask(mask)
    modes = {path.relative_to(out).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in out.rglob("*")}
    secret = {place for place, mode in modes.items() if mode == 0o600}
    assert secret == {place for place in modes if place.startswith(f"{CONNECTIONS}/")} != set()
    scripts = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and starts_as_script(path)}
    assert scripts and all(modes[place] == 0o755 for place in scripts)
    assert {modes[place] for place in modes if (out / place).is_file()} == {0o600, 0o644, 0o755}
    assert stat.S_IMODE(out.stat().st_mode) == 0o755  # rsync gives it to the card's root


def starts_as_script(path: Path) -> bool:
    """Whether the kernel would run it through an interpreter."""
    return path.read_bytes()[:2] == b"#!"


def test_the_profile_decides_what_is_fitted(tmp_path: Path) -> None:
    """An officer's car has no I/O module: its line is not in device.toml; an ambulance has it, and its own buttons."""
    officer = load(
        assemble(Wanted(profile="officers-car", out=tmp_path / "a"), NOW).out / "etc/watchroom/device.toml", {}
    )
    ambulance = load(
        assemble(Wanted(profile="ambulance", out=tmp_path / "b"), NOW).out / "etc/watchroom/device.toml", {}
    )
    assert [bus.name for bus in officer.buses] == [] and [bus.name for bus in ambulance.buses] == ["field"]
    assert officer.buttons["b6"].code == "7" and ambulance.buttons["b1"].code == "mobile"


def test_a_site_says_the_rest(tmp_path: Path) -> None:
    """Units, names and settings of a site's own file win over the profile's, and its layout goes along, loaded."""
    (tmp_path / "site.toml").write_text(STATION)
    wanted = Wanted(
        profile="shared-station",
        out=tmp_path / "out",
        more=tmp_path / "site.toml",
        layout=ROOT / "docs" / "station.example.toml",
    )
    made = assemble(wanted, NOW)
    config = load(made.out / "etc/watchroom/device.toml", {})
    assert made.unnamed == () and config.device.id == "stn-0014" and config.page is not None
    assert config.page.title == "Stn 14" and config.station is not None
    assert {name: button.unit for name, button in config.buttons.items()} == {
        "b1": "kfrs-14p1", "b2": "kfrs-14p1", "b3": "kpol-14v1", "b4": "kpol-14v1", "b5": "kas-14a1", "b6": "kas-14a1",
    }  # fmt: skip
    assert "unit[" not in next_steps(made) and "the station layout" not in next_steps(made)


def test_a_sites_own_maps_and_schemes_go_along(tmp_path: Path) -> None:
    """What stands beside a site's file is on the device: a changed word of a scheme is the one that it loads."""
    (tmp_path / "schemes").mkdir()
    own = 'replaces = "uk-ambulance"\n[[code]]\ncode = "clear"\nlabel = "Green"\navailability = "Available"\n'
    (tmp_path / "schemes" / "site.toml").write_text(own, "utf-8")
    (tmp_path / "site.toml").write_text("[device]\nid = 'veh-0002'\n")
    out = assemble(Wanted(profile="ambulance", out=tmp_path / "out", more=tmp_path / "site.toml"), NOW).out
    code = load(out / "etc/watchroom/device.toml", {}).schemes["uk-ambulance"].code("clear")
    assert code is not None and code.label == "Green"


def test_what_nobody_has_said_is_told(tmp_path: Path) -> None:
    """A tree without a name is assembled for the bench, and each thing that is missing is told with its option."""
    made = assemble(Wanted(profile="ambulance", out=tmp_path / "out"), NOW)
    assert made.unnamed == ("device.id", "device.organisation", "device.enrolment", "unit[0].id")
    said = next_steps(made)
    assert "Ready except WAN and what is still to be said." in said
    assert all(option in said for option in ("--device", "--organisation", "--enrolment", "--unit"))
    packages = agent_packages(tmp_path / "packages", "gpsd_3.22-4.1_arm64.deb")
    wanted = Wanted(profile="ambulance", out=tmp_path / "named", identity=NAMED, packages=packages)
    named = assemble(wanted, NOW)
    assert named.unnamed == () and "Ready except WAN. Without" in next_steps(named)


def agent_packages(folder: Path, *names: str) -> Path:
    """Make a folder with a wheel of the agent's name, and other packages by name: an image looks into none."""
    folder.mkdir()
    for name in ("watchroom-0.1.0-py3-none-any.whl", *names):
        (folder / name).touch()
    return folder


def test_what_the_installation_needs_is_told_as_it_is(tmp_path: Path) -> None:
    """Without wheels no agent can be installed, with wheels alone a network is asked for; neither is told as ready."""
    bare = next_steps(assemble(Wanted(profile="ambulance", out=tmp_path / "a", identity=NAMED), NOW))
    assert "That ends without an agent" in bare and "the agent itself        --packages FOLDER" in bare
    assert "Ready except WAN and what is still to be said." in bare
    packages = agent_packages(tmp_path / "packages")
    wanted = Wanted(profile="ambulance", out=tmp_path / "b", identity=NAMED, packages=packages)
    wheels = next_steps(assemble(wanted, NOW))
    assert "Start the device with a network, from which" in wheels and "the 1 wheels" in wheels


def test_the_command_that_is_told_can_be_copied(tmp_path: Path) -> None:
    """A folder with spaces, or a relative one, is told whole and quoted: what a shell takes of it is the tree."""
    made = assemble(Wanted(profile="ambulance", out=tmp_path / "unit of Ann's"), NOW)
    line = next(line for line in next_steps(made).splitlines() if "rsync" in line)
    assert shlex.split(line)[-2:] == [f"{tmp_path}/unit of Ann's/", "ROOT/"]


@pytest.mark.parametrize("apn", ["", "a b", "x\npin=1", "ünï", "-x", "a" * 64])
def test_an_access_point_that_no_modem_takes_is_refused(apn: str, tmp_path: Path) -> None:
    """NetworkManager drops the whole connection for a name that it does not know as one: it is told before that."""
    with pytest.raises(ImageRefused, match="--apn: is .*; expected 1 to 63 letters"):
        assemble(Wanted(profile="ambulance", out=tmp_path / "out", apn=apn), NOW)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_that_one_is_in_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out .` is told, and not put in the place of the folder that the shell stands in."""
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(cli, ["image", "--profile", "ambulance", "--out", "."])
    assert ran.exit_code == 1 and "is the folder that you are in" in ran.output, ran.output


def test_a_folder_of_packages_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A slip in the folder's name is told as that, and not as a wheel that is missing."""
    with pytest.raises(Fatal, match="packges: is no folder"):
        assemble(Wanted(profile="ambulance", out=tmp_path / "out", packages=tmp_path / "packges"), NOW)


def test_the_access_point_goes_into_the_modems_connection(tmp_path: Path) -> None:
    """`--apn` names the access point in place of the automatic choice, and changes nothing else."""
    plain = assemble(Wanted(profile="ambulance", out=tmp_path / "a"), NOW).out / CONNECTIONS
    named = assemble(Wanted(profile="ambulance", out=tmp_path / "b", apn="emergency.example"), NOW).out / CONNECTIONS
    changed = [path for path in sorted(plain.iterdir()) if (named / path.name).read_text() != path.read_text()]
    assert len(changed) == 1
    text = (named / changed[0].name).read_text()
    assert "apn=emergency.example\n" in text and "auto-config" not in text


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"profile": "ambulence"}, "there is no profile 'ambulence'; give one of ambulance, appliance"),
        ({"identity": Identity(device="Veh 1")}, "device.id: is 'Veh 1'; expected 1 to 40 of a-z, 0-9 and -"),
        ({"more": "[gpsd]\nprot = 2947\n"}, "gpsd.prot: unknown key (did you mean 'port'?)"),
        ({"more": "[panel.buttons]\nb1 = 'nowhere'\n"}, "panel.buttons.b1: "),
        ({"more": "[[panel"}, "is not TOML"),
        ({"more": "device = 'x'\n"}, "more.toml: device: is 'x'; expected a table: [device]"),
        ({"more": "panel = 5\n"}, "more.toml: panel: is 5; expected a table: [panel]"),
        ({"more": "station = 'x'\n", "layout": ""}, "more.toml: station: is 'x'; expected a table: [station]"),
        ({"more": "unit = ['x']\n"}, "unit[0]: is 'x'"),
        ({"more": "[[unit]]\nservice = ['a']\nid = 'b'\n"}, "unit[0].service: "),
        ({"more": "[panel.buttons]\nb9 = 'mobile'\n"}, "panel.buttons.b9: no line of the panel is 'b9'"),
        ({"more": "[device]\nstate_dir = '/tmp/x'\n"}, "device.state_dir: is '/tmp/x', and the device keeps nothing"),
        ({"identity": Identity(device="veh-42-")}, "device.id: 'veh-42-' is no host name"),
        ({"layout": "[station]\nname = 'x'\n[[light]]\nid = 'a'\nzone = 'b'\noutput = 'io9.do0'\n"}, "station.toml"),
    ],
)
def test_what_the_device_would_refuse_is_refused(wanted: dict[str, object], said: str, tmp_path: Path) -> None:
    """A mistake in what was asked for is told with its key, and no folder is left behind."""
    asked = dict(wanted)
    for key in ("more", "layout"):
        if key in asked:
            (tmp_path / f"{key}.toml").write_text(str(asked[key]))
            asked[key] = tmp_path / f"{key}.toml"
    full = {"profile": "ambulance", "out": tmp_path / "out", **asked}
    with pytest.raises(ImageRefused) as refused:
        assemble(Wanted(**full), NOW)  # type: ignore[arg-type]
    assert said in str(refused.value) and str(tmp_path / ".out") not in str(refused.value)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(("out", "part"))]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    """What stands in the folder already is never mixed with a tree, nor removed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    ran = CliRunner().invoke(cli, ["image", "--profile", "ambulance", "--out", str(tmp_path / "out")])
    assert ran.exit_code == 1 and "is there already; give a folder that is empty" in ran.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_full_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    """Where the disk is full that is told, and there is no tree that only looks whole."""
    with mounted(tmp_path / "small", "size=24k") as small:
        with pytest.raises(ImageRefused, match="No space left on device; nothing was assembled"):
            assemble(Wanted(profile="ambulance", out=small / "out"), NOW)
        assert list(small.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'buses = ["field"]',
            'buses = ["feild"]',
            "profile.buses: board vehicle-a has no 'feild' (did you mean 'field'?)",
        ),
        ('name = "b2"', 'name = "b1"', "button[1].name: 'b1' stands twice; expected each button once"),
        ('name = "b2"', 'name = "b1"', "button: none is 'b2', which board vehicle-a has"),
        ('code = "at_scene"', 'code = "mobile"', "button[1].code: 'b1' and 'b2' both declare 'mobile'"),
        ('name = "b2"', 'name = "b9"', "button[1].name: board vehicle-a has no button 'b9'"),
        ('inputs = ["ignition"', 'inputs = ["ignitoin"', "profile.inputs: board vehicle-a has no 'ignitoin'"),
        ('code = "mobile"', 'code = "mobile"\nservice = "fire"', "the profile carries no units of fire"),
        ('ambulance = "uk-ambulance"', "", "profile.schemes: names no service"),
    ],
)
def test_a_profile_that_does_not_fit_its_board_is_told(old: str, new: str, said: str) -> None:
    """A line, button or input that the board has not, or a button that the profile forgets, is told by its name."""
    text = (STOCK / "profiles" / "ambulance.toml").read_text("utf-8")
    assert old in text
    profile = parse_profile(text.replace(old, new, 1))
    assert isinstance(profile, Profile), profile
    board = tomllib.loads((STOCK / "boards" / "vehicle-a" / "agent.toml").read_text("utf-8"))
    assert any(said in str(problem) for problem in profile_problems(profile, board))
