"""What is wrong with a device's config.txt, a line each: no program reads it but the Raspberry Pi's firmware, silently.

Known are the keys that a device of ours may need. Source: Raspberry Pi documentation, config.txt, and the README of the
firmware's overlays. Sections are not used: a device is one model.
"""

import re
from collections.abc import Iterator, Mapping

from kit.pinmap import Pinmap
from wire.strict import Problem, closest

LINE_CHARS_MAX = 98
"""The firmware ignores what is beyond."""
SWITCHES = (
    "arm_64bit",
    "auto_initramfs",
    "camera_auto_detect",
    "disable_fw_kms_setup",
    "disable_splash",
    "display_auto_detect",
    "enable_uart",
    "otg_mode",
)
"""Keys that are 0 or 1."""
NUMBERS = ("boot_delay", "gpu_mem", "max_framebuffers")
PARAMETERS = ("audio", "i2c_arm", "spi", "watchdog")
"""What `dtparam` switches on or off."""
MUST = {"arm_64bit": "1", "dtparam=watchdog": "on", "dtparam=i2c_arm": "on"}
"""Without these a device is not ours: the packages are of 64 bits, a hang would last, the clock would not be found."""
OVERLAYS: Mapping[str, tuple[int, ...]] = {
    "disable-bt": (),
    "disable-wifi": (),
    "miniuart-bt": (),
    "vc4-kms-v3d": (),
    "i2c-rtc": (2, 3),
    "pps-gpio": (18,),
    "w1-gpio": (4,),
    "gpio-shutdown": (3,),
    "spi0-1cs": (8, 9, 10, 11),
    "uart2": (0, 1),
    "uart3": (4, 5),
    "uart4": (8, 9),
    "uart5": (12, 13),
}
"""Overlays that come with the firmware, and the GPIOs that each takes unless it is told otherwise."""
_TAKEN = {"enable_uart=1": (14, 15), "dtparam=spi=on": (7, 8, 9, 10, 11), "dtparam=i2c_arm=on": (2, 3)}
_PIN = re.compile(r"(?:gpiopin|gpio_pin|gpio)=(\d+)")


def boot_problems(text: str, pinmap: Pinmap) -> tuple[Problem, ...]:
    """Tell everything that is wrong with the config.txt of the board that `pinmap` is of."""
    return (*_line_problems(text, pinmap), *_missing_problems(text, pinmap), *_clashes(text, pinmap))


def usb_problems(text: str, bill: str) -> Iterator[Problem]:
    """Tell where the bill has a Compute Module 4 with something on its USB, and nothing switches that on.

    Raspberry Pi OS has `otg_mode=1` in its own config.txt for that module, and ours stands in its place.
    """
    if "Compute Module 4" in bill and ", USB" in bill and "otg_mode=1" not in text.splitlines():
        yield Problem("", "otg_mode=1 is missing: the USB of a Compute Module 4 is off", "it, in a line of its own")


def _line_problems(text: str, pinmap: Pinmap) -> Iterator[Problem]:
    said: dict[str, tuple[int, str]] = {}
    for number, line in _lines(text):
        place = f"line {number}"
        key, _, value = line.partition("=")
        if len(line) > LINE_CHARS_MAX:
            yield Problem(place, f"has {len(line)} characters", f"{LINE_CHARS_MAX} at most: the firmware ignores more")
        if line.startswith("["):
            yield Problem(place, f"{line} begins a section", "no sections: the file is of one board")
        elif "=" not in line or line != line.replace(" ", ""):
            yield Problem(place, f"{line!r} sets nothing", "key=value, without spaces")
        elif key == "dtoverlay":
            yield from _overlay_problems(place, value.partition(",")[0], pinmap)
        else:
            yield from _value_problems(place, key, value)
        setting = line if key == "dtoverlay" else line.rpartition("=")[0]
        before = said.setdefault(setting, (number, line))
        if before[0] != number:
            yield Problem(place, f"{setting} stands here and in line {before[0]}", "each once: the later one counts")


def _overlay_problems(place: str, name: str, pinmap: Pinmap) -> Iterator[Problem]:
    own = f"watchroom-{pinmap.board.name}"
    if name not in (*OVERLAYS, own):
        problem = f"overlay {name!r} is not in the image{closest(name, (own, *OVERLAYS))}"
        yield Problem(place, problem, f"{own}, or one that comes with the firmware")


def _value_problems(place: str, key: str, value: str) -> Iterator[Problem]:
    if key == "dtparam":
        name, _, state = value.partition("=")
        if name not in PARAMETERS:
            yield Problem(place, f"there is no dtparam {name!r}{closest(name, PARAMETERS)}", _one_of(PARAMETERS))
        elif state not in ("on", "off"):
            yield Problem(place, f"dtparam {name} is {state!r}", "on or off")
    elif key in SWITCHES:
        if value not in ("0", "1"):
            yield Problem(place, f"{key} is {value!r}", "0 or 1")
    elif key in NUMBERS:
        if not value.isdecimal():
            yield Problem(place, f"{key} is {value!r}", "a number")
    else:
        known = (*SWITCHES, *NUMBERS, "dtparam", "dtoverlay")
        yield Problem(place, f"{key!r} is no key of config.txt{closest(key, known)}", _one_of(known))


def _missing_problems(text: str, pinmap: Pinmap) -> Iterator[Problem]:
    lines = tuple(line for _, line in _lines(text))
    for key, value in {**MUST, "dtoverlay": f"watchroom-{pinmap.board.name}"}.items():
        if f"{key}={value}" not in lines:
            yield Problem("", f"{key}={value} is missing", "it, in a line of its own")


def _clashes(text: str, pinmap: Pinmap) -> Iterator[Problem]:
    """Pins that a line takes, and that the pin map has for something else."""
    users = {each.pin: f"signal {each.name!r}" for each in pinmap.signal if each.pin is not None}
    for bus in pinmap.bus:
        users |= {pin: f"bus {bus.name!r} ({role})" for role, pin in bus.pins.items()}
    for number, line in _lines(text):
        overlay = line.removeprefix("dtoverlay=").partition(",")[0] if line.startswith("dtoverlay=") else ""
        told = tuple(int(pin) for pin in _PIN.findall(line)) if overlay else ()
        taken = told or OVERLAYS.get(overlay, ()) or _TAKEN.get(line, ())
        both = [f"GPIO{pin} is used by {line} and by {users[pin]}" for pin in taken if pin in users]
        if line != "dtparam=i2c_arm=on":  # the pin map's own bus on these pins is that one
            yield from (Problem(f"line {number}", each, "each pin once: see hardware/") for each in both)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith("#"):
            yield number, line


def _one_of(names: tuple[str, ...]) -> str:
    return f"one of {', '.join(names)}"
