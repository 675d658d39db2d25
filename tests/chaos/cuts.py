"""Power cuts: the production outbox and ledger on a real ext4 whose power goes at a seeded moment, again and again.

Right after a single commit on an otherwise idle disk (busy writers hide a loss), within commits, within settles,
before each file that a take-over touches, and within the start that follows a cut. The file system goes on from cut to
cut, as a device's does.
"""

import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from tests.chaos.accounts import LedgerAccount, OutboxAccount, Tally, Wrong
from tests.chaos.filesystems import PoweredDisk, powered_disk
from tests.chaos.jobs import Job
from tests.chaos.nursery import Nursery
from tests.chaos.verdict import Figures

CUTS_A_FOLDER = 25
"""After so many cuts, or fewer in a short proof, an outbox or ledger makes way for a fresh one: the disk is small."""
START_CUT_SHARE = 0.15
WRITEBACK_SHARE = 0.2
JOURNAL_SHARE = 0.3
"""So many of the cuts to a busy disk come after the kernel happened to write one file, or the journal, by itself."""
BASELINE_CUTS = 2
START_TOUCHES = 12
MINT_TOUCHES, MINT_RENAMES = 28, 17
"""About how many times a take-over opens, renames or removes a file, and from which on it renames."""

OUTBOX_DECK = (
    *("idle",) * 6,
    *("commit",) * 5,
    *("settle",) * 3,
    *("settled",) * 2,
    *("take-over",) * 4,
    *("take-over, timed",) * 2,
)
LEDGER_DECK = ("idle", "group")


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """One cut: what the writer does, and how long after what it is hit."""

    phase: str
    steps: list[str]
    upon: str
    """What the writer says ..."""
    times: int = 1
    """... so many times ..."""
    delay_s: float
    """... so long before the cut."""
    cut_in: str = ""
    cut_at: int = 0


class Lab:
    """One disk and its writers."""

    def __init__(self, disk: PoweredDisk, nursery: Nursery, seed: int) -> None:
        """Take a mounted disk."""
        self.chance = random.Random(seed)
        self.disk = disk
        self.tally = Tally()
        self.phases: Counter[str] = Counter()
        self.detail: Counter[str] = Counter()
        self._nursery = nursery
        self._kernel = random.Random(seed + 1)
        """What the kernel does by itself: apart, for how often it is asked depends on the moment."""
        self._decks: dict[tuple[str, ...], list[str]] = {}
        self._folders = 0

    def draw(self, deck: tuple[str, ...]) -> str:
        """Draw a card; a deck that is empty is shuffled again, so that each comes as often as it is in there."""
        left = self._decks.setdefault(deck, [])
        if not left:
            left.extend(self.chance.sample(deck, len(deck)))
        return left.pop()

    def fresh_folder(self) -> Path:
        """An empty folder on the disk, whose making survives a cut. All that lay there before is deleted."""
        for old in self.disk.path.glob("state-*"):
            shutil.rmtree(old)
        self._folders += 1
        folder = self.disk.path / f"state-{self._folders}"
        folder.mkdir()
        os.sync()
        return folder

    def strike(self, account: OutboxAccount | LedgerAccount, strike: Strike) -> None:
        """Let a writer work, cut the power, and bring it back.

        What it says after the cut counts for nothing: with the power it would have gone itself.
        """
        job = self._job(account, strike.steps)
        busy = "idle" not in strike.phase
        journalled = busy and self._kernel.random() < JOURNAL_SHARE
        own = {"cut_in": strike.cut_in, "cut_at": strike.cut_at, "journalled": journalled}
        self._nursery.start(msgspec.structs.replace(job, **own))
        account.in_flight = False
        cut_ns = None
        if not self._cuts_itself(account, strike):
            if busy and self._kernel.random() < WRITEBACK_SHARE:
                self._write_some_back(account.folder)
            cut_ns = time.monotonic_ns()
            self.disk.cut(journalled=journalled)
        for line in self._nursery.end(cut_ns):
            account.note(line)
        self.phases[strike.phase] += 1
        self.detail["cuts_with_work_in_flight"] += account.in_flight
        self.detail["cuts_after_the_journal_was_written"] += journalled
        self.disk.restore()

    def run(self, account: OutboxAccount | LedgerAccount, steps: list[str]) -> None:
        """Start a writer with the power on, and end it (`kill -9`) when it has nothing more to do."""
        self._nursery.start(self._job(account, steps))
        while (line := self._nursery.hear()) != ["idle"]:
            assert line is not None
            if line[0] == "failed":
                raise Wrong(f"{account.folder.name}: it did not start or work again: {' '.join(line)}")
            account.note(line)
        self._nursery.end()

    def _job(self, account: OutboxAccount | LedgerAccount, steps: list[str]) -> Job:
        outbox = isinstance(account, OutboxAccount)
        return Job(
            role="outbox" if outbox else "ledger",
            disk=str(self.disk.path),
            folder=str(account.folder),
            steps=steps,
            first=account.next if isinstance(account, OutboxAccount) else 1,
        )

    def _cuts_itself(self, account: OutboxAccount | LedgerAccount, strike: Strike) -> bool:
        """Hear the writer out until the moment of the cut. Tells whether it has cut the power under itself."""
        left, until_s = strike.times, None if strike.upon else time.monotonic() + strike.delay_s
        while until_s is None or time.monotonic() < until_s:
            line = self._nursery.hear() if until_s is None else self._nursery.hear(max(0.0, until_s - time.monotonic()))
            if line is None:
                break
            if line[0] == "cut":
                self.detail["cuts_before_a_file_was_touched"] += 1
                return True
            if line[0] == "failed":
                raise Wrong(f"{account.folder.name}: it failed with the power on: {' '.join(line)}")
            account.note(line)
            left -= line[0] == strike.upon
            if until_s is None and (left <= 0 or line == ["idle"]):
                until_s = time.monotonic() + strike.delay_s
        return False

    def _write_some_back(self, folder: Path) -> None:
        """Force one file to the disk, and the journal with it, as the kernel may at any time."""
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.suffix != ".db-shm")
        if files:
            try:
                descriptor = os.open(self._kernel.choice(files), os.O_RDONLY)
            except FileNotFoundError:
                return  # the writer has renamed or removed it just now
            os.fsync(descriptor)
            os.close(descriptor)
            self.detail["cuts_after_a_writeback"] += 1


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Cut the power `count` times, and audit after each cut.

    Raises `Wrong` with the seed and the number of the cut where a file contradicts itself or a promise besides the
    events, and `MountRefused` where this machine lets no file system be mounted.
    """
    with (
        tempfile.TemporaryDirectory(prefix="watchroom-cuts-") as folder,
        powered_disk(Path(folder)) as disk,
        Nursery() as nursery,
    ):
        lab = Lab(disk, nursery, seed)
        a_folder = min(CUTS_A_FOLDER, max(4, count // 8))
        while (done := lab.phases.total()) < count:
            say(f"power cuts: {done} of {count}, {lab.tally.confirmed} confirmed, {lab.tally.lost} lost")
            target = min(count, done + a_folder)
            try:
                (_cut_ledger if done // a_folder % 5 in (1, 3) else _cut_outbox)(lab, target)
            except Wrong as error:
                raise Wrong(f"seed {seed}, cut {lab.phases.total()}: {error}") from error
        baseline = lose(disk, nursery)
    verdict = lab.tally.verdict()
    return Figures(
        fault="power cut",
        faults=lab.phases.total(),
        verdict=verdict,
        phases=dict(sorted(lab.phases.items())),
        detail={key: float(value) for key, value in sorted({**lab.detail, **baseline}.items())},
    )


def lose(disk: PoweredDisk, nursery: Nursery) -> Counter[str]:
    """The same cut to plain SQLite, with settings that make a commit durable and others: rows lost, and cuts."""
    found: Counter[str] = Counter()
    for journal, synchronous in (("delete", "full"), ("wal", "normal"), ("wal", "full")):
        for number in range(BASELINE_CUTS):
            folder = disk.path / f"plain-{journal}-{synchronous}-{number}"
            folder.mkdir()
            os.sync()
            steps = ["row", "row", "row"]
            job = Job(role="plain", disk=str(disk.path), folder=str(folder), steps=steps)
            nursery.start(msgspec.structs.replace(job, journal=journal, synchronous=synchronous))
            while nursery.hear() != ["idle"]:
                pass
            disk.cut()
            nursery.end()
            disk.restore()
            found[f"baseline_{journal}_{synchronous}_rows_lost"] += len(steps) - _rows_left(folder / "plain.db")
            found["baseline_cuts"] += 1
            shutil.rmtree(folder)
    return found


def _rows_left(path: Path) -> int:
    """How many of a plain file's rows can be read."""
    try:
        with closing(sqlite3.connect(path)) as db:
            return int(db.execute("SELECT count(*) FROM row").fetchone()[0])
    except sqlite3.Error:
        return 0


def _cut_outbox(lab: Lab, target: int) -> None:
    account = OutboxAccount(lab.fresh_folder(), lab.tally, first=1)
    lab.strike(account, _start_strike(lab, "outbox"))
    while lab.phases.total() < target:
        lab.strike(account, _outbox_strike(lab))
        _note_take_over(lab, account.folder)
        while lab.phases.total() < target and lab.chance.random() < START_CUT_SHARE:
            lab.strike(account, _start_strike(lab, "outbox"))
        lab.run(account, lab.chance.choice([["close"], []]))
        account.audit()
    lab.run(account, ["drain"])
    account.audit_drained()


def _cut_ledger(lab: Lab, target: int) -> None:
    account = LedgerAccount(lab.fresh_folder(), lab.tally)
    lab.strike(account, _start_strike(lab, "ledger"))
    while lab.phases.total() < target:
        lab.strike(account, _ledger_strike(lab))
        account.audit()
        while lab.phases.total() < target and lab.chance.random() < START_CUT_SHARE:
            lab.strike(account, _start_strike(lab, "ledger"))
        lab.run(account, lab.chance.choice([["close"], []]))
        account.audit()


def _note_take_over(lab: Lab, folder: Path) -> None:
    """Count in which state of a take-over the power went: that each was hit is part of the proof."""
    lab.detail["take_overs_cut_before_ready"] += (folder / "outbox.new").exists()
    lab.detail["take_overs_cut_when_ready"] += any(folder.glob("outbox.*.ready"))
    lab.detail["take_overs_cut_between_the_files"] += not (folder / "outbox.db").exists()


def _outbox_strike(lab: Lab) -> Strike:
    chance = lab.chance
    steps = [f"press {chance.randrange(1, 5)}", f"drive {chance.randrange(1, 8)}", f"press {chance.randrange(1, 3)}"]
    queue = chance.choice(["status", "track"])
    settle = f"settle {queue} {chance.randrange(1, 20)}"
    mint = f"mint {chance.choice(['ahead', 'fork', 'superseded'])}"
    match lab.draw(OUTBOX_DECK):
        case "idle":
            alone = steps[: chance.randrange(3)]
            return Strike(
                phase="outbox, idle after a commit",
                steps=[*alone, "press 1"],
                upon="idle",
                delay_s=chance.choice([0, 0.02]),
            )
        case "commit":
            return Strike(
                phase="outbox, committing",
                steps=[*steps, settle, "again"],
                upon="try",
                times=chance.randrange(1, 30),
                delay_s=chance.uniform(0, 0.003),
            )
        case "settle":
            return Strike(
                phase="outbox, settling", steps=[*steps, settle], upon="settling", delay_s=chance.uniform(0, 0.002)
            )
        case "settled":
            return Strike(phase="outbox, idle after a settle", steps=[*steps, settle], upon="idle", delay_s=0.0)
        case "take-over":
            touch = chance.randrange(chance.choice([0, MINT_RENAMES]), MINT_TOUCHES)
            return Strike(
                phase="outbox, take-over", steps=[*steps, mint], upon="idle", delay_s=0.0, cut_in="mint", cut_at=touch
            )
        case _:
            return Strike(
                phase="outbox, take-over", steps=[*steps, mint], upon="minting", delay_s=chance.uniform(0, 0.02)
            )


def _ledger_strike(lab: Lab) -> Strike:
    chance = lab.chance
    if lab.draw(LEDGER_DECK) == "idle":
        steps = [f"commit {chance.randrange(1, 40)}"] * chance.randrange(2) + ["commit 1"]
        return Strike(phase="ledger, idle after a commit", steps=steps, upon="idle", delay_s=chance.choice([0, 0.02]))
    return Strike(
        phase="ledger, committing groups",
        steps=[f"commit {chance.randrange(1, 120)}", "commit 1", "again"],
        upon="try",
        times=chance.randrange(1, 12),
        delay_s=chance.uniform(0, 0.004),
    )


def _start_strike(lab: Lab, role: str) -> Strike:
    chance = lab.chance
    if chance.random() < 0.5:
        return Strike(
            phase=f"{role}, start",
            steps=[],
            upon="idle",
            delay_s=0.0,
            cut_in="start",
            cut_at=chance.randrange(START_TOUCHES),
        )
    return Strike(phase=f"{role}, start", steps=[], upon="", delay_s=chance.uniform(0, 0.03))
