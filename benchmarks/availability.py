"""What a judgement costs: an event folded into the fleet, and the record that is made for it.

`python -m benchmarks.availability` lets a fleet of 1,000 units and one of `--units` hear the same mix of events by
turns: heartbeats, positions, presses, crews, defects, ignitions, and time that passes without a word. Each unit has a
base with a fence and a crew that the directory asks for; every tenth shares its crew with another, every tenth has a
shift pattern, and a few fall silent. It prints one JSON object on the last line:

- `us_per_event`: processor time of an event: fold, what changed, and each record that this makes. A record of a unit
  that shares its crew is made along with its mate's. Encoding, the feed's coalescing and the stores are left out.
- `us_per_event_at_1000` and `ratio`: the same at 1,000 units, and how much more the larger fleet takes.
- `us_p99`: by the wall clock, of single events in the larger fleet.
- `bytes_per_unit`: growth of the resident set over the larger fleet, everything heard, over its units.
"""

import argparse
import gc
import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from benchmarks.growth import rss_bytes
from benchmarks.percentiles import percentile
from cloud.directory.schemes import load_schemes
from cloud.fleet.basis import CrewSaid, DefectSaid, Needs
from cloud.fleet.clocks import Corrected, Moment
from cloud.fleet.entry import UnitEntry
from cloud.fleet.fences import Circle
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import Head
from cloud.fleet.position import make_place
from cloud.fleet.roster import Turn, WeeklyRoster
from wire.events import PositionEvent
from wire.messages import CurrentStatus, Echo, Heartbeat, LastSeq, OutboxDepth, PositionAge

SMALL = 1_000
TURN_EVENTS = 10_000
EVENT_S = 0.0002
"""5,000 events a second: at 50,000 units each speaks every 10 s."""
QUIET_S = 0.2
"""How long nobody speaks, once in every `QUIET_EVERY` events."""
QUIET_EVERY = 1_000
INTERVAL_S = 20.0
MIX = (
    ["heartbeat"] * 50 + ["position"] * 32 + ["press"] * 8 + ["crew"] * 3 + ["defect"] * 2 + ["ignition"] * 3
    + ["silence"] * 2
)  # fmt: skip
_CODES = ("4", "1", "2", "4", "6", "36")
_START = datetime(2026, 1, 5, 8, tzinfo=UTC)
_SCHEME = load_schemes()["uk-fire-gd92"]
_TURN = Turn(time_of_day(9), time_of_day(18))
_ROSTER = WeeklyRoster(UTC, ((_TURN,),) * 5 + ((),) * 2)
_NEEDS = Needs(minimum=4, preferred=5, skills=(("ba", 2), ("driver", 1)))

Event = Callable[[Fleet, Moment], object]


class Speaker:
    """One unit's carrier, as it speaks."""

    def __init__(self, number: int) -> None:
        """Nothing has been said."""
        self.unit, self.device = f"unit-{number:05d}", f"veh-{number:05d}"
        self._number, self._seq, self._track, self._code = number, 0, 0, "4"
        self._stream = f"E{number:05d}-0123456789abcdef"

    def say(self, what: str, now: Moment) -> Event:
        """Give the next event of that kind."""
        return getattr(self, f"_{what}")(now)  # type: ignore[no-any-return]

    def _heartbeat(self, now: Moment) -> Event:
        sent_ms = int(now.mono_s * 1000)
        current = [CurrentStatus(self.unit, self._stream, self._seq, _SCHEME.name, self._code)] if self._seq else []
        said = Heartbeat(
            v=1,
            device=self.device,
            boot=1,
            conn=1,
            sent_mono_ms=sent_ms,
            sent_at=now.utc,
            clock="gnss",
            stream=self._stream,
            interval_s=INTERVAL_S,
            last_seq=LastSeq(self._seq, self._track),
            outbox=OutboxDepth(0, 0),
            current=current,
            position=PositionAge(self._track, 100) if self._track else None,
            echo=Echo("x", 100),
        )
        return lambda fleet, now: fleet.apply_vitals(self.device, said, 1, now.mono_s - 0.2, now)

    def _position(self, now: Moment) -> Event:
        self._track += 1
        lat = 51.0 + self._number % 100 / 100 + self._track % 40 / 10_000
        event = PositionEvent(
            **self._stamp(self._track, now), fix="3d", lat=lat, lon=0.5, speed_mps=9.0, accuracy_m=4.0
        )
        corrected = Corrected(now.utc, True)

        def tell(fleet: Fleet, now: Moment) -> object:
            return fleet.apply_place(
                self.device,
                make_place(event, ordinal=1, stream=self._stream, corrected=corrected, received_s=now.mono_s),
                now,
            )

        return tell

    def _press(self, now: Moment) -> Event:
        self._seq += 1
        self._code = _CODES[self._seq % len(_CODES)]
        meaning = _SCHEME.code(self._code)
        assert meaning is not None and meaning.availability is not None
        head = Head(
            unit=self.unit,
            device=self.device,
            ordinal=1,
            stream=self._stream,
            seq=self._seq,
            scheme=_SCHEME.name,
            code=self._code,
            label=meaning.label,
            availability=meaning.availability,
            meaning=meaning,
            by="panel",
            at=now.utc,
            proven=True,
            received=now.utc,
        )

        def tell(fleet: Fleet, now: Moment) -> object:
            fleet.apply_through(self.device, 1, head.seq, now)
            return fleet.apply_head(head, now)

        return tell

    def _crew(self, now: Moment) -> Event:
        self._seq += 1
        crew = CrewSaid(
            device=self.device,
            on=True,
            riders=3 + self._seq % 3,
            skills=(("ba", 2), ("driver", 1)),
            until=now.utc + timedelta(hours=8),
            at=now.utc,
        )
        order = (1, self._seq)
        return lambda fleet, now: fleet.apply_crew(self.unit, crew, order, now)

    def _defect(self, now: Moment) -> Event:
        self._seq += 1
        defect = DefectSaid(device=self.device, what="ladder", off_the_run=False, text="stiff", at=now.utc)
        order, raised = (1, self._seq), self._seq % 2 == 0
        return lambda fleet, now: fleet.apply_defect(self.unit, defect, raised, order, now)

    def _ignition(self, now: Moment) -> Event:
        self._track += 1
        at, order, value = now.utc, (1, self._track), self._track % 2 == 0
        return lambda fleet, now: fleet.apply_input(self.device, "ignition", value, at, order, now)

    def _silence(self, _now: Moment) -> Event:
        return lambda _fleet, _now: None

    def _stamp(self, seq: int, now: Moment) -> dict[str, Any]:
        return {
            "seq": seq,
            "at": now.utc,
            "clock": "gnss",
            "boot": 1,
            "mono_ms": int(now.mono_s * 1000),
            "mode": "live",
        }


class Run:
    """One size of the fleet."""

    def __init__(self, count: int) -> None:
        """Let every unit speak: a heartbeat, a press, a crew, a place, and a heartbeat that names them."""
        self._count, self._events, self._now_s = count, 0, 1000.0
        self._random = random.Random(count)  # the same run each time
        self._speakers = [Speaker(number) for number in range(count)]
        rss = rss_bytes()
        self._fleet = Fleet(map(make_entry, range(count)), {each.unit: (each.device,) for each in self._speakers})
        for what in ("heartbeat", "press", "crew", "position", "heartbeat"):
            for start in range(0, count, TURN_EVENTS):
                self._take([(what, speaker) for speaker in self._speakers[start : start + TURN_EVENTS]], [])
        self.bytes_per_unit = (rss_bytes() - rss) / count
        self._check()

    def take_turn(self, times_ns: list[int]) -> float:
        """Take the next events. Gives seconds of processor time an event."""
        said = [
            (self._random.choice(MIX), self._speakers[turn % self._count])
            for turn in range(self._events, self._events + TURN_EVENTS)
        ]
        self._events += TURN_EVENTS
        return self._take(said, times_ns) / TURN_EVENTS

    def _take(self, said: list[tuple[str, Speaker]], times_ns: list[int]) -> float:
        events = []
        for number, (what, speaker) in enumerate(said):
            self._now_s += QUIET_S if number % QUIET_EVERY == 0 else EVENT_S
            now = Moment(_START + timedelta(seconds=self._now_s), self._now_s)
            events.append((speaker.say(what, now), now))
        fleet = self._fleet
        started_s = time.process_time()
        for event, now in events:
            begun_ns = time.perf_counter_ns()
            event(fleet, now)
            for unit, as_of in fleet.take_changed(now).items():
                fleet.record(unit, 1, as_of, now)
            times_ns.append(time.perf_counter_ns() - begun_ns)
        return time.process_time() - started_s

    def _check(self) -> None:
        """Exit where not all are believed as they should be: then something else was measured."""
        now = Moment(_START + timedelta(seconds=self._now_s), self._now_s)
        for speaker in self._speakers[: 10 * SMALL : 7]:
            record = self._fleet.record(speaker.unit, 1, now.utc, now)
            if record.status is None or record.crew is None or record.position is None or record.link != "fresh":
                raise SystemExit(f"{speaker.unit} was not heard as it should be: {record}")


def make_entry(number: int) -> UnitEntry:
    """Make a unit with all that the directory may say of it."""
    return UnitEntry(
        id=f"unit-{number:05d}",
        callsign=f"K{number:05d}",
        organisation="load",
        service="fire",
        type="pump",
        base=f"Base {number % 50}",
        capabilities=("pump", "ladder"),
        carrier=f"veh-{number:05d}",
        needs=_NEEDS,
        crew_group=f"group-{number // 20}" if number % 20 in (7, 8) else "",
        group_place=number % 20,
        roster=_ROSTER if number % 10 == 3 else None,
        fence=Circle(51.0 + number % 100 / 100, 0.5, 150.0),
    )


def measure(units: int, turns: int) -> dict[str, Any]:
    """Let both sizes take turns, so that the machine's noise hits both."""
    small, large = Run(SMALL), Run(units)
    gc.collect()
    gc.freeze()
    took: dict[str, list[float]] = {"small": [], "large": []}
    times_ns: list[int] = []
    small.take_turn([]), large.take_turn([])
    for _ in range(turns):
        took["small"].append(small.take_turn([]))
        took["large"].append(large.take_turn(times_ns))
    median = {size: statistics.median(seconds) * 1e6 for size, seconds in took.items()}
    ratio = statistics.median(b / a for a, b in zip(took["small"], took["large"], strict=True))
    return {
        "us_per_event": round(median["large"], 1),
        "us_per_event_at_1000": round(median["small"], 1),
        "ratio": round(ratio, 3),
        "us_p99": round(percentile(sorted(times_ns), 0.99) / 1000, 1),
        "bytes_per_unit": round(large.bytes_per_unit),
        "units": units,
        "events": turns * TURN_EVENTS,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=50_000, help="units of the larger fleet (default %(default)s)")
    parser.add_argument("--turns", type=int, default=10, help="turns of 10,000 events of each size (default 10)")
    asked = parser.parse_args()
    print(json.dumps(measure(asked.units, asked.turns)))


if __name__ == "__main__":
    main()
