"""A small command and control system of the old kind, with words of its own, and the adapter that sits beside it.

`python -m simulator.cad MAPPING --token-file FILE` reads its lines from stdin and prints what it gets, also a line
each. It knows units and statuses by its own names; the mapping says which of Watchroom's they are.

    14A1 AVL                  a status
    14A1 JOB 20-117 RTC M20   on an order, by its number, with what it is
    14A1 CLR                  off its order
    14A1 CREW 5               so many on board
"""

import argparse
import asyncio
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from edge_agent.clock import Clock, SystemClock
from wire import strict
from wire.cad import (
    CadAnswer,
    CadAssignment,
    CadCommon,
    CadCrew,
    CadMessages,
    CadOrder,
    CadStatus,
    CadUnit,
    CadUnits,
    CadVersions,
    SaidToUs,
    encode,
)

ANSWER_S = 40.0
WAIT_S = 20.0
AGAIN_S = 1.0
PARTS_MAX = 4
"""Of a line: the unit, the verb, an order's number, and the rest."""


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """What its words mean, as a TOML file says."""

    organisation: str
    origin: str
    """Its own name, as Watchroom and others are told it."""
    units: dict[str, str]
    """Its call signs, and the units that they are."""
    statuses: dict[str, str]
    """Its statuses, and the codes that they are."""


def read_mapping(text: str) -> Mapping:
    """Read a mapping. Raises ValueError with everything that is wrong with it."""
    found = strict.convert(strict.read_toml(text), Mapping)
    if isinstance(found, Mapping):
        return found
    raise ValueError("\n".join(map(str, found)))


class LegacyCad:
    """What it holds of its units, and how its lines become messages and messages its lines. Pure."""

    def __init__(self, mapping: Mapping, *, run: str) -> None:
        """It knows nothing yet. `run` makes its ids its own: another start has another."""
        self._mapping, self._run = mapping, run
        self._names = {unit: name for name, unit in mapping.units.items()}
        self._words = {code: word for word, code in mapping.statuses.items()}
        self._versions: dict[str, CadVersions] = {}
        self._said = 0
        self.after = 0
        """The number of the last message that it got."""

    def begin(self, units: CadUnits) -> None:
        """Take in how its units stand."""
        self._versions |= {unit.unit: unit.versions for unit in units.units}
        self.after = max(self.after, units.newest)

    def say(self, line: str, at: datetime) -> SaidToUs:
        """Make a message of a line. Raises ValueError for one that it does not understand."""
        name, _, rest = line.partition(" ")
        verb, _, what = rest.partition(" ")
        unit = self._mapping.units.get(name)
        if unit is None:
            raise ValueError(f"{line}: no unit {name!r}")
        known = self._versions.get(unit, CadVersions())
        self._said += 1
        common = CadCommon(id=f"{self._run}-{self._said}", origin=self._mapping.origin, at=at, unit=unit)
        fields = msgspec.structs.asdict(common)
        match verb:
            case "JOB":
                number, _, incident = what.partition(" ")
                return CadAssignment(**fields, order=number, incident=incident, version=known.assignment)
            case "CLR":
                return CadAssignment(**fields, order=None, version=known.assignment)
            case "CREW":
                return CadCrew(**fields, on=int(what) > 0, riders=int(what))
        code = self._mapping.statuses.get(verb)
        if code is None:
            raise ValueError(f"{line}: no status {verb!r}")
        return CadStatus(**fields, code=code)

    def take_answer(self, message: SaidToUs, answer: CadAnswer) -> str:
        """Note what became of a message; the line that says so."""
        if answer.version is not None and isinstance(message, CadAssignment):
            known = self._versions.get(message.unit, CadVersions())
            self._versions[message.unit] = msgspec.structs.replace(known, assignment=answer.version)
        why = f" {answer.why}: {answer.text}" if answer.outcome == "refused" else ""
        return f"{self._names[message.unit]} {answer.outcome.upper()}{why}"

    def hear(self, messages: CadMessages) -> Iterator[str]:
        """Take in what others said; the lines that say so."""
        for message in messages.messages:
            self.after = message.seq
            if isinstance(message, CadUnit) and message.unit in self._names:
                self._versions[message.unit] = message.versions
                yield from self._tell(message)
            elif isinstance(message, CadOrder):
                units = " ".join(self._names.get(one.unit, one.callsign) for one in message.units)
                yield f"{units} ORDER {message.incident or message.order} {message.phase}"

    def _tell(self, unit: CadUnit) -> Iterator[str]:
        name = self._names[unit.unit]
        if "status" in unit.changed and unit.status is not None:
            yield f"{name} {self._words.get(unit.status.code, unit.status.label)} by {unit.status.by}"
        if "availability" in unit.changed:
            yield f"{name} {unit.confidence}"
        if "assignment" in unit.changed:
            yield f"{name} {'CLR' if unit.assignment is None else f'JOB {unit.assignment.order}'}"


class Link:
    """Its way to Watchroom over HTTP. Each method blocks, and raises OSError where nobody answers."""

    def __init__(self, mapping: Mapping, port: int, token: str) -> None:
        """Name the partners' port, and the organisation's token."""
        self._root = f"http://127.0.0.1:{port}/v1/cad/{mapping.organisation}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def units(self) -> CadUnits:
        """Look up how its units stand."""
        return msgspec.json.decode(self._ask("GET", "/units"), type=CadUnits)

    def messages(self, after: int) -> CadMessages:
        """Wait a while for what came after a number."""
        return msgspec.json.decode(self._ask("GET", f"/messages?after={after}&wait={WAIT_S}"), type=CadMessages)

    def say(self, message: SaidToUs) -> CadAnswer:
        """Say something."""
        return msgspec.json.decode(self._ask("PUT", f"/messages/{message.id}", encode(message)), type=CadAnswer)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._root + path, body, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if method == "PUT" and error.code in (404, 409, 422, 503) and b'"outcome"' in (said := error.read()):
                return said
            raise


async def converse(cad: LegacyCad, link: Link, lines: Iterable[str], clock: Clock) -> None:
    """Say each line, again until it is answered, and print what became of it."""
    cad.begin(await asyncio.to_thread(link.units))
    for line in filter(None, map(str.strip, lines)):
        try:
            message = cad.say(line, clock.now())
        except ValueError as error:
            print(f"? {error}")
            continue
        while (answer := await asyncio.to_thread(link.say, message)).outcome == "again":
            await clock.sleep(AGAIN_S)
        print(cad.take_answer(message, answer), flush=True)


async def follow(cad: LegacyCad, link: Link, clock: Clock) -> None:
    """Print what others say, for as long as it runs."""
    while True:
        try:
            for line in cad.hear(await asyncio.to_thread(link.messages, cad.after)):
                print(line, flush=True)
        except OSError:
            await clock.sleep(AGAIN_S)


async def _main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("mapping", type=Path)
    options.add_argument("--port", type=int, default=8471)
    options.add_argument("--token-file", type=Path, required=True)
    options.add_argument("--follow", action="store_true", help="go on printing what others say")
    asked, clock = options.parse_args(), SystemClock()
    mapping = read_mapping(asked.mapping.read_text(encoding="utf-8"))
    cad = LegacyCad(mapping, run=f"{mapping.origin}-{clock.now():%Y%m%dT%H%M%S%f}")
    link = Link(mapping, asked.port, asked.token_file.read_text(encoding="utf-8").strip())
    await converse(cad, link, sys.stdin, clock)
    if asked.follow:
        await follow(cad, link, clock)


if __name__ == "__main__":
    asyncio.run(_main())
