"""Full and damaged disks: what was confirmed stays, what cannot be stored is said to be not, and room heals it.

A round fills the disk under the production outbox or ledger until nothing goes any more, kills the process there or
not, and gives the room back; or it spoils bytes of an outbox file between two runs.
"""

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.accounts import LedgerAccount, OutboxAccount, Tally, Wrong, copy_of
from tests.chaos.filesystems import Filler, memory_disk, powered_disk
from tests.chaos.jobs import Job
from tests.chaos.nursery import Line, Nursery
from tests.chaos.verdict import Figures
from wire.events import Queue

PAGE = 4096
MEMORY_KIB, LEDGER_KIB, EXT4_KIB = 2048, 4096, 8192
KILL_SHARE = 0.5


class Lab:
    """The writers, and what all rounds together found."""

    def __init__(self, nursery: Nursery, chance: random.Random) -> None:
        """Nothing is broken yet."""
        self.tally = Tally()
        self.phases: Counter[str] = Counter()
        self.detail: Counter[str] = Counter()
        self.nursery = nursery
        self.chance = chance

    def start(self, account: OutboxAccount | LedgerAccount, steps: list[str]) -> None:
        """Start a writer for the account's folder."""
        first = account.next if isinstance(account, OutboxAccount) else 1
        role = "outbox" if isinstance(account, OutboxAccount) else "ledger"
        folder = str(account.folder)
        self.nursery.start(Job(role=role, disk=folder, folder=folder, steps=steps, first=first))  # type: ignore[arg-type]

    def listen(self, account: OutboxAccount | LedgerAccount, until: str, filler: Filler | None = None) -> Line:
        """Hear the writer out until it says `until` or fails, filling the disk again and again meanwhile."""
        heard = 0
        while True:
            line = self.nursery.hear()
            assert line is not None
            account.note(line)
            if line[0] in (until, "failed"):
                return line
            heard += 1
            if filler is not None and heard % 16 == 0:
                filler.fill()

    def finish(self, account: OutboxAccount | LedgerAccount, until: str = "idle") -> None:
        """Hear the writer out to its end. Raises `Wrong` where it fails."""
        line = self.listen(account, until)
        if line[0] == "failed":
            raise Wrong(f"{account.folder}: with room on the disk it failed: {' '.join(line)}")
        self.nursery.end()


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Run `count` rounds: a full disk under the outbox, one under the ledger, a damaged outbox, and again.

    Raises `Wrong` with the seed and the round where a promise besides the events is broken, and `MountRefused` where
    this machine lets no file system be mounted.
    """
    chance = random.Random(seed)
    with Nursery() as nursery:
        lab = Lab(nursery, chance)
        for number in range(count):
            if number % 25 == 0:
                say(f"disks: {number} of {count}, {lab.tally.confirmed} confirmed, {lab.tally.lost} lost")
            phase, run = ROUNDS[number % len(ROUNDS)]
            lab.phases[phase] += 1
            try:
                run(lab)
            except Wrong as error:
                raise Wrong(f"seed {seed}, round {number} ({phase}): {error}") from error
    return Figures(
        fault="full or damaged disk",
        faults=count,
        verdict=lab.tally.verdict(),
        phases=dict(sorted(lab.phases.items())),
        detail={key: float(value) for key, value in sorted(lab.detail.items())},
    )


@contextmanager
def _small_disk(lab: Lab, memory_kib: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="watchroom-disks-") as folder:
        if lab.chance.random() < 0.5:
            with memory_disk(Path(folder), memory_kib) as path:
                yield path
        else:
            with powered_disk(Path(folder), EXT4_KIB) as disk:
                yield disk.path


def fill_outbox(lab: Lab) -> None:
    """Presses and positions on a disk that somebody else fills, until none is stored any more; then room comes back."""
    with _small_disk(lab, MEMORY_KIB) as disk:
        account, filler = OutboxAccount(disk / "state", lab.tally, first=1), Filler(disk)
        account.folder.mkdir()
        drives = [f"drive {lab.chance.randrange(1, 200)}"] * lab.chance.randrange(8)
        healed = ["press 3", "drive 3", "tidy", "drain"]
        lab.start(account, [*drives, f"press {lab.chance.randrange(1, 9)}", "hold", "crowd", "hold", *healed])
        lab.listen(account, "holding")
        confirmed = lab.tally.confirmed
        filler.fill()
        lab.nursery.resume()
        lab.listen(account, "holding", filler)
        account.audit(evicting=True)
        lab.detail["outbox_presses_confirmed_while_full"] += lab.tally.confirmed - confirmed
        if lab.chance.random() < KILL_SHARE:
            lab.nursery.end()
            _start_on_full(lab, account, filler)
            account.audit(evicting=True)
            filler.leave()
            lab.start(account, healed)
        else:
            filler.leave()
            lab.nursery.resume()
        refused = len(account.refused)
        lab.detail["outbox_presses_refused_while_full"] += refused
        lab.finish(account)
        if len(account.refused) > refused:
            raise Wrong("with room on the disk again a press was refused")
        if kept := account.refused & set(account.delivered["status"]):
            raise Wrong(f"presses were told to be not stored, and were: {sorted(kept)[:10]}")
        account.audit_drained()


def _start_on_full(lab: Lab, account: OutboxAccount, filler: Filler) -> None:
    """A start where the last process was killed with the disk full: it goes on, or says that it cannot."""
    filler.fill()
    lab.start(account, ["press 2"])
    line = lab.listen(account, "idle")
    lab.nursery.end()
    lab.detail["outbox_starts_on_a_full_disk"] += 1
    lab.detail["outbox_starts_refused_on_a_full_disk"] += line[0] == "failed"


def fill_ledger(lab: Lab) -> None:
    """Commits on a disk that somebody else fills: nothing of a refused one is there; with room the same one goes."""
    with _small_disk(lab, LEDGER_KIB) as disk:
        account, filler = LedgerAccount(disk / "state", lab.tally), Filler(disk)
        account.folder.mkdir()
        healed = ["commit 1", f"commit {lab.chance.randrange(1, 60)}"]
        lab.start(account, [f"commit {lab.chance.randrange(1, 60)}", "hold", "crowd", "hold", *healed])
        lab.listen(account, "holding")
        filler.fill()
        lab.nursery.resume()
        lab.listen(account, "holding", filler)
        account.audit(exact=True)
        stored = account.stored
        if lab.chance.random() < KILL_SHARE:
            lab.nursery.end()
            lab.start(account, [])
            lab.detail["ledger_starts_on_a_full_disk"] += 1
            lab.detail["ledger_starts_refused_on_a_full_disk"] += lab.listen(account, "idle")[0] == "failed"
            lab.nursery.end()
            account.audit(exact=True)
            filler.leave()
            lab.start(account, healed)
        else:
            filler.leave()
            lab.nursery.resume()
        lab.finish(account)
        account.audit(exact=True)
        if account.stored <= stored:
            raise Wrong("with room on the disk again nothing was committed")


def damage_outbox(lab: Lab) -> None:
    """Bytes of an outbox file are spoilt between two runs: all but what lay there goes on, nothing altered is told."""
    with tempfile.TemporaryDirectory(prefix="watchroom-disks-") as folder:
        account = OutboxAccount(Path(folder), lab.tally, first=1)
        part = [f"press {lab.chance.randrange(1, 30)}", f"drive {lab.chance.randrange(1, 20)}"]
        clean = ["close"] if lab.chance.random() < 0.7 else []
        lab.start(account, [*part * lab.chance.randrange(2, 7), f"settle status {lab.chance.randrange(1, 20)}", *clean])
        lab.finish(account)
        account.audit()
        due = {number for number in account.due["status"] if number not in account.delivered["status"]}
        before = _bodies(account.folder)
        allowed = _spoil(account.folder / "outbox.db", lab.chance, before)
        lab.start(account, ["hold", "drain", "drain", "press 3", "drain"])
        lab.listen(account, "holding")
        told = _bodies(account.folder)
        if altered := {number for number, body in told.items() if body != before.get(number)}:
            raise Wrong(f"what nobody pressed is told: {sorted(altered)[:10]}")
        lab.nursery.resume()
        lab.finish(account)
        _count_what_survived(lab, account, due, allowed)


def _count_what_survived(lab: Lab, account: OutboxAccount, due: set[int], allowed: set[int]) -> None:
    sent = account.delivered["status"]
    lab.tally.lost += len(due - set(sent) - allowed)
    lab.tally.twice += len(sent) - len(set(sent))
    lab.tally.out_of_order += sum(later < one for one, later in zip(sent, sent[1:], strict=False))
    if account.next - 1 not in sent:
        raise Wrong("a press after the damage was not delivered")
    aside = list(account.folder.glob("outbox.damaged-*.db"))
    if due - set(sent) and not aside:
        raise Wrong("presses are gone, and no file was set aside")
    lab.detail["damaged_files_set_aside"] += bool(aside)
    lab.detail["damaged_presses_due"] += len(due)
    lab.detail["damaged_presses_destroyed"] += len(due & allowed - set(sent))


def _spoil(path: Path, chance: random.Random, before: dict[int, dict[str, object]]) -> set[int]:
    """Damage the file somewhere. Gives the presses that may be lost by it.

    These are the ones on the damaged pages, and the first after each, which nothing vouches for any more; with the
    first page of the table, or of the file, all.
    """
    content = bytearray(path.read_bytes())
    start, end = _write_over(content, chance)
    pages = range(start // PAGE, (end - 1) // PAGE + 1)
    with copy_of(path) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'status'").fetchone()[0]
    intact = path.read_bytes()
    path.write_bytes(content)
    if {0, root - 1} & set(pages):
        return set(before)
    spoilt = b"".join(intact[page * PAGE : (page + 1) * PAGE] for page in pages)
    order = sorted(before)
    lay_there = {at for at, number in enumerate(order) if f'"code":"C{number}"'.encode() in spoilt}
    return {number for at, number in enumerate(order) if at in lay_there or at - 1 in lay_there}


def _write_over(content: bytearray, chance: random.Random) -> tuple[int, int]:
    """Zeros, garbage, a few bytes, a bit, or the end cut off. Gives the bytes that it spoilt, from and to."""
    size = len(content)
    start = chance.randrange(size // PAGE) * PAGE
    match chance.choice(["zeros", "garbage", "run", "bit", "truncated"]):
        case "zeros":
            content[start : start + PAGE] = bytes(PAGE)
            return start, start + PAGE
        case "garbage":
            content[start : start + PAGE] = chance.randbytes(PAGE)
            return start, start + PAGE
        case "run":
            start += chance.randrange(PAGE - 16)
            content[start : start + 16] = chance.randbytes(16)
            return start, start + 16
        case "bit":
            start += chance.randrange(PAGE)
            content[start] ^= 1 << chance.randrange(8)
            return start, start + 1
        case _:
            kept = max(PAGE, start + chance.randrange(PAGE))
            del content[kept:]
            return kept, size


def _bodies(folder: Path) -> dict[int, dict[str, object]]:
    """The presses that an outbox's live file holds, without what a take-over may change: by number."""
    queue: Queue = "status"
    with copy_of(folder / "outbox.db") as db:
        bodies = [json.loads(raw) for (raw,) in db.execute(f"SELECT event FROM {queue} ORDER BY seq")]
    changing = ("seq", "origin")
    return {body["mono_ms"]: {key: body[key] for key in body if key not in changing} for body in bodies}


ROUNDS = (
    ("outbox on a full disk", fill_outbox),
    ("ledger on a full disk", fill_ledger),
    ("outbox damaged", damage_outbox),
)
