"""A site that shares: two organisations, what they have agreed, and clients of the partners' application."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from cloud.app import App
from cloud.clock import SystemClock
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import Speaker, speaking
from tests.cloud.fleet.samples import COUNTY
from tests.cloud.ingest.samples import Vehicle
from tests.site import running_site
from tests.waiting import eventually

POLICE, FIRE = "kp", "kf"
TOKENS = {POLICE: "police-token", FIRE: "fire-token"}
CAR, PUMP, COVERT, VAN = "kp-12", "kf-1", "kp-99", "kp-13"
SHARED = ("base", "availability", "status", "position", "link")
MORE_UNITS = """
[[unit]]
id = "kp-99"
callsign = "SECRET-99"
organisation = "kp"
type = "surveillance"
base = "stn-14"
scheme = "uk-police-state"
carrier = "veh-99"
covert = true
[[unit]]
id = "kp-13"
callsign = "P13"
organisation = "kp"
type = "van"
base = "stn-14"
scheme = "uk-police-state"
carrier = "veh-13"
[[device]]
id = "veh-13"
organisation = "kp"
enrolment = "E13"
[[device]]
id = "veh-99"
organisation = "kp"
enrolment = "E99"
"""


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


def agreement(name: str = "a1", owner: str = POLICE, partner: str = FIRE, **more: object) -> str:
    """An agreement's row; `fields` are `SHARED` where nothing else is said."""
    row = {"id": name, "owner": owner, "partner": partner, "purpose": "mutual aid", "fields": SHARED} | more
    return "\n".join(["[[agreement]]", *(f"{key} = {_toml(value)}" for key, value in row.items()), ""])


def partner_row(organisation: str, token: str = "") -> str:
    """A partner's row."""
    digest = hashlib.sha256((token or TOKENS[organisation]).encode()).hexdigest()
    return f'[[partner]]\norganisation = "{organisation}"\ntoken_sha256 = "{digest}"\n'


def write_sharing(folder: Path, *rows: str, county: str = COUNTY + MORE_UNITS) -> Path:
    """Write the county's directory with these rows beside it: both organisations are partners."""
    folder.mkdir(parents=True, exist_ok=True)
    text = county + "".join(rows)
    text += "".join(partner_row(one) for one in TOKENS if f'[[partner]]\norganisation = "{one}"' not in text)
    (folder / "county.toml").write_text(text, encoding="utf-8")
    return folder


@contextlib.asynccontextmanager
async def sharing_site(
    folder: Path, broker: RunningBroker, *rows: str, county: str = COUNTY + MORE_UNITS
) -> AsyncIterator[App]:
    """The application with the county and these rows, and a port for partners."""
    directory = write_sharing(folder / "directory", *rows, county=county)
    async with running_site(folder / "data", broker_port=broker.port, directory=directory, for_partners=True) as app:
        yield app


@contextlib.asynccontextmanager
async def as_partner(app: App, partner: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the partners' application that brings a partner's token."""
    headers = {"Authorization": f"Bearer {TOKENS[partner]}"}
    async with httpx.AsyncClient(base_url=app.partner_address, headers=headers) as client:
        yield client


@contextlib.asynccontextmanager
async def drive(app: App, broker: RunningBroker, press: str = "2") -> AsyncIterator[Speaker]:
    """The police car, which has pressed and said where it is, and is shown so."""
    measured = Vehicle(queue="track")
    async with speaking(broker) as device:
        await device.prove()
        await device.press(press)
        await device.settled()
        measured.measure(at=SystemClock().now(), clock="gnss")
        await device.publish(measured.topic, measured.envelope())
        await device.prove()

        def is_shown() -> bool:
            record = app.site.feed.record(CAR, app.site.moment()) if app.site is not None else None
            return record is not None and record.status is not None and record.position is not None

        await eventually(is_shown, what="the car where it is")
        yield device


class Follower:
    """A partner's client of its feed: what it holds is what it would show."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.records: dict[str, dict[str, Any]] = {}
        self.alarms: dict[str, dict[str, Any]] = {}
        self.kinds: list[str] = []
        self.heard = b""
        """Every byte that ever came."""
        self.last_id = ""
        self.ended = False

    async def follow(self, address: str, headers: dict[str, str]) -> None:
        """Read the feed until it ends."""
        headers = headers | ({"Last-Event-ID": self.last_id} if self.last_id else {})
        self.ended = False
        async with httpx.AsyncClient(timeout=None) as client:
            async with client.stream("GET", f"{address}v1/feed", headers=headers) as response:
                assert 200 == response.status_code, await response.aread()
                event: dict[str, str] = {}
                async for line in response.aiter_lines():
                    self.heard += line.encode() + b"\n"
                    if line:
                        name, _, value = line.partition(": ")
                        event[name] = value
                    else:
                        self._take(event)
                        event = {}
        self.ended = True

    def _take(self, event: dict[str, str]) -> None:
        data = json.loads(event["data"])
        match event["event"]:
            case "snapshot":
                if data["part"] == 1:
                    self.records, self.alarms = {}, {}
                self.records |= {one["unit"]: one for one in data["records"]}
            case "changes":
                self.records |= {one["unit"]: one for one in data["records"]}
                for unit in data["gone"]:
                    self.records.pop(unit, None)
            case "alarms":
                self.alarms |= {one["alarm"]: one for one in data["alarms"]}
        sees = {unit for unit, record in self.records.items() if "alarms" in record["grants"]}
        self.alarms = {name: one for name, one in self.alarms.items() if one["unit"] in sees and one["active"]}
        self.last_id = event.get("id", self.last_id)
        self.kinds.append(event["event"])


@contextlib.asynccontextmanager
async def following_as(app: App, partner: str) -> AsyncIterator[Follower]:
    """A partner's client that follows its feed in the background."""
    follower = Follower()
    headers = {"Authorization": f"Bearer {TOKENS[partner]}"}
    task = asyncio.create_task(follower.follow(app.partner_address, headers))
    try:
        await eventually(lambda: follower.kinds or task.done(), what="a first event")
        yield follower
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
