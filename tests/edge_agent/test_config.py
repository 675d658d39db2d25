"""The device's configuration: loads frozen and checked, or is refused with everything that is wrong."""

from pathlib import Path

import msgspec
import pytest

from edge_agent.config import Button, Config, ConfigInvalid, Gpsd, Link, Outbox, Report, load, load_scheme
from edge_agent.errors import Fatal

EXAMPLE = Path(__file__).parents[2] / "docs" / "device.example.toml"

SMALL = """
[device]
id = "veh-0001"
organisation = "kfrs"
enrolment = "E0001"
state_dir = "state"
[[unit]]
id = "kfrs-14p1"
scheme = "uk-fire-gd92"
"""

PANEL = """
[panel]
backend = "scripted"
path = "panel.sock"
[panel.buttons]
b4 = "4"
"""

EVDEV = PANEL.replace("scripted", "evdev") + '[panel.keys]\nKEY_1 = "b4"\n[panel.leds]\nb4 = 0\n'

GPIOD = PANEL.replace("scripted", "gpiod").replace("panel.sock", "/dev/gpiochip0")
LINES = '[panel.lines]\nGPIO17 = "b4"\n'
POINTS = '[panel.lines]\n"keypad.b1" = "b4"\n'
MODBUS = '[panel]\nbackend = "modbus"\nbuttons = { b4 = "4" }\n'
SOS = '[panel.emergency]\nbutton = "sos"\n'

TWO_UNITS = SMALL + '[[unit]]\nid = "kp-12"\nscheme = "uk-police-state"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for one device's TOML."""
    return tmp_path


def written(folder: Path, text: str, **environ: str) -> Config:
    """Write a device's TOML and load it, with the environment's variables."""
    path = folder / "device.toml"
    path.write_text(text, "utf-8")
    return load(path, environ)


def errors(folder: Path, text: str, **environ: str) -> list[str]:
    """Load a TOML that is wrong, and tell its errors, one a line."""
    with pytest.raises(ConfigInvalid) as caught:
        written(folder, text, **environ)
    first, *lines = str(caught.value).splitlines()
    assert f"{folder / 'device.toml'}:" == first
    return [line.strip() for line in lines]


def test_the_example_loads() -> None:
    """What a reader copies is right: the documented example passes every check."""
    config = load(EXAMPLE, {})
    assert "veh-0001" == config.device.id
    assert Gpsd() == config.gpsd
    assert Button(unit="kfrs-14p1", scheme="uk-fire-gd92", code="12", event=True) == config.buttons["b7"]
    assert config.panel is not None
    assert "b7" == config.panel.keys["8"]


def test_the_example_shows_the_true_defaults() -> None:
    """Each commented line of the example, taken in, changes nothing: documented defaults are the defaults."""
    uncommented = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line
        for line in EXAMPLE.read_text("utf-8").splitlines()
    ]
    found = load(EXAMPLE, {})
    shown = msgspec.toml.decode("\n".join(uncommented))
    sections = {"link": Link, "report": Report, "outbox": Outbox, "gpsd": Gpsd}
    for name, kind in sections.items():
        assert msgspec.structs.asdict(kind()) == shown[name]
    assert found.panel is not None
    assert found.panel.debounce_ms == shown["panel"]["debounce_ms"]


def test_a_small_file_loads_with_defaults(folder: Path) -> None:
    """What isn't written has its default; without their sections there is no gpsd, no panel and no button."""
    config = written(folder, SMALL)
    assert (None, None, {}) == (config.gpsd, config.panel, config.buttons)
    assert (Link(), Report(), Outbox()) == (config.link, config.report, config.outbox)
    assert ["uk-fire-gd92"] == list(config.schemes)
    assert ("127.0.0.1", 1883) == (config.link.host, config.link.port)


def test_a_loaded_configuration_cannot_be_changed(folder: Path) -> None:
    """Settings are frozen: what was checked at the start is what runs."""
    config = written(folder, SMALL)
    with pytest.raises(AttributeError):
        config.link.heartbeat_s = 99.0  # type: ignore[misc]


def test_paths_count_from_the_file(folder: Path) -> None:
    """A relative path means the same wherever the agent was started; an absolute one stays."""
    config = written(folder, SMALL + PANEL)
    assert config.panel is not None
    assert [str(folder / "state"), str(folder / "panel.sock")] == [config.device.state_dir, config.panel.path]
    assert "/var/x" == written(folder, SMALL.replace('"state"', '"/var/x"')).device.state_dir


def test_buttons_are_resolved_to_unit_scheme_and_code(folder: Path) -> None:
    """A bare code is the first unit's; `unit:code` is that unit's, in its own scheme; events are known as such."""
    text = TWO_UNITS + PANEL + 'b1 = "kp-12:2"\nb2 = "kp-12:13"\n'
    assert {
        "b4": Button(unit="kfrs-14p1", scheme="uk-fire-gd92", code="4", event=False),
        "b1": Button(unit="kp-12", scheme="uk-police-state", code="2", event=False),
        "b2": Button(unit="kp-12", scheme="uk-police-state", code="13", event=True),
    } == written(folder, text).buttons


def test_lines_and_points_are_named_as_they_are_marked(folder: Path) -> None:
    """A GPIO line goes by its name or offset, a point of a bus by `slave.point`; a path stays away from a bus."""
    text = SMALL + GPIOD + LINES + '"PIN_12 [SPARE]" = "sos"\n[panel.lamps]\nb4 = "22"\nsos = "23"\n' + SOS
    panel = written(folder, text).panel
    assert panel is not None and panel.emergency is not None
    assert {"GPIO17": "b4", "PIN_12 [SPARE]": "sos"} == panel.lines
    assert ({"b4": "22", "sos": "23"}, True, ("b4", "sos")) == (panel.lamps, panel.active_low, panel.names)
    assert (1.0, None) == (panel.emergency.hold_s, panel.emergency.unit)
    keypad = written(folder, SMALL + MODBUS + POINTS).panel
    assert keypad is not None
    assert ("", {"keypad.b1": "b4"}) == (keypad.path, keypad.lines)


def test_the_environment_wins_over_the_file(folder: Path) -> None:
    """`EDGE__SECTION__KEY` replaces the file's value, with numbers and booleans where the key wants them."""
    config = written(
        folder,
        SMALL + "[link]\nheartbeat_s = 3\n",
        EDGE__LINK__BROKER="mqtt://[::1]:2883",
        EDGE__LINK__HEARTBEAT_S="7.5",
        EDGE__LINK__KEEPALIVE_S="20",
        EDGE__GPSD__POLL="true",
        EDGE__DEVICE__ENROLMENT="12345",
        EDGE_OTHER="ignored",
        PATH="ignored",
    )
    assert ("::1", 2883, 7.5, 20) == (
        config.link.host,
        config.link.port,
        config.link.heartbeat_s,
        config.link.keepalive_s,
    )
    assert Gpsd(poll=True) == config.gpsd
    assert "12345" == config.device.enrolment


def test_the_environment_can_set_a_button(folder: Path) -> None:
    """A table inside a section is reached as well, and its numbers are numbers."""
    panel = written(folder, SMALL + EVDEV, EDGE__PANEL__LEDS__B4="7").panel
    assert panel is not None
    assert {"b4": 7} == panel.leds
    assert "5" == written(folder, SMALL + PANEL, EDGE__PANEL__BUTTONS__B4="5").buttons["b4"].code


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("EDGE__LINK__HARTBEAT_S", "5", "link.hartbeat_s: unknown key (did you mean 'heartbeat_s'?)"),
        ("EDGE__LINK__HEARTBEAT_S", "often", "link.heartbeat_s: is 'often'; expected a number from 1 to 20"),
        ("EDGE__LINK__HEARTBEAT_S", "nan", "link.heartbeat_s: is nan; expected a number from 1 to 20"),
        ("EDGE__LINC__BROKER", "x", "linc: unknown key (did you mean 'link'?)"),
        ("EDGE__LINK", "x", "environment EDGE__LINK: can't be placed"),
        ("EDGE__UNIT__SCHEME", "x", "environment EDGE__UNIT__SCHEME: can't be placed"),
        ("EDGE__LINK__", "x", "environment EDGE__LINK__: can't be placed"),
    ],
)
def test_a_wrong_variable_is_refused_like_a_wrong_line(folder: Path, variable: str, value: str, line: str) -> None:
    """The environment is held to the same rules, and a variable that nobody reads is never passed over."""
    found = errors(folder, SMALL, **{variable: value})
    assert [True] == [error.startswith(line) for error in found]


def test_a_fault_from_the_environment_names_its_variable(folder: Path) -> None:
    """Who looks for the fault in the file in vain is told where it is."""
    (line,) = errors(folder, SMALL, EDGE__LINK__HEARTBEAT_S="99")
    assert line.endswith("(set by EDGE__LINK__HEARTBEAT_S)")


@pytest.mark.parametrize(
    "broker",
    ["mqtt://10.0.0.1:1883", "mqtts://127.0.0.1:8883", "mqtt://127.0.0.1", "mqtt://127.0.0.1:0", "127.0.0.1:1883"]
    + [
        "mqtt://127.0.0.1:65536",
        "mqtt://127.0.0.1.example.org:1883",
        "mqtt://localhost:1883/x",
        "mqtt://u@localhost:1",
    ],
)
def test_only_a_broker_on_this_machine_is_taken(folder: Path, broker: str) -> None:
    """Until devices have identities, no status leaves the machine in the clear, whatever the configuration says."""
    (line,) = errors(folder, SMALL + f'[link]\nbroker = "{broker}"\n')
    assert line.startswith(f"link.broker: is '{broker}'; expected mqtt://HOST:PORT on this machine")
    assert line.endswith("until devices have identities")


@pytest.mark.parametrize("broker", ["mqtt://localhost:1", "mqtt://127.255.0.9:65535", "mqtt://[::1]:1883"])
def test_every_loopback_broker_is_taken(folder: Path, broker: str) -> None:
    """The rule refuses no broker of this machine."""
    assert broker == written(folder, SMALL + f'[link]\nbroker = "{broker}"\n').link.broker


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SMALL.replace('id = "veh-0001"', ""), "device.id: is missing; expected 1 to 40 of a-z, 0-9 and -"),
        (
            SMALL.replace("uk-fire-gd92", "uk-fire-gd9"),
            "unit[0].scheme: 'uk-fire-gd9' is no known scheme (did you mean",
        ),
        (SMALL + SMALL[SMALL.index("[[unit") :], "unit[1].id: 'kfrs-14p1' is there twice"),
        (SMALL[: SMALL.index("[[unit")], "unit: is missing; expected a list"),
        ("unit = []\n" + SMALL[: SMALL.index("[[unit")], "unit: has 0 entries; expected a list of 1 to 20 entries"),
        (SMALL + PANEL + 'b9 = "99"', "panel.buttons.b9: '99' is no code of uk-fire-gd92"),
        (SMALL + PANEL + "b9 = 9", "panel.buttons.b9: is 9; expected a status code in quotes"),
        (SMALL + PANEL + 'b9 = "kp-12:2"', "panel.buttons.b9: 'kp-12:2' names no unit of this device"),
        (SMALL + PANEL + '[panel.keys]\nKEY_1 = "b4"', "panel.keys: is there, and nobody reads it"),
        (SMALL + PANEL + "[panel.leds]\nb4 = 1", "panel.leds: is there, and nobody reads it"),
        (SMALL + PANEL.replace("scripted", "evdev"), "panel.keys: is missing"),
        (SMALL + EVDEV.replace('KEY_1 = "b4"', 'KEY_1 = "b5"'), "panel.keys.KEY_1: 'b5' is no button"),
        (SMALL + EVDEV.replace("b4 = 0", "b5 = 0"), "panel.leds.b5: 'b5' is no button"),
        (SMALL + EVDEV.replace("KEY_1", "key_1"), "panel.keys.key_1: the key is 'key_1'; expected a key's number"),
        (SMALL + EVDEV.replace("b4 = 0", "b4 = 16"), "panel.leds.b4: is 16; expected a whole number from 0 to 15"),
        (SMALL + PANEL.replace("panel.sock", "p" * 120), "panel.path: is "),
        (
            SMALL + PANEL.replace("scripted", "gpio"),
            "panel.backend: is 'gpio' (did you mean 'gpiod'?); expected one of 'evdev', ",
        ),
        (SMALL + PANEL.replace('path = "panel.sock"', ""), "panel.path: is missing; expected the socket"),
        (SMALL + GPIOD.replace('path = "/dev/gpiochip0"', "") + LINES, "panel.path: is missing; expected the chip"),
        (SMALL + MODBUS + 'path = "x"\n' + POINTS, "panel.path: is there, and nobody reads it"),
        (SMALL + GPIOD, "panel.lines: is missing"),
        (SMALL + GPIOD + LINES.replace('= "b4"', '= "b5"'), "panel.lines.GPIO17: 'b5' is no button"),
        (SMALL + GPIOD + LINES + '[panel.lamps]\nb5 = "22"', "panel.lamps.b5: 'b5' is no button"),
        (SMALL + GPIOD + LINES + '[panel.lamps]\nb4 = "GPIO17"', "panel.lamps: 'GPIO17' is used 2 times"),
        (SMALL + GPIOD + LINES + "[panel.leds]\nb4 = 1", "panel.leds: is there, and nobody reads it"),
        (SMALL + MODBUS + LINES, "panel.lines: 'GPIO17' is no point of a bus; expected SLAVE.POINT"),
        (SMALL + EVDEV + LINES, "panel.lines: is there, and nobody reads it"),
        (SMALL + EVDEV.replace("[panel.buttons]", "active_low = false\n[panel.buttons]"), "panel.active_low: is there"),
        (SMALL + PANEL + SOS.replace("sos", "b4"), "panel.emergency.button: 'b4' declares a status too"),
        (SMALL + PANEL + SOS + 'unit = "kp-12"', "panel.emergency.unit: 'kp-12' is no unit of this device"),
        (SMALL + PANEL + SOS + "hold_s = 0.2", "panel.emergency.hold_s: is 0.2; expected a number from 0.5 to 3"),
        (SMALL + GPIOD + LINES + SOS, "panel.emergency.button: no row of panel.lines leads to 'sos'"),
        (SMALL + EVDEV + SOS, "panel.emergency.button: no row of panel.keys leads to 'sos'"),
        (SMALL + PANEL.replace('b4 = "4"', ""), "panel.buttons: has 0 entries; expected a table"),
        (SMALL + "[report]\nparked_s = 2", "report.parked_s: is 2; expected at least moving_s, which is 5"),
        (SMALL + "[outbox]\ntrack_max_rows = 1e6", "outbox.track_max_rows: is 1000000.0; expected a whole number"),
        (SMALL + "[gpsd]\nport = 0", "gpsd.port: is 0; expected a whole number from 1 to 65535"),
        (SMALL + "[gps]\nport = 1", "gps: unknown key (did you mean 'gpsd'?)"),
    ],
)
def test_each_fault_is_refused_with_its_path(folder: Path, text: str, line: str) -> None:
    """Every rule of the configuration holds on its own: one fault, one error that says where and what."""
    found = errors(folder, text)
    assert [True] == [error.startswith(line) for error in found], found


def test_all_faults_are_told_at_once(folder: Path) -> None:
    """A shape, a limit, a code, an unknown key and a variable that are wrong are told in one go."""
    text = SMALL + PANEL.replace("scripted", "script") + 'b9 = "99"\n[link]\nheartbeat_s = 0\n[outbx]\n'
    found = errors(folder, text, EDGE__GPSD__PORT="x")
    assert {"link.heartbeat_s", "gpsd.port", "panel.backend", "panel.buttons.b9", "outbx"} == {
        error.split(":")[0] for error in found
    }


def test_what_is_no_toml_or_no_file_is_refused_in_a_line(folder: Path) -> None:
    """The error names the file and what to do, without a stack trace's help."""
    with pytest.raises(ConfigInvalid, match="is not TOML"):
        written(folder, "[device")
    with pytest.raises(Fatal, match="none.toml: No such file or directory"):
        load(folder / "none.toml", {})
    (folder / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigInvalid, match="not text in UTF-8"):
        load(folder / "bytes.toml", {})


def test_a_site_scheme_beside_the_file_is_taken(folder: Path) -> None:
    """A site's row decides which button is an event, and a broken site scheme is told with its file."""
    (folder / "schemes").mkdir()
    site = folder / "schemes" / "mine.toml"
    site.write_text('replaces = "uk-fire-gd92"\n[[code]]\ncode = "4"\nlabel = "Home"\nevent = true\n', "utf-8")
    assert written(folder, SMALL + PANEL).buttons["b4"].event
    site.write_text('replaces = "uk-fire"\n', "utf-8")
    assert ["schemes/mine.toml: replaces"] == [line.split(": 'uk-fire'")[0] for line in errors(folder, SMALL + PANEL)]
    own = SMALL.replace("uk-fire-gd92", "own")
    site.write_text('name = "own"\n', "utf-8")
    assert all(line.startswith("schemes/mine.toml: ") for line in errors(folder, own)), "no blame for naming it"
    site.write_bytes(b"\xff")
    assert [True] == [line.startswith("schemes/: can't be read") for line in errors(folder, SMALL)]


def test_one_scheme_loads_by_name(folder: Path) -> None:
    """A packaged scheme is found by its name, and an unknown name is refused with those there are."""
    assert "uk-ambulance" == load_scheme("uk-ambulance").name
    with pytest.raises(ConfigInvalid, match="one of de-bos-fms, "):
        load_scheme("uk-ambulanc", folder)
