"""The page of a proof, `docs/proof.md`: what was done, what was found, on what, and how to do it again. Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from tests.chaos.machine import Commit, Machine
from tests.chaos.pace import readable
from tests.chaos.verdict import Figures, Verdict, combine

WITH_LAMPS = frozenset({"kills", "network", "clocks", "freezes"})
"""The labs in which crews press and lamps answer; in the others a disk's commit is what confirms."""
ALONE = frozenset({"islands"})
"""The lab of what a station does while it is cut off."""
ORDERS = frozenset({"mobilisations"})
"""The lab of orders. There a press is an order's revision, twice a door that was pulsed twice, and out of order what
was done after the cancel."""
AT_STATIONS = ALONE | ORDERS
"""The labs that are about what a station does, and not about presses alone."""

INTRODUCTION = """\
# Proof: a press that the lamp confirmed is not lost

When a crew presses a status, a lamp on their panel says what has become of it: blinking, it is
stored on the vehicle; steady, control shows it. This page is the record of an attempt to make that
lamp lie. The real software of the vehicle, real message brokers and the real cloud side were
killed, frozen, starved of disk and network, and had their power cut, over and over, while buttons
were being pressed. Afterwards everything was allowed to heal, and an auditor that shares no code
with the product held its record against what the lamps had said: is each confirmed press there,
exactly once, and in order?

The page is written by the program that made the attempt. Nothing on it is entered by hand."""

LIMITS = """\
## What this does not prove

- A press whose lamp never lit is no promise, and is not counted as one: the crew is told to use
  the radio.
- All of it ran on one machine. The power was cut under a file system, not under a drive: a drive
  that claims to have written what it has not is outside what software can mend.
- A medium that is destroyed, or put back from an old copy, takes with it what only it held. The gap
  is then recorded, which the simulation checks; that it raises an alarm is tested apart."""

SIMULATION = """\
## Simulation

The product's own rules, those of the vehicle and those of the cloud, also ran under a simulated
clock, network and disk, through random faults that can be replayed from their seed: loss,
duplication, reordering, delay, restarts, power cuts, full, cloned and damaged disks, wrong clocks,
a cloud put back from a backup. Checkers looked after each step, whether anything was lost and
whether the board ever claimed more than was known.

{seeds:,} seeds: {violations:,} violations ({took}).

A check that never fails proves nothing. So the product was broken on purpose, one defence at a
time, on a copy: {caught} of {mutations} broken copies were caught.

{table}"""

MEMORY = """\
## Memory

A day of the same simulated world was lived through, {virtual} of it, with {starts:,} starts of the
cloud and {directories:,} changes of its directory. At {instants:,} moments by chance what a client of
the live feed showed was put aside; afterwards each of these boards was asked for again from what
the cloud had written down. {known:,} of them fell while a board was shown: of {records:,} records
none differed, ages included, within the milliseconds named in `simulator/scenario/showing.py`; the
other moments were told as not known (took {took})."""

SHARING = """\
## Sharing

{worlds:,} worlds were made up, each with organisations, units, agreements, crews, orders, and people who
withdraw, declare and go covert. In every world each value was one that occurs nowhere else. An
oracle that shares no code with the rules said what each organisation may learn; then every byte
that any of them could read was searched for anything else: {bodies:,} bodies, {mebibytes:,} MiB, and
{forbidden:,} things found that somebody may not know (took {took}). Each view was also whole: nobody saw less than was
agreed.

The rules were broken on purpose too, one at a time, on a copy: {caught} of {mutations} broken copies were
caught.

{table}"""

CIRCUMSTANCES = """\
## Where it ran, and how to run it again

{table}

On a Debian machine with the right to mount file systems and to make network namespaces:

```
make proof
```

This page came from `{command}`. `make test` runs a short form of it. One part alone:
`python -m tests.chaos.proof --only kills`."""

READ_FROM_FILES = """\
The moment was not assumed: at the instant of each kill, what could have changed the files of that
vehicle and of the ledger was stopped, and the files were read."""

_MEANINGS = {
    "before commit": "pressed, and not yet on the vehicle's disk",
    "commit to send": "on the vehicle's disk, nothing sent yet",
    "send to ledger": "sent, and not yet in the cloud's ledger",
    "ledger to settle": "in the ledger, the vehicle not yet told",
    "after settle": "in the ledger, the vehicle told",
    "unclear": "somewhere: a file could not be read at that instant",
}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the proof. `figures` is None where it did not come to an end; `trouble` says why it does not hold."""

    name: str
    seconds: float
    figures: Figures | None = None
    trouble: str = ""


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation found: seeds without and with a violation, and which broken copies it saw through."""

    seeds: int
    violations: int
    mutations: int
    caught: int
    by: dict[str, int] = {}
    """Seeds until each was caught."""
    seconds: float = 0.0
    trouble: str = ""


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What replaying a simulated day found."""

    virtual_s: float = 0.0
    instants: int = 0
    known: int = 0
    records: int = 0
    starts: int = 0
    directories: int = 0
    seconds: float = 0.0
    trouble: str = ""


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """What a station did that was cut off for long, on the virtual clock."""

    cut_s: float = 0.0
    reads: int = 0
    deeds: int = 0
    turnouts: int = 0
    drained_s: float = 0.0
    seconds: float = 0.0
    trouble: str = ""


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What searching made-up worlds found, and which broken rules it saw through."""

    worlds: int = 0
    bodies: int = 0
    bytes: int = 0
    forbidden: int = -1
    mutations: int = 0
    caught: int = 0
    by: dict[str, int] = {}
    """Worlds until each was caught."""
    seconds: float = 0.0
    trouble: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole proof."""

    at: datetime
    machine: Machine
    commit: Commit
    command: str
    seconds: float
    parts: Sequence[Part]
    simulated: Simulated | None
    remembered: Remembered | None = None
    alone: Alone | None = None
    shared: Shared | None = None

    @property
    def troubles(self) -> list[str]:
        """Why it does not hold; empty where it does."""
        found = [f"{part.name}: {part.trouble}" for part in self.parts if part.trouble]
        ways = {"simulation": self.simulated, "memory": self.remembered, "island": self.alone, "sharing": self.shared}
        for name, one in ways.items():
            found += [f"{name}: {one.trouble}"] if one and one.trouble else []
        return found


def render(report: Report) -> str:
    """The page as Markdown."""
    sections = [INTRODUCTION, _result(report), _faults(report.parts)]
    sections += [_phases(part.figures) for part in report.parts if part.figures is not None and part.figures.phases]
    sections += [_details(report.parts)]
    if report.simulated is not None:
        sections.append(_simulation(report.simulated))
    if report.remembered is not None:
        sections.append(_memory(report.remembered))
    if report.alone is not None:
        sections.append(_alone(report.alone))
    if report.shared is not None:
        sections.append(_sharing(report.shared))
    return "\n\n".join([*sections, LIMITS, _circumstances(report)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, texts: int = 1) -> str:
    """A Markdown table, its first `texts` columns to the left and the others to the right."""
    rule = ["---" if column < texts else "---:" for column in range(len(head))]
    lines = [head, rule, *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _result(report: Report) -> str:
    if report.troubles:
        return "## Result: it does not hold\n\n" + "\n".join(f"- {trouble}" for trouble in report.troubles)
    faults = sum(part.figures.faults for part in report.parts if part.figures is not None)
    pressed = _total(report, WITH_LAMPS)
    committed = _total(report, {part.name for part in report.parts} - WITH_LAMPS - AT_STATIONS)
    alone, orders = _total(report, ALONE), _total(report, ORDERS)
    mobilised = (
        f"\n\nStations were killed in the midst of carrying orders out, {orders.presses:,} revisions of them, each "
        "delivered three times and out of order with its cancel. **No door was pulsed twice, nothing was done after a "
        "cancel, every alert that was interrupted sounded again while it held, and each revision came to a recorded "
        "end.**"
    )
    stations = (
        f"\n\nA station whose way to control went dead did {alone.presses:,} things meanwhile and before: presses, "
        "log-ons, turnouts by hand, acknowledgements, tests. **Its Modbus lines, its panel and its turnouts never "
        "paused, and afterwards the ledger had each of them, once and at its own time.**"
    )
    return (
        f"## Result: it holds\n\nOver {faults:,} faults, **{pressed.confirmed:,} presses were confirmed by a lamp, and "
        "every one of them is in the ledger: none lost, none twice, none out of order.** Of "
        f"{committed.confirmed:,} events that a disk had confirmed before its power was cut, or while it was full or "
        "damaged, none was lost but those whose own bytes were destroyed on purpose."
        + (mobilised if orders.presses else "")
        + (stations if alone.presses else "")
    )


def _total(report: Report, names: Collection[str]) -> Verdict:
    parts = [part for part in report.parts if part.name in names]
    return combine(part.figures.verdict for part in parts if part.figures is not None)


def _faults(parts: Sequence[Part]) -> str:
    rows = []
    for part in parts:
        if part.figures is None:
            rows.append([part.name, "did not finish", *["-"] * 5, readable(part.seconds)])
            continue
        found, verdict = part.figures, part.figures.verdict
        counts = (found.faults, verdict.presses, verdict.confirmed, verdict.lost, verdict.twice, verdict.out_of_order)
        rows.append([found.fault, *(f"{count:,}" for count in counts), readable(part.seconds)])
    head = ["fault", "times", "presses", "confirmed", "lost", "twice", "out of order", "took"]
    return "## What was done, and what became of the presses\n\n" + table(head, rows)


def _phases(figures: Figures) -> str:
    title = f"## {figures.fault[:1].upper()}{figures.fault[1:]}: when it hit"
    if not figures.phases.keys() <= _MEANINGS.keys():
        return f"{title}\n\n" + table(["moment", "times"], [(key, f"{n:,}") for key, n in figures.phases.items()])
    rows = [(key, _MEANINGS[key], f"{hits:,}") for key, hits in figures.phases.items()]
    return f"{title}\n\n{READ_FROM_FILES}\n\n" + table(["moment", "what a press was then", "times"], rows, texts=2)


def _details(parts: Sequence[Part]) -> str:
    rows = [
        (part.figures.fault, key, f"{value:,.10g}")
        for part in parts
        if part.figures is not None
        for key, value in part.figures.detail.items()
    ]
    return "## In detail\n\n" + table(["fault", "figure", "value"], rows, texts=2)


def _simulation(found: Simulated) -> str:
    rows = sorted((name.replace("-", " "), f"{seeds:,}") for name, seeds in found.by.items())
    return SIMULATION.format(
        seeds=found.seeds,
        violations=found.violations,
        took=readable(found.seconds),
        caught=found.caught,
        mutations=found.mutations,
        table=table(["defence taken away", "seeds until caught"], rows),
    )


def _memory(found: Remembered) -> str:
    counts = msgspec.structs.asdict(found)
    return MEMORY.format(virtual=readable(found.virtual_s), took=readable(found.seconds), **counts)


def _alone(found: Alone) -> str:
    return (
        "## A station that is cut off for long\n\n"
        f"On the virtual clock a station was cut off for {readable(found.cut_s)}. Meanwhile it read its lines "
        f"{found.reads:,} times, and {found.deeds:,} things were done at it, {found.turnouts:,} turnouts among them. "
        f"{readable(found.drained_s)} after the cut control had each of them, once and at its own time. That took "
        f"{readable(found.seconds)}."
    )


def _sharing(found: Shared) -> str:
    rows = sorted((name.replace("-", " "), f"{worlds:,}") for name, worlds in found.by.items())
    return SHARING.format(
        worlds=found.worlds,
        bodies=found.bodies,
        mebibytes=found.bytes >> 20,
        forbidden=found.forbidden,
        took=readable(found.seconds),
        caught=found.caught,
        mutations=found.mutations,
        table=table(["rule taken away", "worlds until caught"], rows),
    )


def _circumstances(report: Report) -> str:
    machine = report.machine
    state = "" if report.commit.clean else ", with changes that were not committed"
    rows = [
        ("date", f"{report.at:%Y-%m-%d %H:%M} UTC"),
        ("commit", f"`{report.commit.id}`{state}"),
        ("processor", f"{machine.processor}, {machine.cores} cores"),
        ("memory", f"{machine.memory_gib:g} GiB"),
        ("kernel", machine.kernel),
        *machine.versions.items(),
        ("took", readable(report.seconds)),
    ]
    return CIRCUMSTANCES.format(table=table(["", ""], rows, texts=2), command=report.command)
