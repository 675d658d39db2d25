"""What happens in a made-up world: presses, places, crews, orders, and what people decide; each told to the fleet."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import msgspec

from cloud.fleet.basis import CrewSaid, DefectSaid, ModeSaid
from cloud.fleet.clocks import Corrected
from cloud.fleet.heads import Head
from cloud.fleet.position import make_place
from cloud.telemetry import PositionRow
from simulator.disclosure.world import MAJOR, SCHEME, World
from wire.events import Mode, PositionEvent
from wire.feed import AlarmView, Assignment, ClaimView, Proposal
from wire.messages import CurrentStatus, Echo, Heartbeat, LastSeq, OutboxDepth

CODES = ("4", "4", "4", "6", "1", "2", "32", "37", "7")
PRIVATE = 2
"""At base, free and mobile, mobile, at the scene, on call; the last are off duty and at home."""

_KEPT = tuple(name for name in PositionRow.__struct_fields__ if name in PositionEvent.__struct_fields__)
"""What telemetry keeps of a report as it is."""


class Happenings:
    """Lets things happen, one after the other, by the world's own chance."""

    def __init__(self, world: World) -> None:
        """Nothing has happened yet."""
        self.world = world
        self.alarms: dict[str, AlarmView] = {}
        """The emergencies that are on, by unit."""
        self.count = 0
        """How many sequences were given out."""
        self._quarrels: set[str] = set()
        self._decisions: tuple[Callable[[], None], ...] = (
            self._withdraw,
            self._declare,
            world.open_access,
            self._go_covert,
        )
        self._events: tuple[Callable[[str], None], ...] = (
            self.press,
            self.press,
            self.press,
            self._quarrel,
            self._refuse,
            self.place,
            self.place,
            self.place,
            self.beat,
            self._crew,
            self._defect,
            self.order,
            self.order,
            self._mode,
            self._claim,
            self._propose,
            self._ignition,
            self._alarm,
        )

    def happen(self) -> None:
        """Let something happen to some unit."""
        self.happen_to(self.world.chance.choice(tuple(self.world.directory.units)))

    def happen_to(self, unit: str) -> None:
        """Let something happen to a unit."""
        self.world.chance.choice(self._events)(unit)

    def decide(self) -> None:
        """Let somebody decide something, or the directory be another one."""
        self.world.chance.choice(self._decisions)()

    def forget_alarms(self) -> None:
        """Let go of the emergencies that control has ended: they were told."""
        self.alarms = {unit: alarm for unit, alarm in self.alarms.items() if alarm.active}

    def press(self, unit: str, code: str | None = None, *, device: str = "", by_s: float = 200.0) -> None:
        """A crew presses a status, perhaps a while ago. Nobody goes home in a quarrel: that would be a part of it."""
        world, mint = self.world, self.world.mint
        codes = CODES if unit not in self._quarrels else CODES[:-PRIVATE]
        row = world.directory.schemes[SCHEME].code(code or world.chance.choice(codes))
        assert row is not None and row.availability is not None
        at, label = mint.earlier(world.now.utc, by_s), mint.word("L ")
        pressed = Head(
            unit=unit,
            device=device or world.directory.units[unit].carrier,
            ordinal=1,
            stream="s",
            seq=self._next(),
            scheme=SCHEME,
            code=row.code,
            label=label,
            availability=row.availability,
            meaning=row,
            by="panel",
            at=at,
            proven=True,
            received=world.now.utc,
        )
        world.fleet.apply_head(pressed, world.now)
        (world.off_duty.add if world.fleet.private(unit) else world.off_duty.discard)(unit)
        for grant in ("status", "workings"):
            world.note(unit, grant, label, moments=(at, world.now.utc), secret=unit in world.off_duty)

    def place(self, unit: str) -> None:
        """A vehicle reports where it is."""
        world, mint = self.world, self.world.mint
        now = world.now
        lat, lon = mint.number(50, 52, 7), mint.number(-1, 1, 7)
        measured = (mint.number(0, 359), mint.number(0, 30), mint.number(0, 300), mint.number(1, 40))
        heading, speed, altitude, accuracy = measured
        event = PositionEvent(
            seq=self._next(),
            at=now.utc,
            clock="gnss",
            boot=1,
            mono_ms=int(now.mono_s * 1000),
            mode="live",
            fix="3d",
            lat=lat,
            lon=lon,
            heading_deg=heading,
            speed_mps=speed,
            altitude_m=altitude,
            accuracy_m=accuracy,
            gnss_time=now.utc,
        )
        carrier = world.directory.units[unit].carrier
        made = make_place(event, ordinal=1, stream="s", corrected=Corrected(now.utc, True), received_s=now.mono_s)
        world.fleet.apply_place(carrier, made, now)
        world.places.append(
            PositionRow(
                device=carrier,
                unit=unit,
                stream="s",
                received_at=now.utc,
                corrected_at=now.utc,
                **{name: getattr(event, name) for name in _KEPT},
            )
        )
        if unit not in world.off_duty:
            world.note(unit, "position", moments=(now.utc,), numbers=(lat, lon, *measured), place=(lat, lon))

    def beat(self, unit: str, *, device: str = "", named: tuple[CurrentStatus, ...] = ()) -> None:
        """A unit's device is heard."""
        world, carrier = self.world, device or self.world.directory.units[unit].carrier
        said = Heartbeat(
            v=1,
            device=carrier,
            boot=1,
            conn=1,
            sent_mono_ms=int(world.now.mono_s * 1000),
            sent_at=world.now.utc,
            clock="gnss",
            stream="s",
            interval_s=5,
            last_seq=LastSeq(named[0].seq if named else 0, 0),
            current=list(named),
            outbox=OutboxDepth(0, 0),
            echo=Echo("x", 0),
        )
        world.fleet.apply_vitals(carrier, said, 1, world.now.mono_s, world.now)
        world.note(unit, "link", moments=(world.now.utc,))

    def _refuse(self, unit: str) -> None:
        """The panel beside a vehicle presses, names a later status too, and that one was refused."""
        if unit in self.world.off_duty:
            return  # whoever has just gone home would be the other side of a quarrel, and in the open by it
        panel = f"{self.world.directory.units[unit].carrier}-panel"
        self._quarrels.add(unit)
        self.press(unit, "2", device=panel, by_s=1.0)
        later = CurrentStatus(unit=unit, stream="s", seq=self._next(), scheme=SCHEME, code="4")
        self.beat(unit, device=panel, named=(later,))
        self.world.fleet.apply_through(panel, 1, later.seq, self.world.now)

    def _quarrel(self, unit: str) -> None:
        """The panel beside a vehicle says otherwise within the same seconds."""
        carrier = self.world.directory.units[unit].carrier
        self._quarrels.add(unit)
        self.press(unit, "4", by_s=1.0)
        self.press(unit, self.world.chance.choice(["1", "2"]), device=f"{carrier}-panel", by_s=1.0)

    def _crew(self, unit: str) -> None:
        world, mint = self.world, self.world.mint
        at, skill = mint.earlier(world.now.utc, 100), mint.word("s")
        until = world.now.utc + timedelta(seconds=world.chance.choice([60, 900, 9000]), milliseconds=317)
        said = CrewSaid(
            device=world.directory.units[unit].carrier,
            on=True,
            riders=world.chance.randint(0, 5),
            skills=((skill, 1),),
            until=until,
            at=at,
        )
        world.fleet.apply_crew(unit, said, (1, self._next()), world.now)
        world.note(unit, "crew", skill, moments=(at, until))

    def _defect(self, unit: str) -> None:
        world, mint = self.world, self.world.mint
        at, what, text = mint.earlier(world.now.utc, 100), mint.word("d "), mint.word("t ")
        device = world.directory.units[unit].carrier
        said = DefectSaid(device=device, what=what, off_the_run=world.chance.random() < 0.5, text=text, at=at)
        world.fleet.apply_defect(unit, said, True, (1, self._next()), world.now)
        world.note(unit, "defects", what, text, moments=(at,))

    def order(self, unit: str) -> None:
        """Control sends a unit, now and then to where others are already, or takes it off."""
        world, mint = self.world, self.world.mint
        if world.chance.random() < 0.25:
            world.fleet.assign(unit, None, self._next(), world.now)
            world.incident.pop(unit, None)
            return
        others = sorted(set(world.incident.values()))
        joins = others and world.chance.random() < 0.6
        incident, order = world.chance.choice(others) if joins else mint.word("I "), mint.word("o-")
        at = mint.earlier(world.now.utc, 20)
        made = Assignment(order=order, incident=incident, phase="sent", since=at, version=self._next())
        world.fleet.assign(unit, made, made.version, world.now)
        world.incident[unit] = incident
        world.note(unit, "assignment", incident, moments=(at,))
        world.note(unit, "assignment", order)

    def _mode(self, unit: str) -> None:
        world, mint = self.world, self.world.mint
        by, at = mint.word("by "), mint.earlier(world.now.utc, 20)
        until = world.now.utc + timedelta(seconds=700, milliseconds=world.chance.randrange(999))
        mode: Mode = world.chance.choice([one for one in get_args(Mode) if one != "live"])
        world.fleet.set_mode(unit, ModeSaid(mode=mode, at=at, until=until, by=by), world.now)
        world.note(unit, "mode", by, moments=(at, until))

    def _claim(self, unit: str) -> None:
        world, mint = self.world, self.world.mint
        device, vehicle, at = mint.word("sp-"), mint.word("V"), mint.earlier(world.now.utc, 20)
        claim = ClaimView(claim=f"{device}.s.1", device=device, vehicle=vehicle, at=at)
        world.fleet.set_claims(unit, (claim,), world.now)
        world.note(unit, "workings", device, moments=(at,))
        world.note(unit, "workings", vehicle)

    def _propose(self, unit: str) -> None:
        world, mint = self.world, self.world.mint
        text = mint.word("p ")
        world.fleet.propose(unit, Proposal(code="auto", text=text, at=world.now.utc), world.now)
        world.note(unit, "workings", text, moments=(world.now.utc,))

    def _ignition(self, unit: str) -> None:
        world, at = self.world, self.world.mint.earlier(self.world.now.utc, 100)
        carrier, on = world.directory.units[unit].carrier, world.chance.random() < 0.3
        world.fleet.apply_input(carrier, "ignition", on, at, (1, self._next()), world.now)
        world.note(unit, "workings", moments=(at,))

    def _alarm(self, unit: str) -> None:
        """A crew presses its emergency button; control has it in hand, or ends it."""
        world, mint, row = self.world, self.world.mint, self.world.directory.units[unit]
        known = self.alarms.get(unit)
        if known is not None:
            ended = {"active": False, "cancelled_at": world.now.utc, "cancelled_by": mint.word("by ")}
            self.alarms[unit] = msgspec.structs.replace(known, **ended)
            world.note(unit, "alarms", moments=(world.now.utc,))
            return
        at = mint.earlier(world.now.utc, 20)
        raised: dict[str, Any] = {"text": mint.word("help "), "part": mint.word(), "base_name": mint.word("Base ")}
        self.alarms[unit] = AlarmView(
            alarm=f"{row.carrier}.s.{self._next()}",
            kind="emergency",
            name="emergency",
            unit=unit,
            callsign=row.callsign,
            base=row.base,
            device=row.carrier,
            mode="live",
            raised_at=at,
            proven=True,
            active=True,
            **raised,
        )
        world.note(unit, "alarms", moments=(at,))

    def _withdraw(self) -> None:
        """An owner withdraws an agreement, or puts one back in force."""
        one, withdrawn = self.world.chance.choice(tuple(self.world.directory.agreements)), self.world.decided.withdrawn
        self.world.decide(withdrawn=withdrawn ^ {one})

    def _declare(self) -> None:
        """A major incident is declared, or ends."""
        one, declared = self.world.chance.choice(MAJOR), self.world.decided.declared
        self.world.decide(declared=declared ^ {one})

    def _go_covert(self) -> None:
        """A unit goes covert, or comes back."""
        unit = self.world.chance.choice(tuple(self.world.directory.units))
        self.world.change(unit, covert=not self.world.directory.units[unit].covert)

    def _next(self) -> int:
        self.count += 1
        return self.count
