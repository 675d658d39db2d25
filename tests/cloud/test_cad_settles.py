"""Two systems that each repeat what they hear come to rest, however they repeat it and in whatever order it travels."""

import asyncio
import itertools
import random
from pathlib import Path
from typing import Any

import msgspec

from cloud.app import App
from cloud.clock import SystemClock
from cloud.desk.bindingwords import DecisionRequest
from cloud.desk.cad import CadInbox
from tests.brokers import RunningBroker
from tests.cloud.cad_lab import UNIT, cad_site, county_text
from wire.cad import CadAnswer, CadUnit
from wire.lending import LoanMessage

SEEDS = 12
WORDS = 4
"""What the two say of their own accord in one run."""
REPEATS_MAX = 60
"""Far more than any run needs: each word is heard by both, and what they make of it changes nothing or one thing."""
LOAN = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a0aaaa"


class Repeater:
    """A system that says again whatever it hears, in a way of its own."""

    def __init__(self, organisation: str, chance: random.Random) -> None:
        """Choose a way: which of the heard id, origin, time and version it keeps."""
        self.organisation = organisation
        self.keeps = {name for name in ("id", "origin", "at", "version") if chance.random() < 0.5}
        self.heard: list[CadUnit] = []
        self._ids = itertools.count(1)

    def repeat(self, unit: CadUnit) -> list[dict[str, Any]]:
        """Say again what is news."""
        said: list[dict[str, Any]] = []
        if "status" in unit.changed and unit.status is not None:
            said.append(self._message(unit, "status", code=unit.status.code, version=unit.versions.status))
        if "assignment" in unit.changed:
            order = None if unit.assignment is None else unit.assignment.order
            said.append(self._message(unit, "assignment", order=order, version=unit.versions.assignment))
        if "crew" in unit.changed and unit.crew is not None:
            said.append(self._message(unit, "crew", on=True, riders=unit.crew.riders, version=unit.versions.crew))
        return said

    def _message(self, unit: CadUnit, kind: str, **what: Any) -> dict[str, Any]:
        keep = self.keeps if unit.origin != "watchroom" else self.keeps - {"origin", "id"}
        message = {
            "kind": kind,
            "id": unit.id if "id" in keep else f"{self.organisation}-{id(self)}-{next(self._ids)}",
            "origin": unit.origin if "origin" in keep else f"{self.organisation}-cad",
            "at": (unit.at if "at" in keep else SystemClock().now()).isoformat(),
            "unit": unit.unit,
        }
        if "version" not in keep and kind != "assignment":
            what["version"] = None
        return message | what


async def take(inbox: CadInbox, organisation: str, message: dict[str, Any]) -> CadAnswer:
    """Say something."""
    return await inbox.take(organisation, msgspec.json.encode(message))


async def run(app: App, seed: int) -> list[str]:
    """Let both say something, and repeat what they hear until nobody has anything to say; what became of it all."""
    assert app.site is not None
    cad, chance = app.site.cad, random.Random(seed)
    systems = [Repeater("kp", chance), Repeater("kf", chance)]
    told = cad.streams.newest("kp")
    waiting: list[tuple[str, dict[str, Any]]] = [("kp", _word(app, chance, f"{seed}-{n}")) for n in range(WORDS)]
    repeats, outcomes = 0, list[str]()
    while waiting or await _hear(app, systems, told):
        told = max(told, *(unit.seq for one in systems for unit in one.heard), told)
        for system in systems:
            repeated = [(system.organisation, one) for unit in system.heard for one in system.repeat(unit)]
            repeats += len(repeated)
            waiting += repeated
            system.heard.clear()
        assert repeats <= REPEATS_MAX, f"seed {seed}: they go on for ever"
        for _ in range(chance.randint(1, 3)):
            if waiting:
                organisation, message = waiting.pop(chance.randrange(len(waiting)))
                outcomes.append((await take(cad.inbox, organisation, message)).outcome)
    return outcomes


def _word(app: App, chance: random.Random, name: str) -> dict[str, Any]:
    """Something new, of what it knows."""
    assert app.site is not None
    known = app.site.cad.streams.unit("kp", UNIT, app.site.moment())
    assert known is not None
    common = {"id": f"w-{name}", "origin": "altaris", "at": SystemClock().now().isoformat(), "unit": UNIT}
    match chance.choice(("status", "assignment", "crew")):
        case "status":
            return common | {"kind": "status", "code": chance.choice(("2", "3", "8"))}
        case "crew":
            return common | {"kind": "crew", "on": True, "riders": chance.randint(1, 4)}
        case _:
            order = chance.choice(("I-1", "I-2", None))
            return common | {"kind": "assignment", "order": order, "version": known.versions.assignment}


async def _hear(app: App, systems: list[Repeater], after: int) -> bool:
    """Let both hear what is new in the stream; tell whether anything is."""
    assert app.site is not None
    streams, now = app.site.cad.streams, app.site.moment()
    streams.unit("kp", UNIT, now)
    try:
        async with asyncio.timeout(0.05):
            await streams.wait("kp", after)
    except TimeoutError:
        return False
    page = await streams.messages("kp", after, 500, now.utc)
    units = [one for one in page.messages if isinstance(one, CadUnit)]
    for system in systems:
        system.heard += units
    return bool(page.messages)


def test_they_come_to_rest(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """With the unit lent, so that both may move it, and control in between; a loan that is withdrawn moves nothing."""

    async def scenario() -> None:
        async with cad_site(tmp_path, shared_mosquitto, county_text()) as app:
            assert app.site is not None
            await lend(app)
            for seed in range(SEEDS):
                fire: dict[str, Any] = {
                    "kind": "assignment",
                    "id": f"f-{seed}",
                    "origin": "f",
                    "unit": UNIT,
                    "order": f"F-{seed}",
                }
                known = app.site.cad.streams.unit("kp", UNIT, app.site.moment())
                assert known is not None
                fire |= {
                    "at": SystemClock().now().isoformat(),
                    "version": known.versions.assignment,
                    "order": f"F-{seed}",
                }
                assert "taken" == (await take(app.site.cad.inbox, "kf", fire)).outcome
                outcomes = await run(app, seed)
                assert "again" not in outcomes
            reason = DecisionRequest(by="op 7", reason="it was lent in error")
            await app.site.sharing.withdraw(f"loan:{LOAN}", reason)
            known = app.site.cad.streams.unit("kp", UNIT, app.site.moment())
            assert known is not None
            late = fire | {"id": "late", "order": "F-late", "version": known.versions.assignment}
            late |= {"at": SystemClock().now().isoformat()}
            assert "no_such_unit" == (await take(app.site.cad.inbox, "kf", late)).why

    asyncio.run(scenario())


async def lend(app: App) -> None:
    """Lend the police's unit to the fire service."""
    assert app.site is not None
    for name, verb, sender, to in (("1", "request", "kf", "kp"), ("2", "commit", "kp", "kf")):
        said: dict[str, Any] = {
            "loan": LOAN, "message": name, "verb": verb, "from": sender, "to": to, "by": "op 7",
            "reason": "flood", "units": [UNIT], "expects": int(name) - 1,
        }  # fmt: skip
        answer = await app.site.lending.say(msgspec.convert(said, LoanMessage))
        assert app.site.lending.may_move(to, UNIT, withdrawn=()) or verb == "request", answer
