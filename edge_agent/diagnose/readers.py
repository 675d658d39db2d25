"""Whether what the agent reads from is there: gpsd, the panel, the clock."""

import asyncio
import os
import stat
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.config.settings import Gpsd, Panel
from edge_agent.decode.gpsd import Devices, Tpv, decode_fix, decode_line
from wire.findings import Finding, fail, warn, well

CONNECT_S = 3.0
LISTEN_S = 3.0
"""A receiver reports each second."""
LINE_BYTES_MAX = 32 * 1024
WATCH = b'?WATCH={"enable":true,"json":true};\n'
_FIX_OLD_S = 10.0


class _Heard(msgspec.Struct):
    """What gpsd said while we listened."""

    lines: int = 0
    devices: int | None = None
    report: Tpv | None = None
    fix: Tpv | None = None


async def look_at_gpsd(gpsd: Gpsd | None, clock: Clock) -> list[Finding]:
    """Listen to gpsd for a few seconds, beside the agent."""
    if gpsd is None:
        return [well("gpsd", "none is configured: this device reports no positions")]
    place = f"{gpsd.host}:{gpsd.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(gpsd.host, gpsd.port, limit=LINE_BYTES_MAX)
    except TimeoutError:
        return [fail("gpsd", f"{place} does not answer within {CONNECT_S:.0f} s", "look at the host and the network")]
    except OSError as error:
        do = "start gpsd (systemctl status gpsd.socket gpsd), or mend [gpsd] in the device's TOML"
        return [
            fail(
                "gpsd",
                f"{place} cannot be reached: {os.strerror(error.errno) if error.errno and error.errno > 0 else error}",
                do,
            )
        ]
    try:
        heard = await _listen(reader, writer)
    finally:
        writer.close()
    return [_about_gpsd(place, heard, clock)]


def look_at_panel(panel: Panel | None, *, is_running: bool) -> list[Finding]:
    """Look whether the panel's device or socket is there."""
    if panel is None:
        return [well("panel", "none is configured: nobody presses a status here")]
    if panel.backend == "modbus":
        return [well("panel", f"on the bus, with {len(panel.lines)} inputs and {len(panel.lamps)} lamps configured")]
    path = Path(panel.path)
    if panel.backend == "scripted":
        return [_about_socket(path, is_running)]
    group, listed = ("gpio", "/dev/gpiochip*") if panel.backend == "gpiod" else ("input", "/dev/input/by-path")
    if not path.exists():
        do = f"plug it in, or mend panel.path; `ls {listed}` lists what there is"
        return [fail("panel", f"{path} is not there", do)]
    if not os.access(path, os.R_OK | os.W_OK):
        do = f"run this as the agent's user; if that may not either, put it into the group {group}"
        return [fail("panel", f"{path} is there, and this user may not read and write it", do)]
    keys, lamps = len(panel.keys) + len(panel.lines), len(panel.leds) + len(panel.lamps)
    return [well("panel", f"{path} is there, with {keys} keys and {lamps} lamps configured")]


def look_at_clock(synchronised: bool) -> Finding:
    """Say whether the kernel's clock is disciplined."""
    if synchronised:
        return well("clock", "the kernel says that it is synchronised")
    do = "start chrony or systemd-timesyncd; with gpsd, chrony can take its time from the receiver"
    return warn("clock", "the kernel says that it is not synchronised: times may be off without a satellite fix", do)


async def _listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Heard:
    """Listen until there is a fix, for its age counts from when it is heard, or until the time is up."""
    heard = _Heard()
    try:
        async with asyncio.timeout(LISTEN_S):
            writer.write(WATCH)
            while heard.fix is None and (line := await reader.readline()):
                _take(heard, line)
    except (TimeoutError, OSError, ValueError):
        pass  # what was heard until then is what there is; ValueError: an endless line
    return heard


def _take(heard: _Heard, line: bytes) -> None:
    heard.lines += line.startswith(b'{"class":')
    match decode_line(line):
        case Devices(count):
            heard.devices = count
        case Tpv() as report:
            heard.report = report
            if report.mode >= 2:
                heard.fix = report


def _about_gpsd(place: str, heard: _Heard, clock: Clock) -> Finding:
    if heard.lines == 0:
        return fail("gpsd", f"{place} takes connections and is no gpsd", "mend gpsd.port, or end what listens there")
    if heard.report is None:
        if not heard.devices:
            do = "plug the receiver in and name its device to gpsd (DEVICES in /etc/default/gpsd)"
            return fail("gpsd", f"{place} has no receiver", do)
        do = "look at the receiver's cable and power, and at gpsd's log"
        return fail("gpsd", f"{place} has {heard.devices} receivers, and none reported within {LISTEN_S:.0f} s", do)
    if heard.fix is None:
        do = "nothing indoors or just after power on; under open sky look at the antenna and its cable"
        return warn("gpsd", f"{place}: the receiver reports, without a fix", do)
    return _about_fix(place, heard.fix, clock)


def _about_fix(place: str, report: Tpv, clock: Clock) -> Finding:
    fix, doubts = decode_fix(report, clock.now())
    if fix is None:
        reasons = ", ".join(doubt.reason for doubt in doubts)
        return warn("gpsd", f"{place}: the fix is not believed: {reasons}", "look at the receiver's settings")
    if fix.gnss_time is None:
        do = "compare this device's clock with the receiver's time; a receiver that is years off needs an update"
        return warn("gpsd", f"{place}: a {fix.mode} fix, whose time is missing or not believed", do)
    age_s = (clock.now() - fix.gnss_time).total_seconds()
    found = f"{place}: a {fix.mode} fix, {age_s:.1f} s old by this device's clock"
    if abs(age_s) <= _FIX_OLD_S:
        return well("gpsd", found)
    return warn("gpsd", found, "this device's clock or the receiver's is wrong: see clock below")


def _about_socket(path: Path, is_running: bool) -> Finding:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        return well("panel", f"the socket {path} is there")
    if path.exists():
        return fail("panel", f"{path} is no socket", "remove that file: the agent makes its socket there")
    if is_running:
        return fail("panel", f"the agent runs, and its socket {path} is not there", "start the agent again")
    return well("panel", f"the agent makes the socket {path} when it starts")
