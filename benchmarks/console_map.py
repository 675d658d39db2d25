"""How smoothly the map moves: `python -m benchmarks.console_map --units 5000`.

Every unit moves once a second, told by the feed's own events over HTTP to the page's own code in Debian's Chromium,
which draws with software alone. A frame is asked for whenever the browser would draw one; `fps` counts those that were
drawn. `bare_fps`, of the same minute, is a page whose WebGL canvas of the same size is only cleared: presenting it is
most of what a frame costs where software draws, and nothing that moves can be quicker.
"""

import argparse
import asyncio
import json
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from math import cos, radians, sin
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright
from starlette.responses import Response, StreamingResponse

from benchmarks.percentiles import percentile
from cloud import console
from cloud.clock import SystemClock
from wire.feed import Ages, Changes, FeedRecord, PositionView, Reason, Service, Snapshot, StatusView

TICK_S = 0.2
TICKS_A_SECOND = 5
SPEED_MPS = 14.0
SOFTWARE_GRAPHICS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
SERVICES: tuple[Service, ...] = ("fire", "police", "ambulance")
BODY = """<!doctype html><link rel="stylesheet" href="console/board.css">
<link rel="stylesheet" href="console/vendor/maplibre-gl/maplibre-gl.css"><link rel="stylesheet" href="console/map.css">
<link rel="stylesheet" href="bench.css"><section id="map" class="map"></section>
<script type="module" src="bench.js"></script>"""
LOOK = "#map { width: 1020px; height: 560px; }"
SCRIPT = """
import { ElapsedClock } from "./console/js/clock.js";
import { Feed } from "./console/js/feed.js";
import { UnitMap } from "./console/js/map/unitmap.js";

const map = new UnitMap(document.getElementById("map"), { select() {} });
const show = () => map.show(feed.units, feed.state === "live", feed.serverMs());
const feed = new Feed("v1/feed", new ElapsedClock(), {
  replaced: show, changed: show, state() {}, ordered() {}, alarmed() {},
});
setInterval(() => { feed.tick(); map.tick(feed.serverMs() ?? 0); }, 500);
feed.tick();
globalThis.bench = { map, feed };
"""
BARE = """<!doctype html><canvas width="1020" height="560"></canvas><script>
const gl = document.querySelector("canvas").getContext("webgl2", { antialias: false });
globalThis.bench = { map: { frames: 0, repaint() {
  this.frames += 1;
  gl.clearColor((this.frames % 50) / 50, 0, 0, 1);
  gl.clear(gl.COLOR_BUFFER_BIT);
} } };
</script>"""
COUNT = """(seconds) => new Promise((resolve) => {
  const times = [];
  const { map } = globalThis.bench;
  let before = map.frames;
  const begin = performance.now();
  const frame = (now) => {
    if (map.frames > before) times.push(now);
    before = map.frames;
    map.repaint();
    if (performance.now() - begin > seconds * 1000) resolve(times); else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""

_clock = SystemClock()


def record(number: int, second: float, cursor: int) -> FeedRecord:
    """A unit on its way around its base, fresh and confirmed."""
    now = _clock.now()
    turn = radians(number * 7 + second * 6)
    lat, lon = 50.9 + (number % 71) * 0.011, -0.6 + (number // 71) * 0.027
    return FeedRecord(
        unit=f"u-{number}",
        callsign=f"P{number:04}",
        organisation="org",
        service=SERVICES[number % 3],
        type="Pumping appliance",
        base=f"Stn {number % 40:02}",
        availability="Available" if number % 4 else "NotAvailable",
        confidence="confirmed",
        reasons=(Reason(code="declared", text="Declared on the vehicle's panel", source="panel", age_s=840.0),),
        status=StatusView(
            scheme="uk-fire-gd92", code="4", label="Available at base", since=now, proven=True, by="panel"
        ),
        position=PositionView(
            fix="3d",
            lat=lat + 0.004 * sin(turn),
            lon=lon + 0.006 * cos(turn),
            heading_deg=(number * 7 + second * 6) % 360,
            speed_mps=SPEED_MPS,
            accuracy_m=4.0,
            age_s=0.3,
        ),
        position_fresh=True,
        ages=Ages(link_s=0.3, status_s=840.0, position_s=0.3),
        link="fresh",
        as_of=now,
        cursor=cursor,
    )


async def stream(units: int) -> AsyncIterator[bytes]:
    """What a feed of so many moving units sends: a fifth of them at each tick."""
    first = tuple(record(number, 0, 0) for number in range(units))
    yield _event(
        "snapshot",
        Snapshot(
            at=_clock.now(),
            epoch="e",
            cursor=0,
            part=1,
            parts=1,
            tick_ms=200,
            lost_after_s=10,
            owner_term=1,
            records=first,
        ),
    )
    tick = 0
    due_s = _clock.monotonic()
    while True:
        tick += 1
        due_s += TICK_S
        await _clock.sleep(max(0.0, due_s - _clock.monotonic()))
        moved = range(tick % TICKS_A_SECOND, units, TICKS_A_SECOND)
        records = tuple(record(number, tick * TICK_S, tick) for number in moved)
        yield _event("changes", Changes(at=_clock.now(), cursor=tick, records=records))


def _event(kind: str, body: Snapshot | Changes) -> bytes:
    return f"event: {kind}\nid: e-{body.cursor}\ndata: {msgspec.json.encode(body).decode()}\n\n".encode()


def application(units: int) -> FastAPI:
    """The console's own files, the feed, and a page that holds the map alone."""
    app = FastAPI()
    app.include_router(console.router())

    @app.get("/v1/feed")
    async def feed() -> StreamingResponse:
        return StreamingResponse(stream(units), media_type="text/event-stream")

    @app.get("/bench")
    async def page() -> Response:
        return Response(BODY, media_type="text/html", headers=console.HEADERS)

    @app.get("/bench.js")
    async def script() -> Response:
        return Response(SCRIPT, media_type="text/javascript", headers=console.HEADERS)

    @app.get("/bench.css")
    async def look() -> Response:
        return Response(LOOK, media_type="text/css", headers=console.HEADERS)

    @app.get("/bare")
    async def bare() -> Response:
        return Response(BARE, media_type="text/html")

    return app


@contextmanager
def serving(units: int) -> Iterator[str]:
    """Serve until the block ends, from a thread; gives the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application(units), log_level="critical", lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def frames(browser: Browser, url: str, ready: str | None, seconds: float) -> dict[str, float]:
    """Frames of a page while it is fed: how many a second, and how long from one to the next."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(url)
    if ready is not None:
        page.wait_for_selector(ready)
    page.evaluate(COUNT, 3)
    times: list[float] = page.evaluate(COUNT, seconds)
    page.close()
    between = sorted(b - a for a, b in zip(times, times[1:], strict=False))
    return {
        "fps": round(len(between) / ((times[-1] - times[0]) / 1000), 1),
        "p50": round(percentile(between, 0.5), 1),
        "p95": round(percentile(between, 0.95), 1),
    }


def measure(units: int, seconds: float) -> dict[str, Any]:
    """The figure: see the module."""
    with serving(units) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "chromium", args=list(SOFTWARE_GRAPHICS)
        )
        bare = frames(browser, f"{url}/bare", None, seconds / 2)
        alone = frames(browser, f"{url}/bench", "#map[data-state=ready] canvas", seconds)
        browser.close()
    return {
        "units": units,
        "seconds": seconds,
        "fps": alone["fps"],
        "frame_ms_p50": alone["p50"],
        "frame_ms_p95": alone["p95"],
        "bare_fps": bare["fps"],
    }


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--units", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=12.0)
    told = parser.parse_args()
    print(json.dumps(measure(told.units, told.seconds)))


if __name__ == "__main__":
    main()
