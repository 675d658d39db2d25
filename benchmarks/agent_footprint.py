"""Memory and processor time of one agent, in an environment that holds nothing but the edge.

`python -m benchmarks.agent_footprint --seconds 30` makes that environment from `requirements-edge.lock` (hashes
checked), runs the agent in it beside the application and a receiver at 1 Hz of a vehicle that drives, and prints one
JSON object on the last line: `rss_mib` (the highest resident set seen), `cpu_percent` of one core, and a baseline from
the same environment: an interpreter that has imported nothing but asyncio.

`--station` is a station's agent instead: its touch page is served, and it reads three blocks of a Modbus slave four
times a second. With `--peer` thingsboard-gateway reads the same slave at the same rate from an environment of its own;
the two run by turns, `--rounds` times, and `cpu_share` is how much of the peer's processor time ours takes (medians).
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks.footprint_peer import make_peer, peer_command
from benchmarks.footprint_plant import serve_plant, station_lines, write_map
from benchmarks.processes import SCHEME, free_port, process, program_of, write_lines
from cloud.broker.embedded import EmbeddedBroker
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


def write_site(folder: Path, mqtt_port: int, around: list[str]) -> None:
    """Write a directory of one unit, and its device with what is `around` it."""
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
        *around,
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


def up_command(folder: Path, *broker: str) -> list[str]:
    """The application that the agent speaks to; `broker` are its options of that."""
    program = str(Path(sys.executable).with_name("watchroom"))
    return [program, "up", "--data", str(folder / "data"), "--port", str(free_port()), *broker]


async def measure(seconds: float) -> dict[str, float]:
    """Measure a vehicle's agent, and the bare interpreter beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = make_environment(folder)
        mqtt_port = free_port()
        receiver = Receiver(observe, clock=_clock)
        async with receiver:
            write_site(folder, mqtt_port, [f"[gpsd]\nport = {receiver.port}"])
            agent = [str(programs / "edge-agent"), "run", "--config", str(folder / "device" / "device.toml")]
            bare = [str(programs / "python"), "-c", "import asyncio; asyncio.run(asyncio.sleep(3600))"]
            ticking = asyncio.ensure_future(receiver.run())
            up = up_command(folder, "--mqtt-port", str(mqtt_port))
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


async def measure_station(seconds: float, peer: bool, rounds: int) -> dict[str, float]:
    """Measure a station's agent, and the peer by turns with it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = make_environment(folder)
        mosquitto = EmbeddedBroker(program_of("mosquitto"), store=folder / "broker", clock=_clock)
        async with mosquitto as broker, serve_plant() as plant:  # one that the peer can speak to: it wants MQTT 5
            mqtt_port = broker.port
            write_site(folder, mqtt_port, [*station_lines(plant.port), f"[page]\nport = {free_port()}"])
            write_map(folder / "device")
            agent = [str(programs / "edge-agent"), "run", "--config", str(folder / "device" / "device.toml")]
            other = peer_command(make_peer(folder / "peer"), folder / "peer", plant.port, mqtt_port) if peer else None
            ours: list[tuple[float, float, float]] = []
            theirs: list[tuple[float, float, float]] = []
            up = up_command(folder, "--broker", f"mqtt://127.0.0.1:{mqtt_port}")
            async with process(up, until="Board"):
                for _ in range(rounds if peer else 1):
                    ours.append(await watch_reads(agent, plant.reads, seconds))
                    if other is not None:
                        theirs.append(await watch_reads(other, plant.reads, seconds))
    found = _medians(ours, "")
    if theirs:
        found |= _medians(theirs, "peer_")
        found["cpu_share"] = round(found["cpu_percent"] / found["peer_cpu_percent"], 3)
    return found | {"seconds": seconds, "rounds": len(ours)}


async def watch_reads(command: list[str], reads: Callable[[], int], seconds: float) -> tuple[float, float, float]:
    """Run a command beside the plant: its memory, its processor time, and how often a second it read the plant."""
    async with process(command, until="") as running:
        await _clock.sleep(WARM_UP_S)
        before, began_s = reads(), _clock.monotonic()
        found_mib, cpu_percent = await watch(running.pid, seconds)
        return found_mib, cpu_percent, round((reads() - before) / (_clock.monotonic() - began_s), 1)


def _medians(found: list[tuple[float, float, float]], prefix: str) -> dict[str, float]:
    names = ("rss_mib", "cpu_percent", "reads_per_s")
    return {f"{prefix}{name}": median(one[place] for one in found) for place, name in enumerate(names)}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.agent_footprint",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to watch (default 30)")
    parser.add_argument("--station", action="store_true", help="a station's agent, with a plant and its touch page")
    parser.add_argument("--peer", action="store_true", help="with --station: thingsboard-gateway by turns with it")
    parser.add_argument("--rounds", type=int, default=3, help="with --peer: how often each runs (default 3)")
    asked = parser.parse_args()
    work = measure_station(asked.seconds, asked.peer, asked.rounds) if asked.station else measure(asked.seconds)
    print(json.dumps(asyncio.run(work)))


if __name__ == "__main__":
    main()
