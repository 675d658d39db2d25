"""Tells a person what to do with an assembled tree. Pure: text from what was assembled."""

import shlex
import textwrap
from collections.abc import Iterator

from edge_agent.image.assemble import MANIFEST, Assembled

_WIDTH = 100
_OPTIONS = {
    "device.id": "--device",
    "device.organisation": "--organisation",
    "device.enrolment": "--enrolment",
    "unit[0].id": "--unit",
}


def next_steps(made: Assembled) -> str:
    """Say what was assembled, what a person does next, and what is still missing."""
    head = made.profile.profile
    blocks = [
        f"{head.title}: board {head.board}, watchroom {made.version}, built {made.built_at:%Y-%m-%d %H:%M} UTC.\n"
        f"{made.files} files in {made.out}; {MANIFEST} says what they are. The configuration loads.",
        "What to do next\n" + "\n".join(_numbered(_steps(made))),
        *(f"Still to be said\n{text}" for text in _missing(made)),
        _verdict(made),
    ]
    return "\n\n".join(blocks)


def _numbered(steps: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Number the steps; a command stands on a line of its own, to be copied."""
    for number, (text, command) in enumerate(steps, 1):
        yield textwrap.fill(text, _WIDTH, initial_indent=f"{number:>2}. ", subsequent_indent="    ")
        if command:
            yield f"        {command}"


def _steps(made: Assembled) -> Iterator[tuple[str, str]]:
    yield (
        "Write Raspberry Pi OS Lite (64-bit, Debian 12) to the card. In cmdline.txt of its boot partition take out "
        "what begins with init=, which would grow the root over the whole card, and add to the one line: "
        "panic=10 cgroup_enable=memory",
        "",
    )
    yield (
        "Make a third partition on the card, ext4, labelled watchroom-data, of 2 GB or more: the only one that the "
        "device ever writes to.",
        "",
    )
    yield (
        "Mount the card's root at ROOT and its boot partition at ROOT/boot/firmware, and lay the tree over them, as "
        "root. The times of files matter: no clock is ever set behind the one of usr/lib/clock-epoch.",
        f"rsync -rlt --perms --chown=root:root {shlex.quote(f'{made.out}/')} ROOT/",
    )
    yield _install(made), "sudo /usr/lib/watchroom/install"
    yield (
        "Write its identity on its label, and enter the device, its enrolment number and what it speaks for in the "
        "cloud's directory.",
        "",
    )
    yield (
        "Commission it: press each button and see its lamp, push and release each input, then look at every part. Each "
        "line that is not ok says what to do.",
        "sudo edge-agent diagnose --config /etc/watchroom/device.toml",
    )


def _install(made: Assembled) -> str:
    if not made.packages:
        return (
            "Start the device with a network and install what it needs. That ends without an agent, for no wheels came "
            "along: assemble the tree again with --packages first."
        )
    if not made.debian:
        return (
            f"Start the device with a network, from which it takes Debian's packages, and install these and the "
            f"{made.packages} wheels that came along."
        )
    return f"Start the device and install the {made.packages} packages that came along; it asks no network for more."


def _missing(made: Assembled) -> Iterator[str]:
    rows = [f"{key:<24}{_OPTIONS.get(key, 'in a TOML of your own, with --with FILE')}" for key in made.unnamed]
    if made.profile.profile.board.startswith("station") and not made.layout:
        rows.append(f"{'the station layout':<24}--layout FILE; without it nothing at the station is sounded or opened")
    if not made.packages:
        rows.append(f"{'the agent itself':<24}--packages FOLDER, with its wheel and those of what it needs")
    if rows:
        yield "\n".join(f"    {row}" for row in rows)


def _verdict(made: Assembled) -> str:
    wan = f"the modem's access point is {made.apn}" if made.apn else "the modem finds its access point (or give --apn)"
    text = (
        f"Ready except WAN{' and what is still to be said' if tuple(_missing(made)) else ''}. Without a WAN the device "
        f"starts, keeps every press, and tells its crew that control cannot see it. For the WAN: {wan}; and the agent "
        "speaks to a broker at 127.0.0.1:1883 alone, until devices have identities, so a tunnel of your organisation's "
        "own has to bring it there."
    )
    return textwrap.fill(text, _WIDTH)
