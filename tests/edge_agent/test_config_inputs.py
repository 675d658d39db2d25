"""The section `[inputs]`: what loads, what is refused, and how its faults are told."""

from pathlib import Path

import pytest

from edge_agent.around import look_around
from edge_agent.clock import SystemClock
from edge_agent.config import Config, ConfigInvalid, load
from edge_agent.sources.inputs_scripted import ScriptedInputs

DEVICE = """
[device]
id = "veh-0001"
organisation = "kfrs"
enrolment = "E1"
state_dir = "state"
[[unit]]
id = "kfrs-14p1"
scheme = "uk-fire-gd92"
"""
INPUTS = '[inputs]\nbackend = "gpiod"\npath = "/dev/gpiochip0"\n[inputs.lines]\n20 = "ignition"\n21 = "power_fail"\n'
PANEL = """
[panel]
backend = "gpiod"
path = "/dev/gpiochip0"
buttons = { b4 = "4" }
lines = { 17 = "b4" }
lamps = { b4 = "10" }
"""


def written(folder: Path, text: str, **environ: str) -> Config:
    """Write a device's TOML with this text at its end, and load it."""
    path = folder / "device.toml"
    path.write_text(DEVICE + text, "utf-8")
    return load(path, environ)


def test_inputs_load_with_their_defaults(tmp_path: Path) -> None:
    """Lines are named as they are marked, all on when low and free of bounce after 50 ms; without it there are none."""
    inputs = written(tmp_path, INPUTS + "[inputs.active_low_of]\nignition = false\n" + PANEL).inputs
    assert inputs is not None
    assert (inputs.names, inputs.path, inputs.debounce_ms) == (("ignition", "power_fail"), "/dev/gpiochip0", 50)
    assert (inputs.lines_of(True), inputs.lines_of(False)) == ({"21": "power_fail"}, {"20": "ignition"})
    assert written(tmp_path, "").inputs is None


def test_a_device_without_gpio_can_be_tried_by_two_variables(tmp_path: Path) -> None:
    """The file of a real device runs on a bench: backend and path of its inputs are taken from the environment."""
    place = {"EDGE__INPUTS__BACKEND": "scripted", "EDGE__INPUTS__PATH": "inputs.sock"}
    config = written(tmp_path, INPUTS, **place)
    assert config.inputs is not None and config.inputs.path == str(tmp_path / "inputs.sock")
    assert isinstance(look_around(config, SystemClock()).inputs, ScriptedInputs)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('path = "/dev/gpiochip0"\n', "", "inputs.path: is missing; expected the chip, such as '/dev/gpiochip0'"),
        ('"gpiod"', '"scripted"', ""),
        ('"gpiod"\npath = "/dev/gpiochip0"', '"scripted"', "inputs.path: is missing; expected the socket to listen on"),
        ('"gpiod"', '"gpio"', "inputs.backend: is 'gpio' (did you mean 'gpiod'?)"),
        ('"power_fail"', '"ignition"', "inputs.lines.21: 'ignition' is there twice; expected each input once"),
        ('20 = "ignition"\n21 = "power_fail"', "", "inputs.lines: has 0 entries; expected a table of"),
        ("20 =", "17 =", "inputs.lines.17: '17' is used by button 'b4' of the panel and by input 'ignition'"),
        ("20 =", "10 =", "inputs.lines.10: '10' is used by the lamp of 'b4' of the panel and by input 'ignition'"),
        ("[inputs.lines]", "debounce_ms = 0\n[inputs.lines]", "inputs.debounce_ms: is 0; expected"),
        (
            "[inputs.lines]",
            "active_low_of = { ignitoin = false }\n[inputs.lines]",
            "inputs.active_low_of.ignitoin: 'ignitoin' is no input of [inputs.lines] (did you mean 'ignition'?)",
        ),
        ('"ignition"', '"Ignition"', "inputs.lines.20: is 'Ignition'; expected 1 to 40 of a-z, 0-9, _ and -"),
    ],
)
def test_each_fault_is_one_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    """One fault, one line that says where and what is right; lines of the panel and of another chip do not clash."""
    assert old in INPUTS
    if not line:
        assert written(tmp_path, INPUTS.replace(old, new, 1).replace("20 =", "17 =") + PANEL).inputs is not None
        return
    with pytest.raises(ConfigInvalid) as caught:
        written(tmp_path, INPUTS.replace(old, new, 1) + PANEL)
    found = [each.strip() for each in str(caught.value).splitlines()[1:]]
    assert [each.startswith(line) for each in found] == [True], found


def test_a_socket_s_path_may_not_be_too_long(tmp_path: Path) -> None:
    """What the system cannot bind is refused before the start."""
    with pytest.raises(ConfigInvalid, match="inputs.path: is .* bytes long"):
        written(tmp_path, INPUTS.replace('"gpiod"', '"scripted"').replace("/dev/gpiochip0", "p" * 120))
