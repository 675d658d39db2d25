"""A process of its own: the whole application, whose fleet hears so many updates. What `benchmarks.fanout` measures.

`python -m benchmarks.fanout_served FOLDER PORT UNITS UPDATES SECONDS` serves; says `ready`; once a line comes in it
lets the fleet hear the updates, evenly over the time; then it prints one JSON object: `cpu_s`, `wall_s`, `held_back`.
`python -m benchmarks.fanout_served bare PORT BYTES EVENTS SECONDS` does what cannot be done without: it writes as
many bytes to everybody who connects.
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
from pathlib import Path

import structlog

from benchmarks.availability import Event, Speaker
from cloud.app import App
from cloud.clock import SystemClock
from cloud.config import Settings
from cloud.fleet.clocks import Corrected, Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.position import make_place
from wire.events import PositionEvent

TURN_S = 0.01
TICK_MS = 200
_clock = SystemClock()


class Driver(Speaker):
    """A unit's carrier whose positions say when they were measured, so that whoever gets one knows its age."""

    def _position(self, now: Moment) -> Event:
        self._track += 1
        lat = 51.0 + self._number % 100 / 100 + self._track % 40 / 10_000
        event = PositionEvent(
            **self._stamp(self._track, now),
            fix="3d",
            lat=lat,
            lon=0.5,
            speed_mps=9.0,
            heading_deg=90.0,
            accuracy_m=4.0,
            gnss_time=now.utc,
        )
        corrected = Corrected(now.utc, True)

        def tell(fleet: Fleet, now: Moment) -> object:
            place = make_place(event, ordinal=1, stream=self._stream, corrected=corrected, received_s=now.mono_s)
            return fleet.apply_place(self.device, place, now)

        return tell


async def serve(folder: Path, port: int, units: int, updates: int, seconds: float) -> None:
    """Serve, let the updates be heard, and say what that took."""
    settings = Settings(
        data=folder, directory=folder / "directory", port=port, partner_port=port + 1, mqtt_port=0, tick_ms=TICK_MS
    )
    app = App(settings, _clock)
    running = asyncio.ensure_future(app.run())
    await app.ready.wait()
    site = app.site
    assert site is not None
    speakers = [Driver(number) for number in range(units)]
    for what in ("heartbeat", "press", "crew", "position", "heartbeat"):
        for number, speaker in enumerate(speakers):
            speaker.say(what, site.moment())(site.ingest.fleet, site.moment())
            if number % 100 == 0:
                await _clock.sleep(0)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    before_s, began_s = _cpu_s(), _clock.monotonic()
    told = 0
    while told < updates:
        due = min(updates, int((_clock.monotonic() - began_s) / seconds * updates) + 1)
        for number in range(told, due):
            now = site.moment()
            speakers[number % units].say("position", now)(site.ingest.fleet, now)
        told = due
        await _clock.sleep(TURN_S)
    await _clock.sleep(max(0.0, began_s + seconds - _clock.monotonic()) + 2 * TICK_MS / 1000)
    spent = {"cpu_s": _cpu_s() - before_s, "wall_s": _clock.monotonic() - began_s, "held_back": site.partners.held_back}
    print(json.dumps(spent), flush=True)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def bare(port: int, size: int, events: int, seconds: float) -> None:
    """Write `events` of `size` bytes to each connection, evenly over the time, and say what that took."""
    writers: list[asyncio.StreamWriter] = []

    async def meet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(meet, "127.0.0.1", port)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    before_s, began_s, data = _cpu_s(), _clock.monotonic(), os.urandom(size)
    for number in range(events):
        for writer in writers:
            writer.write(data)
        await _clock.sleep(began_s + (number + 1) * seconds / events - _clock.monotonic())
    print(json.dumps({"cpu_s": _cpu_s() - before_s, "wall_s": _clock.monotonic() - began_s}), flush=True)
    server.close()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Do one or the other."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if sys.argv[1] == "bare":
        asyncio.run(bare(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
    else:
        folder, port, units, updates, seconds = sys.argv[1:]
        asyncio.run(serve(Path(folder), int(port), int(units), int(updates), float(seconds)))


if __name__ == "__main__":
    main()
