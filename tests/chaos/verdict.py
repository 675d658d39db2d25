"""The audit after a fault: each press whose lamp said "stored" is in the ledger exactly once, in order.

It reads the ledger's file with SQLite alone and shares nothing with the code under test. A press is known by its
moment: the device's monotonic clock is this machine's, so the event of a press carries a `mono_ms` between the push
of the button and the lamp.
"""

import json
import math
import sqlite3
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

SLACK_MS = 2
"""What rounding to milliseconds may take from a moment, at either end."""
UNCONFIRMED_S = 1.0
"""How long after its push a press may still have been committed whose lamp nobody saw."""


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """A push of a button, in seconds of CLOCK_BOOTTIME; `lamp_s` is None where no lamp ever confirmed it."""

    unit: str
    code: str
    down_s: float
    lamp_s: float | None = None


class Kept(msgspec.Struct, frozen=True):
    """A status in the ledger, in the order of the ledger."""

    unit: str
    code: str
    mono_ms: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit found. Zero of the last three is the promise."""

    presses: int
    confirmed: int
    """Lamp-confirmed: blinking or steady."""
    lost: int
    """Confirmed, and not in the ledger."""
    twice: int
    """In the ledger more than once."""
    out_of_order: int
    """After a later press of its unit."""

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled or turned round."""
        return self.lost == self.twice == self.out_of_order == 0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a lab did, and what the audit then found."""

    fault: str
    """What was done, in a few words."""
    faults: int
    """How many times."""
    verdict: Verdict
    phases: dict[str, int] = {}
    """How many of the faults hit in each phase."""
    detail: dict[str, float] = {}
    """Figures of this lab's own, with units in their names."""


def read_ledger(path: Path) -> list[Kept]:
    """Read the statuses of a ledger file, a live one's too."""
    query = "SELECT body FROM event WHERE kind = 'status' ORDER BY id"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        bodies = [json.loads(body) for (body,) in db.execute(query)]
    return [Kept(body["unit"], body["code"], body["mono_ms"]) for body in bodies]


def audit(presses: Sequence[Press], kept: Iterable[Kept]) -> Verdict:
    """Hold the ledger against what the crews were told."""
    rows = list(kept)
    counts = _count_rows(presses, rows)
    return Verdict(
        presses=len(presses),
        confirmed=sum(press.lamp_s is not None for press in presses),
        lost=sum(count == 0 and press.lamp_s is not None for press, count in zip(presses, counts, strict=True)),
        twice=sum(count > 1 for count in counts),
        out_of_order=sum(_falls_back(rows)),
    )


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Add up the verdicts of audits that had no press in common."""
    every = list(verdicts)
    return Verdict(
        presses=sum(one.presses for one in every),
        confirmed=sum(one.confirmed for one in every),
        lost=sum(one.lost for one in every),
        twice=sum(one.twice for one in every),
        out_of_order=sum(one.out_of_order for one in every),
    )


def _count_rows(presses: Iterable[Press], rows: Iterable[Kept]) -> list[int]:
    """How many rows each press has: those of its button from its push on."""
    presses = list(presses)
    committed = _by_button((row.unit, row.code, row.mono_ms) for row in rows)
    pushed = _by_button((press.unit, press.code, press.down_s) for press in presses)
    counts = []
    for press in presses:
        found = committed.get((press.unit, press.code), [])
        until_s = _until_s(press, pushed[press.unit, press.code])
        first = bisect_left(found, press.down_s * 1000 - SLACK_MS)
        counts.append(max(0, bisect_right(found, until_s * 1000 + SLACK_MS) - first))
    return counts


def _by_button(moments: Iterable[tuple[str, str, float]]) -> dict[tuple[str, str], list[float]]:
    """The moments of each unit and code, sorted."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for unit, code, moment in moments:
        found[unit, code].append(moment)
    return {button: sorted(each) for button, each in found.items()}


def _until_s(press: Press, pushes_s: Sequence[float]) -> float:
    """By when a press was committed: before its lamp; without one, within a while and before its button's next push."""
    if press.lamp_s is not None:
        return press.lamp_s
    following = bisect_right(pushes_s, press.down_s)
    next_s = pushes_s[following] - 2 * SLACK_MS / 1000 if following < len(pushes_s) else math.inf
    return min(press.down_s + UNCONFIRMED_S, next_s)


def _falls_back(rows: Sequence[Kept]) -> Iterable[bool]:
    newest: dict[str, int] = {}
    for row in rows:
        yield row.mono_ms < newest.get(row.unit, 0)
        newest[row.unit] = max(row.mono_ms, newest.get(row.unit, 0))
