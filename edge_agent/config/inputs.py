"""The device's own contacts on GPIO lines: the shape of `[inputs]`, and what its shape can't tell. Pure."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_agent.config.panel import SOCKET_PATH_BYTES_MAX
from edge_agent.config.settings import ButtonName, LineName, Panel, PathText
from wire.strict import Problem, closest

IGNITION = "ignition"
"""The input that says whether the ignition is on, by the name that control reads it by too."""
POWER_FAIL = "power_fail"
"""The input that says that the device runs on its hold-up store."""

_PATHS = {
    "scripted": "the socket to listen on, such as 'inputs.sock'",
    "gpiod": "the chip, such as '/dev/gpiochip0'",
}


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Contacts that are wired to the device itself. Two names mean something here: `ignition` and `power_fail`."""

    backend: Literal["gpiod", "scripted"]
    path: PathText = ""
    """The GPIO chip (gpiod), or the socket to listen on (scripted). Absolute once loaded, as `state_dir`."""
    lines: Annotated[dict[LineName, ButtonName], Meta(min_length=1, description="GPIO = name, as 20 = 'ignition'")]
    """Which line is which input, by the line's name or offset. A scripted one takes the names alone."""
    active_low: bool = True
    """A contact that is on pulls its line low."""
    active_low_of: dict[ButtonName, bool] = {}
    """The same of single inputs, where it differs."""
    debounce_ms: Annotated[int, Meta(ge=1, le=1000, description="milliseconds in which a contact may bounce")] = 50

    @property
    def names(self) -> tuple[str, ...]:
        """Every input."""
        return tuple(self.lines.values())

    def lines_of(self, active_low: bool) -> dict[str, str]:
        """Give the lines on which a low level means on, or the others: line to name."""
        return {
            line: name
            for line, name in self.lines.items()
            if self.active_low_of.get(name, self.active_low) is active_low
        }


def input_problems(inputs: Inputs, panel: Panel | None) -> Iterator[Problem]:
    """Tell what is wrong with the inputs beyond their shape; the panel is there to find lines that both use."""
    yield from _path_problems(inputs)
    for index, (line, name) in enumerate(inputs.lines.items()):
        if name in inputs.names[:index]:
            yield Problem(f"inputs.lines.{line}", f"{name!r} is there twice", "each input once")
    for name in inputs.active_low_of:
        if name not in inputs.names:
            problem = f"{name!r} is no input of [inputs.lines]{closest(name, inputs.names)}"
            yield Problem(f"inputs.active_low_of.{name}", problem, f"one of {', '.join(inputs.names)}")
    if panel is None or (panel.backend, inputs.backend) != ("gpiod", "gpiod") or panel.path != inputs.path:
        return
    used = {line: f"button {name!r}" for line, name in panel.lines.items()}
    used |= {line: f"the lamp of {name!r}" for name, line in panel.lamps.items()}
    for line, name in inputs.lines.items():
        if line in used:
            problem = f"{line!r} is used by {used[line]} of the panel and by input {name!r}"
            yield Problem(f"inputs.lines.{line}", problem, "each line once")


def _path_problems(inputs: Inputs) -> Iterator[Problem]:
    if not inputs.path:
        yield Problem("inputs.path", "is missing", _PATHS[inputs.backend])
        return
    size = len(inputs.path.encode())
    if inputs.backend == "scripted" and size > SOCKET_PATH_BYTES_MAX:
        expected = f"at most {SOCKET_PATH_BYTES_MAX} bytes: a socket's path can't be longer"
        yield Problem("inputs.path", f"is {size} bytes long as {inputs.path!r}", expected)
