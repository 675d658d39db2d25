"""Memory and processor time of one vehicle's agent at 1 Hz GPS, in an environment that holds nothing but the edge.

`python -m benchmarks.agent_footprint --seconds 30` makes that environment from `requirements-edge.lock` (hashes
checked), runs the agent in it beside the application and a receiver at 1 Hz of a vehicle that drives, and prints one
JSON object on the last line: `rss_mib` (the highest resident set seen), `cpu_percent` of one core, and a baseline from
the same environment: an interpreter that has imported nothing but asyncio.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks.processes import SCHEME, free_port, process, write_lines
from cloud.clock import SystemClock
from simulator.earth import offset
from simulator.receiver import Receiver
from simulator.roads import CENTRE
from simulator.vehicle import Fix

ROOT = Path(__file__).resolve().parent.parent
WARM_UP_S = 5.0
SPEED_MPS = 13.0
_clock = SystemClock()


def make_environment(folder: Path) -> Path:
    """Make the edge-only environment, and give its `bin` folder."""
    environment = folder / "environment"
    run([sys.executable, "-m", "venv", str(environment)])
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements-edge.lock")])
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheel")])
    run([*pip, "--no-deps", *(str(wheel) for wheel in (folder / "wheel").glob("*.whl"))])
    return environment / "bin"


def run(command: list[str]) -> None:
    """Run a command to its end, silently. Exits where it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def write_site(folder: Path, gpsd_port: int, mqtt_port: int) -> None:
    """Write a directory of one unit, and its device."""
    lines = [
        '[[organisation]]\nid = "o"\nname = "O"\nservice = "fire"',
        '[[base]]\nid = "b"\nname = "B"',
        f'[[unit]]\nid = "u"\ncallsign = "U"\norganisation = "o"\ntype = "pump"\nbase = "b"\nscheme = "{SCHEME}"\n'
        'carrier = "d"',
        '[[device]]\nid = "d"\norganisation = "o"\nenrolment = "E1"',
    ]
    write_lines(folder / "data" / "directory" / "all.toml", lines)
    device = [
        '[device]\nid = "d"\norganisation = "o"\nenrolment = "E1"\nstate_dir = "state"',
        f'[link]\nbroker = "mqtt://127.0.0.1:{mqtt_port}"',
        f'[[unit]]\nid = "u"\nscheme = "{SCHEME}"',
        f"[gpsd]\nport = {gpsd_port}",
        '[panel]\nbackend = "scripted"\npath = "panel.sock"\n[panel.buttons]\nb4 = "4"',
    ]
    write_lines(folder / "device" / "device.toml", device)


def observe(_: datetime) -> Fix:
    """Where the vehicle is: it drives north at a steady speed."""
    point = offset(CENTRE, east_m=0.0, north_m=SPEED_MPS * _clock.monotonic() % 20_000)
    return Fix(point.lat, point.lon, SPEED_MPS, 0.0)


def rss_mib(pid: int) -> float:
    """A process's resident set, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """A process's user and system time, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def watch(pid: int, seconds: float) -> tuple[float, float]:
    """Give the highest resident set, in MiB, and the share of a core used, in percent."""
    await _clock.sleep(WARM_UP_S)
    began_s, used_s, highest = _clock.monotonic(), cpu_s(pid), 0.0
    while (elapsed_s := _clock.monotonic() - began_s) < seconds:
        highest = max(highest, rss_mib(pid))
        await _clock.sleep(0.25)
    return round(highest, 1), round(100 * (cpu_s(pid) - used_s) / elapsed_s, 2)


async def measure(seconds: float) -> dict[str, float]:
    """Measure the agent, and the bare interpreter beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = make_environment(folder)
        mqtt_port = free_port()
        receiver = Receiver(observe, clock=_clock)
        async with receiver:
            write_site(folder, receiver.port, mqtt_port)
            up = [str(Path(sys.executable).with_name("watchroom")), "up", "--data", str(folder / "data")]
            up += ["--port", str(free_port()), "--mqtt-port", str(mqtt_port)]
            agent = [str(programs / "edge-agent"), "run", "--config", str(folder / "device" / "device.toml")]
            bare = [str(programs / "python"), "-c", "import asyncio; asyncio.run(asyncio.sleep(3600))"]
            ticking = asyncio.ensure_future(receiver.run())
            async with process(up, until="Board"), process(agent, until="") as one, process(bare, until="") as other:
                found_mib, cpu_percent = await watch(one.pid, seconds)
                baseline_mib = rss_mib(other.pid)
            ticking.cancel()
    return {
        "rss_mib": found_mib,
        "cpu_percent": cpu_percent,
        "seconds": seconds,
        "baseline_interpreter_rss_mib": round(baseline_mib, 1),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to watch (default 30)")
    print(json.dumps(asyncio.run(measure(parser.parse_args().seconds))))


if __name__ == "__main__":
    main()
