"""Whether what the agent reads from is there, where it can't be asked: receiver, bus, panel, clock."""

import asyncio
import os
import stat
from datetime import datetime
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.config.buses import BusSettings
from edge_agent.config.settings import Gpsd, Panel
from edge_agent.decode.gpsd import Devices, Tpv, decode_fix, decode_line
from edge_agent.state.health import NONE_FITTED, WallClock, judge_clock
from wire.findings import Finding, fail, merge, warn, well

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


async def look_at_gpsd(gpsd: Gpsd | None, clock: Clock) -> Finding:
    """Listen to gpsd for a few seconds, beside the agent."""
    if gpsd is None:
        return well("receiver", NONE_FITTED)
    place = f"{gpsd.host}:{gpsd.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(gpsd.host, gpsd.port, limit=LINE_BYTES_MAX)
    except TimeoutError:
        found = f"gpsd on {place} does not answer within {CONNECT_S:.0f} s"
        return fail("receiver", found, "look at the host and the network")
    except OSError as error:
        do = "start gpsd (systemctl status gpsd.socket gpsd), or mend [gpsd] in the device's TOML"
        return fail("receiver", f"gpsd on {place} cannot be reached: {_cause(error)}", do)
    try:
        heard = await _listen(reader, writer)
    finally:
        writer.close()
    return _about_gpsd(f"gpsd on {place}", heard, clock)


async def look_at_bus(buses: tuple[BusSettings, ...]) -> Finding:
    """Look whether each line's port or gateway is there. Nothing is asked of a module: that is its agent's alone."""
    if not buses:
        return well("bus", NONE_FITTED)
    troubles = [trouble for bus in buses if (trouble := await _about_line(bus)) is not None]
    return merge(
        "bus", troubles, otherwise=f"{', '.join(bus.place for bus in buses)} can be opened; no module is asked"
    )


def look_at_panel(panel: Panel | None, *, is_running: bool) -> Finding:
    """Look whether the panel's device or socket is there."""
    if panel is None:
        return well("panel", NONE_FITTED)
    if panel.backend == "modbus":
        return well("panel", f"on the bus, with {len(panel.lines)} inputs and {len(panel.lamps)} lamps configured")
    path = Path(panel.path)
    if panel.backend == "scripted":
        return _about_socket(path, is_running)
    group, listed = ("gpio", "/dev/gpiochip*") if panel.backend == "gpiod" else ("input", "/dev/input/by-path")
    if not path.exists():
        do = f"plug it in, or mend panel.path; `ls {listed}` lists what there is"
        return fail("panel", f"{path} is not there", do)
    if not os.access(path, os.R_OK | os.W_OK):
        return fail("panel", f"{path} is there, and this user may not read and write it", _as_agent(group))
    keys, lamps = len(panel.keys) + len(panel.lines), len(panel.leds) + len(panel.lamps)
    return well("panel", f"{path} is there, with {keys} keys and {lamps} lamps configured")


def look_at_clock(synchronised: bool, utc: datetime, built_at: datetime | None) -> Finding:
    """Judge the wall clock by the kernel's word alone: whether a receiver agrees with it, the agent knows."""
    return judge_clock(WallClock(source="ntp" if synchronised else "none", contested=False, built_at=built_at), utc)


async def _about_line(bus: BusSettings) -> Finding | None:
    """Say what is wrong with a line, seen from here; None where nothing is."""
    if bus.transport == "rtu":
        path = Path(bus.path or "")
        if not path.exists():
            return fail("bus", f"{path} is not there", f"plug the adapter of {bus.name} in, or mend its path")
        allowed = os.access(path, os.R_OK | os.W_OK)
        return None if allowed else fail("bus", f"{path} may not be read and written", _as_agent("dialout"))
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(bus.host, bus.port)
    except (TimeoutError, OSError) as error:
        do = f"look at the power and the cable of the gateway of {bus.name}"
        return fail("bus", f"{bus.place} cannot be reached: {_cause(error) or 'no answer'}", do)
    writer.close()
    return None


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
        return fail(
            "receiver", f"{place} takes connections and is no gpsd", "mend gpsd.port, or end what listens there"
        )
    if heard.report is None:
        if not heard.devices:
            do = "plug the receiver in and name its device to gpsd (DEVICES in /etc/default/gpsd)"
            return fail("receiver", f"{place} has no receiver", do)
        do = "look at the receiver's cable and power, and at gpsd's log"
        return fail("receiver", f"{place} has {heard.devices} receivers, and none reported within {LISTEN_S:.0f} s", do)
    if heard.fix is None:
        do = "nothing indoors or just after power on; under open sky look at the antenna and its cable"
        return warn("receiver", f"{place}: the receiver reports, without a fix", do)
    return _about_fix(place, heard.fix, clock)


def _about_fix(place: str, report: Tpv, clock: Clock) -> Finding:
    fix, doubts = decode_fix(report, clock.now())
    if fix is None:
        reasons = ", ".join(doubt.reason for doubt in doubts)
        return warn("receiver", f"{place}: the fix is not believed: {reasons}", "look at the receiver's settings")
    if fix.gnss_time is None:
        do = "compare this device's clock with the receiver's time; a receiver that is years off needs an update"
        return warn("receiver", f"{place}: a {fix.mode} fix, whose time is missing or not believed", do)
    age_s = (clock.now() - fix.gnss_time).total_seconds()
    found = f"{place}: a {fix.mode} fix, {age_s:.1f} s old by this device's clock"
    if abs(age_s) <= _FIX_OLD_S:
        return well("receiver", found)
    return warn("receiver", found, "this device's clock or the receiver's is wrong: see clock")


def _about_socket(path: Path, is_running: bool) -> Finding:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        return well("panel", f"the socket {path} is there")
    if path.exists():
        return fail("panel", f"{path} is no socket", "remove that file: the agent makes its socket there")
    if is_running:
        return fail("panel", f"the agent runs, and its socket {path} is not there", "start the agent again")
    return well("panel", f"the agent makes the socket {path} when it starts")


def _as_agent(group: str) -> str:
    return f"run this as the agent's user; if that may not either, put it into the group {group}"


def _cause(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
