"""A command and control system beside Watchroom over MQTT: answers, news, floods, and brokers that go and come back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from cloud.clock import SystemClock
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import speaking
from tests.cloud.cad_lab import UNIT, cad_client, cad_site, said, told
from tests.waiting import eventually

FLOOD = 201
CODES = ("2", "8", "3")


class OverMqtt:
    """The police's CAD, as its broker's client: what it is answered and told."""

    def __init__(self, client: aiomqtt.Client) -> None:
        """Speak on a client that is connected."""
        self._client = client
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.told: list[dict[str, Any]] = []
        self.ticks: list[int] = []

    async def listen(self) -> None:
        """Take in what comes until cancelled."""
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes) and not message.retain
            body = msgspec.json.decode(message.payload)
            if str(message.topic).endswith("/answer"):
                self.answers.setdefault(body["id"], []).append(body)
            elif body["kind"] == "tick":
                self.ticks.append(body["seq"])
            else:
                self.told.append(body)

    async def say(self, message: dict[str, Any], organisation: str = "kp") -> None:
        """Publish a message."""
        await self._client.publish(f"wr/1/cad/{organisation}/in", msgspec.json.encode(message), qos=1)

    async def ask(self, message: dict[str, Any]) -> tuple[str, str]:
        """Publish a message until it is answered; what became of it."""
        before = len(self.answers.get(message["id"], ()))
        await self.say(message)
        await eventually(lambda: len(self.answers.get(message["id"], ())) > before, what=f"an answer to {message}")
        last = self.answers[message["id"]][-1]
        return last["outcome"], last["why"]


@contextlib.asynccontextmanager
async def over_mqtt(broker: RunningBroker) -> AsyncIterator[OverMqtt]:
    """A CAD that is connected."""
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe([("wr/1/cad/kp/answer", 0), ("wr/1/cad/kp/out", 1)])
        cad = OverMqtt(client)
        listening = asyncio.ensure_future(cad.listen())
        try:
            yield cad
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await listening


def test_it_says_is_answered_and_told(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """On both brokers each message gets an answer, a crew's press comes once, numbered, and rubbish is refused."""

    async def scenario() -> None:
        async with cad_site(tmp_path, shared_broker) as app:
            assert app.site is not None
            async with over_mqtt(shared_broker) as cad, speaking(shared_broker) as device:
                await eventually(lambda: cad.ticks or cad.told, what="the stream")
                first = said("status", code="2")
                assert [("taken", ""), ("known", "repeated")] == [await cad.ask(first), await cad.ask(first)]
                assert ("refused", "not_understood") == await cad.ask({"id": "x"})
                assert ("refused", "no_such_unit") == await cad.ask(said("status", code="2", unit="kf-1"))
                await cad.say(said("status", code="2", unit="kf-1"), "nobody")
                await device.announce()
                await device.prove()
                await device.press("8", at=SystemClock().now(), clock="gnss")
                await device.settled()
                await eventually(lambda: [one for one in cad.told if _code(one) == "8"], what="the press")
                news = next(one for one in cad.told if _code(one) == "8")
                assert ("known", "echo") == await cad.ask(news)
                numbers = [one["seq"] for one in cad.told]
                assert sorted(numbers) == numbers == list(dict.fromkeys(numbers))
                assert [] == [one for one in cad.told if _code(one) == "2"], "its own word never comes back"

    asyncio.run(scenario())


def _code(message: dict[str, Any]) -> str:
    return message["status"]["code"] if "status" in message.get("changed", ()) and message["status"] else ""


def test_a_flood_is_answered_one_by_one_in_its_order(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Hundreds at once, each twice, and one late: each is taken once and answered twice, and the last stands."""

    async def scenario() -> None:
        async with cad_site(tmp_path, shared_mosquitto) as app, over_mqtt(shared_mosquitto) as cad:
            assert app.site is not None
            await eventually(lambda: cad.ticks or cad.told, what="the stream")
            flood = [said("status", code=CODES[place % 3]) for place in range(FLOOD)]
            for start in range(0, FLOOD, 50):
                await asyncio.gather(*(cad.say(one) for one in flood[start : start + 50] for _ in range(2)))
            await cad.say(late := said("status", code="8", at=flood[0]["at"]))
            await eventually(lambda: late["id"] in cad.answers, what="every answer", deadline_s=60)
            for one in flood:
                assert ["taken", "known"] == [answer["outcome"] for answer in cad.answers[one["id"]]]
            assert [("refused", "late")] == [(one["outcome"], one["why"]) for one in cad.answers[late["id"]]]
            standing = app.site.ingest.fleet.standing(UNIT)
            assert standing is not None and flood[-1]["code"] == standing.code
            assert FLOOD == app.site.cad.inbox.counts[("kp", "taken", "")]

    asyncio.run(scenario())


def test_a_broker_that_comes_back_costs_nothing(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """While it is away HTTP goes on; afterwards what was not told is told, each number once, and answers come again."""

    async def scenario() -> None:
        async with cad_site(tmp_path, fresh_mosquitto) as app, cad_client(app) as http:
            assert app.site is not None
            streams = app.site.cad.streams
            async with over_mqtt(fresh_mosquitto) as cad:
                await eventually(lambda: cad.ticks, what="the stream")
            await asyncio.to_thread(fresh_mosquitto.kill)
            known = streams.newest("kp")
            for mode in ("training", "live"):
                body = {"scope": "unit", "id": UNIT, "mode": mode, "by": "Shah", "reason": "drill"}
                body |= {"until": _soon()} if mode != "live" else {}
                assert 201 >= (await http.post(f"{app.address}v1/modes", json=body)).status_code
                before = streams.newest("kp")
                await told(http, before if before > known else known, wait=5)
            assert streams.newest("kp") >= known + 2
            await asyncio.to_thread(fresh_mosquitto.start)
            async with over_mqtt(fresh_mosquitto) as cad:
                await eventually(lambda: cad.ticks, what="the stream again", deadline_s=30)
                assert streams.newest("kp") == max([*cad.ticks, *(one["seq"] for one in cad.told)])
                assert ("taken", "") == await cad.ask(said("status", code="2"))

    asyncio.run(scenario())


def _soon() -> str:
    return (SystemClock().now() + timedelta(hours=1)).isoformat()
