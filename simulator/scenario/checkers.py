"""The checkers: what must hold at every step, judged from the disks, the lamps and the board, apart from the actors."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from simulator.scenario.cloud import Cloud
from simulator.scenario.files import Card, Gap, Key, LedgerReader, Row, read_gaps
from simulator.scenario.machine import FIX_EVERY_S, FIX_ORIGIN_DEG, FIX_STEP_DEG, Machine, Pushed
from wire.feed import FeedRecord

SHOWS_WITHIN_S = 2.0
"""Staleness is on the board this soon after its threshold."""
TOLERANCE_S = 1.0
DRIFT = 100e-6
"""What a device's clock and the cloud's may drift apart, at 50 ppm each: an age may be that much too young."""
CLOCKS_AGREE_S = 10.0
"""Two devices' clocks are each believed up to 5 s off the truth."""


_SEEN = frozenset({"declared", "moving"})
"""What may stand at the end: the vehicle here drives on whatever its crew says, and the board says so."""


class Violation(msgspec.Struct, frozen=True):
    """What did not hold, and when."""

    at_s: float
    rule: str
    text: str


class Shown(msgspec.Struct, frozen=True):
    """A record as a control room has it, and when it came."""

    record: FeedRecord
    came_s: float


class Checkers:
    """All of them, over one scenario."""

    def __init__(self, machines: list[Machine], cloud: Cloud, now_s: Callable[[], float], interval_s: float) -> None:
        """Watch these; `interval_s` is the heartbeat's."""
        self.violations: list[Violation] = []
        self.steps = 0
        self._words: dict[str, tuple[int, int, int, int]] = {}
        """Where each device's newest word stood when the board was looked at last."""
        self._machines, self._cloud, self._now_s = machines, cloud, now_s
        self._late_s = 2 * interval_s + 5
        self._cards: dict[str, Card] = {}
        self._ledger = LedgerReader()
        self._pending: dict[Key, Pushed] = {}
        self._rows: dict[Key, Row] = {}
        self._ever: set[Key] = set()
        """What was in the ledger at any time, restored backups or not."""
        self._unsettled_by_restore: set[Key] = set()
        """What a restored ledger no longer has: a settle of before may still delete it from an outbox."""
        self._plain: set[Key] = set()
        """The same, of those that came under the place where they were pressed: never twice."""
        self._exempt: set[Key] = set()
        """What was only on a medium that was destroyed or restored."""
        self.when: dict[Key, tuple[str, float]] = {}
        """Which machine's press it was, and when it was confirmed."""
        self._sent_s: dict[bytes, float] = {}
        self._newest_sent_s: dict[str, float] = {}
        self._told: dict[str, int] = {}
        self._held: dict[str, list[tuple[float, dict[str, str]]]] = {}
        self.shown: dict[str, Shown] = {}
        self._standing: dict[str, tuple[Key, bool]] = {}
        self._order: dict[tuple[str, str], int] = {}

    def fail(self, rule: str, text: str) -> None:
        """Note that something did not hold, once for each rule and text."""
        if not any((one.rule, one.text) == (rule, text) for one in self.violations):
            self.violations.append(Violation(round(self._now_s(), 3), rule, text))

    # What the actors did: facts, no judgement.

    def note_sent(self, payload: bytes) -> None:
        """A device sent a message just now."""
        self._sent_s.setdefault(payload, self._now_s())

    def note_delivered(self, topic: str, payload: bytes) -> None:
        """A message reached ingest just now."""
        device = topic.split("/")[4]
        said: dict[str, Any] = json.loads(payload)
        if said.get("type") == "death":
            return
        sent_s = self._sent_s[payload]
        self._newest_sent_s[device] = max(sent_s, self._newest_sent_s.get(device, sent_s))
        if "last_seq" in said:
            stream, last = said["stream"], said["last_seq"]["status"]
            self._told[stream] = max(last, self._told.get(stream, 0))

    def note_cloud_started(self) -> None:
        """A new process has heard nobody."""
        self._newest_sent_s.clear()
        self._words.clear()
        self.shown.clear()
        self._told.clear()

    def note_confirmed(self, machine: Machine, pushed: Pushed) -> None:
        """A lamp confirmed a press just now: it must be on the disk."""
        assert pushed.lamp_s is not None
        low_ms, high_ms = pushed.mono_s * 1000 - 1, pushed.lamp_s * 1000 + 1
        self._ledger.read(self._cloud.ledger)
        rows = [*self._rows_of(machine), *self._ledger.rows, *self._ledger.refused]
        found = [r for r in rows if r.key[:2] == (pushed.unit, pushed.code) and low_ms <= r.key[2] <= high_ms]
        if not found:
            self.fail("nothing lost", f"{machine.name}: {pushed.button} at {pushed.at_s:.3f} is lit and on no disk")
            return
        row = found[0]
        self._pending[row.key] = pushed
        self._rows[row.key] = row
        self.when[row.key] = (machine.name, pushed.at_s)

    def note_medium_lost(self) -> None:
        """A medium was destroyed or restored just now: what was only there is not to be found any more."""
        self._read_ledger()
        present = self._present() | self._ledger.keys
        for key in [key for key in self._pending if key not in present]:
            self._exempt.add(key)
            del self._pending[key]

    def lost_with_medium(self) -> set[Key]:
        """What is in no outbox and no ledger because a medium was destroyed or restored."""
        present = self._present() | self._ledger.keys
        return {key for key in self._exempt if key not in present}

    # What must hold.

    def check_disks(self, machine: Machine | None = None) -> None:
        """Each confirmed press is in an outbox, a file set aside or the ledger; the ledger has each once, in order."""
        self.steps += 1
        self._read_ledger()
        if machine is not None:
            self._note_held(machine)
        missing = [key for key in self._pending if key not in self._ledger.keys]
        if missing:
            present = self._present()
            for key in missing:
                if key in present:
                    continue
                if key in self._unsettled_by_restore:
                    self._exempt.add(key)
                    del self._pending[key]
                else:
                    pushed = self._pending[key]
                    self.fail("nothing lost", f"{pushed.machine}: {key} confirmed at {pushed.confirmed_at_s} is gone")
        for key in [key for key in self._pending if key in self._ledger.keys]:
            del self._pending[key]

    def check_restored(self, everything: Iterable[Key]) -> None:
        """After a ledger was restored from a backup: what it held later must be in an outbox, or counts as lost."""
        self._ledger = LedgerReader()
        self._order.clear()
        self._read_ledger()
        present = self._present()
        for key in everything:
            if key not in self._ledger.keys:
                if key in present and key in self.when:
                    self._pending[key] = self._pushed_of(key)
                    self._unsettled_by_restore.add(key)
                else:
                    self._exempt.add(key)
        self._standing.clear()

    def check_lamps(self, machine: Machine) -> None:
        """A lamp is steady for a press only once that press is in the ledger."""
        newest = machine.pushed[-1] if machine.pushed else None
        if newest is None or newest.lamp_s is None or newest.boot_mark != machine.life:
            return
        if machine.panel.lamps.get(newest.button) != "steady":
            return
        key = next((k for k, when in self.when.items() if when == (machine.name, newest.at_s)), None)
        if key is not None and key not in self._ever and key not in self._exempt:
            self._read_ledger()
            if key not in self._ever:
                self.fail("steady is stored", f"{machine.name}: {newest.button} is steady and not in the ledger")

    def check_board(self, records: Sequence[FeedRecord], now_s: float) -> None:
        """The board claims no more than its basis, shows staleness in time, and never goes back."""
        self.steps += 1
        for record in records:
            self.shown[record.unit] = Shown(record, now_s)
        self._check_words()
        for shown in self.shown.values():
            self._check_freshness(shown, now_s)
            self._check_confirmed(shown.record, now_s)
        for record in records:
            self._check_forwards(record)

    def _check_freshness(self, shown: Shown, now_s: float) -> None:
        record, since_s = shown.record, now_s - shown.came_s
        carrier = self._carrier(record.unit)
        sent_s = self._newest_sent_s.get(carrier)
        tolerance_s = TOLERANCE_S + DRIFT * now_s
        if record.link == "fresh":
            age_s = now_s - sent_s if sent_s is not None else float("inf")
            if age_s > self._late_s + SHOWS_WITHIN_S + tolerance_s:
                self.fail("stale is not live", f"{record.unit} is fresh; {carrier} last spoke {age_s:.1f} s ago")
        if record.ages.link_s is not None and sent_s is not None:
            young_s = (now_s - sent_s) - (record.ages.link_s + since_s)
            if young_s > tolerance_s:
                self.fail("ages are true", f"{record.unit}: the link is shown {young_s:.1f} s too young")
        position = record.position
        carriers = [machine for machine in self._machines if machine.device == carrier]
        if len(carriers) != 1 or carriers[0].forked:
            return  # two lines of one stream, each with a place under the same number: nobody can tell which it is
        if position is not None and position.lat is not None and position.age_s is not None:
            turn = round((position.lat - FIX_ORIGIN_DEG) / FIX_STEP_DEG)
            fixed_s = turn * FIX_EVERY_S
            young_s = (now_s - fixed_s) - (position.age_s + since_s)
            if young_s > tolerance_s + FIX_EVERY_S / 2:
                self.fail("ages are true", f"{record.unit}: the position is shown {young_s:.1f} s too young")
            if (
                record.position_fresh
                and now_s - fixed_s > self._late_s + SHOWS_WITHIN_S + tolerance_s + FIX_EVERY_S / 2
            ):
                self.fail("stale is not live", f"{record.unit}: a position of {now_s - fixed_s:.1f} s ago is fresh")

    def _check_confirmed(self, record: FeedRecord, now_s: float) -> None:
        """A confirmed status stood on its device within the time that a silence may last."""
        if record.confidence != "confirmed" or record.status is None:
            return
        if record.link != "fresh":
            self.fail("confirmed is recent", f"{record.unit} is confirmed, and its link is {record.link}")
        since_s = now_s - (self._late_s + SHOWS_WITHIN_S + TOLERANCE_S + DRIFT * now_s)
        carrier = self._carrier(record.unit)
        for machine in self._machines:
            shared = machine.device != carrier
            history = self._held.get(machine.name, [])
            for place, (_, codes) in enumerate(history):
                until_s = history[place + 1][0] if place + 1 < len(history) else now_s
                if codes.get(record.unit) == record.status.code and (shared or until_s >= since_s):
                    return
        self.fail("confirmed is recent", f"{record.unit} is confirmed as {record.status.code}, which its crew left")

    def _check_words(self) -> None:
        """What a device said last never gives way to what it said before."""
        ingest = self._cloud.ingest
        if ingest is None or not self._cloud.running:
            return
        for device in dict.fromkeys(machine.device for machine in self._machines):
            link = ingest.fleet.link(device)
            if link is None:
                continue
            if link.order < self._words.get(device, link.order):
                self.fail("never backwards", f"{device}: its word {link.order} took the place of {self._words[device]}")
            self._words[device] = link.order

    def _check_forwards(self, record: FeedRecord) -> None:
        """What stands for a unit never gives way to an earlier press."""
        ingest = self._cloud.ingest
        head = ingest.fleet.standing(record.unit) if ingest is not None and self._cloud.running else None
        if head is None:
            return
        key = (head.unit, head.code, head.mono_ms)
        before = self._standing.get(record.unit)
        self._standing[record.unit] = (key, head.proven)
        if before is None or before[0] == key or before[0] not in self.when or key not in self.when:
            return
        (old_machine, old_s), (new_machine, new_s) = self.when[before[0]], self.when[key]
        if old_machine == new_machine and new_s < old_s:
            self.fail("never backwards", f"{record.unit}: a press of {new_s:.1f} took the place of one of {old_s:.1f}")
        clones = self._device_of(old_machine) == self._device_of(new_machine)
        both = before[1] and head.proven and record.confidence != "contradicted"
        if old_machine != new_machine and not clones and both and new_s < old_s - CLOCKS_AGREE_S:
            self.fail("never backwards", f"{record.unit}: {new_machine}'s of {new_s:.1f} took over from {old_s:.1f}")

    def check_end(self, settled: Sequence[Machine]) -> None:
        """A minute after the last fault the board says what the devices say, and nothing waits."""
        self.check_disks()
        gaps = read_gaps(self._cloud.ledger)
        for key in self.lost_with_medium() & self.when.keys():
            row = self._rows.get(key)
            forked = any(m.forked for m in self._machines if m.device == self._device_of(self.when[key][0]))
            told = row is not None and not forked and self._told.get(row.stream, 0) >= row.seq
            if row is not None and told and not _covered(row, gaps):
                self.fail("a loss is recorded", f"{key} was lost with its medium, and no gap says so")
        for machine in settled:
            self._note_held(machine)
            self._check_settled(machine)
        for unit in dict.fromkeys(self._unit_of(machine) for machine in settled):
            if unit not in self.shown:
                self.fail("it converges", f"{unit} is not on the board")
        for unit, shown in self.shown.items():
            self._check_agrees(unit, shown.record, [m for m in settled if self._unit_of(m) == unit])

    def _check_settled(self, machine: Machine) -> None:
        held = self._cards[machine.name].waiting(machine.medium.folder)
        waiting = [row for row in held if row.key in self._pending]
        if waiting:
            self.fail("it settles", f"{machine.name}: {len(waiting)} presses still wait: {waiting[0].key}")
        lit = [name for name, lamp in machine.panel.lamps.items() if lamp == "slow"]
        unit = self._unit_of(machine)
        shared = sum(self._unit_of(other) == unit for other in self._machines) > 1
        if lit and machine.running and not shared and not machine.spoilt and not self._cloud.restores:
            self.fail("it settles", f"{machine.name}: {lit} blink a minute after the last fault")

    def _check_agrees(self, unit: str, record: FeedRecord, machines: list[Machine]) -> None:
        carrier = next((m for m in machines if m.device == self._carrier(unit)), None)
        if carrier is None:
            return
        if record.link != "fresh":
            self.fail("it converges", f"{unit}: the link is {record.link}")
        codes = {self._cards[m.name].current(m.medium.folder).get(unit) for m in machines}
        shown = record.status.code if record.status is not None else None
        doubts = {reason.code for reason in record.reasons}
        forked = any(m.forked for m in machines) and "other_status" in doubts
        if any(m.spoilt for m in machines) or forked or self._cloud.restores:
            if record.confidence == "confirmed" and shown not in codes:
                self.fail("it converges", f"{unit}: confirmed as {shown}, and the devices hold {codes}")
            return
        if shown not in codes:
            self.fail("it converges", f"{unit}: shown as {shown}, and the devices hold {codes} ({doubts})")
        elif record.confidence not in ("confirmed", "never") and len(machines) == 1 and doubts & _SEEN != doubts:
            self.fail("it converges", f"{unit}: {record.confidence} {doubts}")

    # How they look.

    def _read_ledger(self) -> None:
        for row in self._ledger.read(self._cloud.ledger):
            place = (row.device, row.stream)
            if row.seq <= self._order.get(place, 0):
                self.fail("once and in order", f"{row.stream} {row.seq} came after {self._order[place]}")
            self._order[place] = max(row.seq, self._order.get(place, 0))
            if row.key in self._plain and row.origin is None and self._cloud.restores == 0:
                self.fail("once and in order", f"{row.key} is in the ledger twice")
            self._ever.add(row.key)
            if row.origin is None:
                self._plain.add(row.key)

    def ledger_keys(self) -> set[Key]:
        """What the ledger holds now."""
        self._read_ledger()
        return set(self._ledger.keys)

    def _rows_of(self, machine: Machine) -> list[Row]:
        return self._cards.setdefault(machine.name, Card()).rows(machine.medium.folder)

    def _present(self) -> set[Key]:
        return {row.key for machine in self._machines for row in self._rows_of(machine)}

    def _note_held(self, machine: Machine) -> None:
        codes = self._cards.setdefault(machine.name, Card()).current(machine.medium.folder)
        history = self._held.setdefault(machine.name, [])
        if not history or history[-1][1] != codes:
            history.append((self._now_s(), codes))

    def _pushed_of(self, key: Key) -> Pushed:
        name, at_s = self.when[key]
        machine = next(m for m in self._machines if m.name == name)
        return next(pushed for pushed in machine.pushed if pushed.at_s == at_s)

    def _carrier(self, unit: str) -> str:
        return "veh-" + unit.removeprefix("unit-")

    def _unit_of(self, machine: Machine) -> str:
        return "unit-1" if machine.device == "panel" else machine.device.replace("veh", "unit")

    def _device_of(self, name: str) -> str:
        return next(m.device for m in self._machines if m.name == name)


def _covered(row: Row, gaps: Iterable[Gap]) -> bool:
    return any(gap.stream == row.stream and gap.first <= row.seq <= gap.last for gap in gaps)
