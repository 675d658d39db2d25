"""Whatever happens to the file's bytes: what can be read and verified goes on, and nothing altered is ever told."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_agent.outbox import Held, OutboxFile, OutboxKeeper
from tests.edge_agent.outbox.lab import ENROLMENT, chain, genesis, keeper, place, press, rows, sensor, told
from wire.events import Queue

SEED = 7
PAGE = 4096
STATUSES, TRACKS = 90, 150
QUEUES: tuple[Queue, Queue] = ("status", "track")


class Sample(NamedTuple):
    """An outbox with some of each queue settled, and all that it holds."""

    path: Path
    stream: str
    boot: int
    events: dict[Queue, dict[int, bytes]]
    codes: dict[str, tuple[int, str]]
    """Per unit, the sequence and the code of its current status."""
    roots: dict[str, int]
    """Per table, the page on which SQLite finds it."""

    @property
    def pages(self) -> int:
        """How many pages the file has."""
        return self.path.stat().st_size // PAGE


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Presses of two units, positions and two inputs; the first three of each queue are settled."""
    file = OutboxFile(tmp_path_factory.mktemp("sample") / "outbox.db", ENROLMENT)
    statuses, track = [], []
    for number in range(STATUSES):
        unit = "engine-1" if number % 3 else "van-2"
        statuses += [one.raw for one in file.append("status", [press(f"C{number}", unit=unit, remarks="r" * 90)])]
    drafts = [
        (place(number / 2), sensor("water", float(number)), sensor("foam", 2.0))[number % 3] for number in range(TRACKS)
    ]
    track += [one.raw for one in file.append("track", drafts)]
    for queue, raws in (("status", statuses), ("track", track)):
        name: Queue = "status" if queue == "status" else "track"
        file.settle(name, file.stream, 3, chain(genesis(file.stream, name), raws[:3]))
    events = {queue: rows(file, queue) for queue in QUEUES}
    codes = {one.unit: (one.seq, one.code) for one in file.current()}
    roots = dict(file._db.execute("SELECT name, rootpage FROM sqlite_schema").fetchall())
    file.close()
    return Sample(file.path, file.stream, file.boot, events, codes, roots)


def in_folder(sample: Sample, folder: Path, spoil: Callable[[bytearray], object]) -> Path:
    """A copy of the sample in `folder`, spoilt."""
    folder.mkdir(exist_ok=True)
    content = bytearray(sample.path.read_bytes())
    spoil(content)
    (folder / "outbox.db").write_bytes(content)
    return folder


def opened(folder: Path) -> tuple[OutboxKeeper, Held]:
    """A keeper of the folder, and what it says that it holds."""
    found = keeper(folder)
    asyncio.run(found._run("read", read_through))
    return found, asyncio.run(found.held())


def read_through(file: OutboxFile) -> None:
    """Look at all of the track, as sending it all would."""
    file._read("track", range(file.first_held("track"), file.last_seq("track") + 1))


def assert_honest(sample: Sample, found: OutboxKeeper, held: Held) -> dict[Queue, set[int]]:
    """Everything told is word for word what was appended, in order, once. Gives the sequences that are lost."""
    lost: dict[Queue, set[int]] = {}
    for queue in QUEUES:
        said = [(seq, raw) for _, seq, raw in told(found._file, queue)]
        if held.predecessor or held.stream == sample.stream:
            assert {stream for stream, _, _ in told(found._file, queue)} <= {sample.stream}
            assert [seq for seq, _ in said] == sorted({seq for seq, _ in said})
            assert set(said) <= sample.events[queue].items()
            lost[queue] = set(sample.events[queue]) - {seq for seq, _ in said}
        else:  # nobody can tell any more what the events' stream was
            assert not said
            lost[queue] = set(sample.events[queue])
    for one in held.current:
        seq, code = sample.codes[one.unit]
        pressed = sample.events["status"]
        assert (
            (one.code == code)
            if one.stream == sample.stream
            else f'"{one.code}"'.encode() in b"".join(pressed.values())
        )
    if held.stream == sample.stream:
        assert not found.set_aside and not lost["status"] and not lost["track"]
    else:
        assert held.predecessor in (sample.stream, "")
        assert 1 == len(found.set_aside) and found.set_aside[0].exists()
    return lost


def close(found: OutboxKeeper) -> None:
    """Close a keeper."""
    asyncio.run(found.close())


def allowed_losses(sample: Sample, queue: Queue, page: int) -> set[int]:
    """What may be lost with a page (counted from 1): the events on it, and the first after, which nothing vouches for.

    With the page on which a table begins or the schema lies, everything of that table can no longer be found.
    """
    if page in (1, sample.roots[queue]):
        return set(sample.events[queue])
    content = sample.path.read_bytes()[(page - 1) * PAGE : page * PAGE]
    on_page = {seq for seq, raw in sample.events[queue].items() if raw in content}
    return on_page | {max(on_page) + 1} if on_page else set()


def spoilers(sample: Sample) -> list[tuple[str, int, Callable[[bytearray], object]]]:
    """Every page zeroed, overwritten and torn in half, and a few single bytes and short runs altered in each."""
    chance = random.Random(SEED)
    found: list[tuple[str, int, Callable[[bytearray], object]]] = []

    def write(at: int, data: bytes) -> Callable[[bytearray], object]:
        return lambda content: content.__setitem__(slice(at, at + len(data)), data)

    def flip(at: int, bit: int) -> Callable[[bytearray], object]:
        return lambda content: content.__setitem__(at, content[at] ^ bit)

    for page in range(1, sample.pages + 1):
        start = (page - 1) * PAGE
        found.append(("zeroed", page, write(start, bytes(PAGE))))
        found.append(("garbage", page, write(start, chance.randbytes(PAGE))))
        found.append(("torn", page, write(start + PAGE // 2, bytes(PAGE // 2))))
        found += [("run", page, write(start + chance.randrange(PAGE - 16), chance.randbytes(16))) for _ in range(2)]
        found += [("bit", page, flip(start + chance.randrange(PAGE), 1 << chance.randrange(8))) for _ in range(4)]
    return found


def test_damage_on_any_page_loses_only_what_lay_there(sample: Sample, tmp_path: Path) -> None:
    """With any one page spoilt at start, the rest goes on, nothing altered is told, and the old file stays."""
    assert sample.pages > 12
    for number, (kind, page, spoil) in enumerate(spoilers(sample)):
        found, held = opened(in_folder(sample, tmp_path / str(number), spoil))
        lost = assert_honest(sample, found, held)
        for queue in QUEUES:
            assert lost[queue] <= allowed_losses(sample, queue, page), f"{kind} on page {page}, seed {SEED}: {queue}"
        assert held.boot > sample.boot or lost["status"]
        close(found)
        shutil.rmtree(tmp_path / str(number))


def test_any_header_byte_may_be_altered(sample: Sample, tmp_path: Path) -> None:
    """Each byte of SQLite's header, altered: the agent starts, and tells nothing that was not pressed."""
    for at in range(100):
        for value in (3, 255) if at in (18, 19) else (255,):
            folder = in_folder(sample, tmp_path / f"{at}-{value}", lambda content: content.__setitem__(at, value))  # noqa: B023
            found, held = opened(folder)
            assert_honest(sample, found, held)
            asyncio.run(found.append("status", [press()]))
            close(found)
            shutil.rmtree(folder)


@pytest.mark.parametrize("kept", [99, 100, 511, PAGE - 1, PAGE, 3 * PAGE, 6 * PAGE + 7])
def test_a_truncated_file_is_taken_over(sample: Sample, tmp_path: Path, kept: int) -> None:
    """Cut anywhere, the file is set aside and the agent goes on, with what it could still read."""
    found, held = opened(in_folder(sample, tmp_path, lambda content: content.__delitem__(slice(kept, None))))
    assert_honest(sample, found, held)
    assert held.stream != sample.stream
    assert [one.seq for one in asyncio.run(found.append("status", [press()]))] == [held.last_status + 1]
    close(found)


def test_a_truncated_file_gives_what_lay_before_the_cut(sample: Sample, tmp_path: Path) -> None:
    """With its end cut off, the presses on the pages that are left go on, but for the first after each that is gone."""
    compared = 0
    for kept in range(max(sample.roots.values()), sample.pages):
        folder = in_folder(sample, tmp_path / str(kept), lambda content: content.__delitem__(slice(kept * PAGE, None)))  # noqa: B023
        found, held = opened(folder)
        lost = assert_honest(sample, found, held)["status"]
        gone = set().union(*(allowed_losses(sample, "status", page) for page in range(kept + 1, sample.pages + 1)))
        assert lost <= gone
        compared += len(gone) < len(sample.events["status"])
        close(found)
    assert compared


@pytest.mark.parametrize("kept", [0, 1])
def test_an_emptied_file_is_a_new_outbox(sample: Sample, tmp_path: Path, kept: int) -> None:
    """Where there is nothing left to set aside the agent goes on all the same, in a stream of its own."""
    found, held = opened(in_folder(sample, tmp_path, lambda content: content.__delitem__(slice(kept, None))))
    assert held.stream != sample.stream
    assert ("", 0, 0) == (held.predecessor, held.last_status, held.last_track)
    close(found)


def test_garbage_is_set_aside(tmp_path: Path) -> None:
    """A file that is no database at all is kept under a name that says why, byte for byte, and a new stream begins."""
    garbage = random.Random(SEED).randbytes(50_000)
    (tmp_path / "outbox.db").write_bytes(garbage)
    found, held = opened(tmp_path)
    assert [tmp_path / "outbox.damaged-1.db"] == found.set_aside
    assert garbage == found.set_aside[0].read_bytes()
    assert ("", 0) == (held.predecessor, held.last_status)
    close(found)


def test_several_pages_spoilt_at_once_cost_only_what_lay_there(sample: Sample, tmp_path: Path) -> None:
    """What lies between two holes is found too, not only what can be reached from either end."""
    leaves = [
        page
        for page in range(2, sample.pages + 1)
        if page not in sample.roots.values() and len(allowed_losses(sample, "status", page)) > 2
    ]
    for first in range(len(leaves) - 2):
        spoilt = (leaves[first], leaves[first + 2])

        def spoil(content: bytearray, spoilt: tuple[int, int] = spoilt) -> None:
            for page in spoilt:
                content[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)

        found, held = opened(in_folder(sample, tmp_path / str(first), spoil))
        lost = assert_honest(sample, found, held)
        assert lost["status"] <= set().union(*(allowed_losses(sample, "status", page) for page in spoilt))
        assert not lost["track"]
        close(found)
    assert len(leaves) > 3


ALTERATIONS = {
    "a press says another code": "UPDATE status SET event = replace(event, 'C50', 'C51') WHERE seq = 51",
    "a press is repeated": "UPDATE status SET event = (SELECT event FROM status WHERE seq = 50) WHERE seq = 51",
    "a press is text": "UPDATE status SET event = CAST(event AS TEXT) WHERE seq = 51",
    "a press is nothing": "UPDATE status SET event = x'' WHERE seq = 51",
    "a press is missing": "DELETE FROM status WHERE seq = 51",
    "the last press is missing": "DELETE FROM status WHERE seq = (SELECT max(seq) FROM status)",
    "the first press is missing": "DELETE FROM status WHERE seq = (SELECT min(seq) FROM status)",
    "all presses are missing": "DELETE FROM status",
    "a press says another number": "UPDATE status SET seq = 1000 WHERE seq = 51",
    "a digest is another": "UPDATE status SET digest = x'00' WHERE seq = 51",
    "the last digest is another": "UPDATE status SET digest = x'00' WHERE seq = (SELECT max(seq) FROM status)",
    "a position says another place": "UPDATE track SET event = replace(event, '73.5', '73.6') WHERE seq = 148",
    "all of the track is missing": "DELETE FROM track",
    "the base is another": "UPDATE queue SET base = zeroblob(32)",
    "the tip is another": "UPDATE queue SET tip = zeroblob(32)",
    "the next number is lower": "UPDATE queue SET next_seq = next_seq - 10",
    "the next number is higher": "UPDATE queue SET next_seq = next_seq + 10",
    "the next number is text": "UPDATE queue SET next_seq = 'many'",
    "the queues are missing": "DELETE FROM queue",
    "a current status says another code": "UPDATE current SET code = 'AVAILABLE'",
    "a current status is text that is not UTF-8": "UPDATE current SET code = CAST(x'ff80' AS TEXT)",
    "the stream is another": "UPDATE meta SET value = 'e1-0000000000000000' WHERE key = 'stream'",
    "the boot is no number": "UPDATE meta SET value = 'x' WHERE key = 'boot'",
    "the boot is missing": "DELETE FROM meta WHERE key = 'boot'",
    "nothing is said of itself": "DELETE FROM meta",
    "the current statuses have no table": "DROP TABLE current",
    "a table has other columns": "ALTER TABLE queue DROP COLUMN tip",
}


@pytest.mark.parametrize("alteration", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_a_well_formed_file_with_altered_content_is_found_out(sample: Sample, tmp_path: Path, alteration: str) -> None:
    """SQLite has no checksums: what it reads without complaint is still held against digests and seals at start."""
    in_folder(sample, tmp_path, lambda content: None)
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as db:
        with db:
            db.execute(alteration)
    found, held = opened(tmp_path)
    lost = assert_honest(sample, found, held)
    assert held.stream != sample.stream
    assert alteration.startswith("DELETE FROM status") or len(lost["status"]) <= 2
    standing = {one.unit: one.code for one in held.current}
    assert "current" in alteration or standing == {unit: code for unit, (_, code) in sample.codes.items()}
    close(found)


def test_an_altered_digest_costs_no_event(sample: Sample, tmp_path: Path) -> None:
    """An event is vouched for by the digests around it: with its own altered, the next one's still speaks for both."""
    in_folder(sample, tmp_path, lambda content: None)
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as db:
        with db:
            db.execute("UPDATE status SET digest = zeroblob(32) WHERE seq IN (51, ?)", (STATUSES,))
    found, held = opened(tmp_path)
    assert held.stream != sample.stream
    assert {"status": set(), "track": set()} == assert_honest(sample, found, held)
    close(found)


@pytest.mark.parametrize(
    "damaged", ["UPDATE track SET digest = x'00' WHERE seq = 60", "DELETE FROM track WHERE seq = 60"]
)
def test_damage_in_the_middle_of_the_track_is_found_when_it_is_sent(
    sample: Sample, tmp_path: Path, damaged: str
) -> None:
    """The track is too long to be read through at start: an altered record is found before it goes out."""
    in_folder(sample, tmp_path, lambda content: None)
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as db:
        with db:
            db.execute(damaged)
    found = keeper(tmp_path)
    assert found.stream == sample.stream
    asyncio.run(drain(found, "track"))
    assert found.stream != sample.stream and 1 == len(found.set_aside)
    close(found)


async def drain(found: OutboxKeeper, queue: Queue) -> list[bytes]:
    """Everything that a keeper would send of a queue, settled batch by batch."""
    sent: list[bytes] = []
    while (batch := await found.batch(queue, 20)) is not None:
        sent += batch.events
        outcome = await found.settle(queue, found.stream, batch.last, chain(batch.base_digest, batch.events))
        assert outcome == "deleted"
    return sent


def test_damage_while_running_loses_only_what_lay_there(sample: Sample, tmp_path: Path) -> None:
    """A page spoilt under a running agent: presses go on being stored, and everything told was pressed."""
    for page in range(2, sample.pages + 1):
        folder = in_folder(sample, tmp_path / str(page), lambda content: None)
        found, _ = opened(folder)
        found._file.shrink()
        with (folder / "outbox.db").open("r+b") as file:
            file.seek((page - 1) * PAGE)
            file.write(random.Random(page).randbytes(PAGE))
        found._file._db.execute("PRAGMA shrink_memory")
        stored = asyncio.run(found.append("status", [press("LATE")]))
        asyncio.run(found.append("track", [place(89.0)]))
        close(found)
        found, held = opened(folder)
        late = {queue: list(told(found._file, queue))[-1] for queue in QUEUES}
        assert b'"LATE"' in late["status"][2] and b"89.0" in late["track"][2] and len(stored) == 1
        for queue in QUEUES:
            said = {(seq, raw) for stream, seq, raw in told(found._file, queue) if stream == sample.stream}
            honest = sample.events[queue].items() | {(late[queue][1], late[queue][2])}
            assert said <= honest
            assert {seq for seq in sample.events[queue]} - {seq for seq, _ in said} <= allowed_losses(
                sample, queue, page
            )
        assert held.stream == sample.stream or list(folder.glob("outbox.damaged-*.db"))
        close(found)


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_that_lost_all_its_events_is_not_taken_for_an_empty_one(
    sample: Sample, tmp_path: Path, queue: Queue
) -> None:
    """Where there should be events and none can be found, nothing is waiting to be sent, and that is found out."""
    found, _ = opened(in_folder(sample, tmp_path, lambda content: None))
    found._file._db.execute(f"DELETE FROM {queue}")
    assert asyncio.run(found.batch(queue, 20)) is None
    held = asyncio.run(found.held())
    assert held.predecessor == sample.stream and 1 == len(found.set_aside)
    close(found)


def test_damage_found_in_counting_is_no_failure_of_the_press(sample: Sample, tmp_path: Path) -> None:
    """A press that is committed is confirmed, though the track proves damaged at once; that is healed by the way."""
    found, _ = opened(in_folder(sample, tmp_path, lambda content: None))
    found._file.shrink()
    with (tmp_path / "outbox.db").open("r+b") as file:
        file.seek((sample.roots["track"] - 1) * PAGE)
        file.write(bytes(PAGE))
    found._file._db.execute("PRAGMA shrink_memory")
    assert 1 == len(asyncio.run(found.append("status", [press("LATE")])))
    assert "" == found.fault and 1 == len(found.set_aside)
    assert b'"LATE"' in told(found._file, "status")[-1][2]
    assert len(sample.events["status"]) + 1 == found.depth.status
    close(found)


@pytest.mark.parametrize(
    ("old", "altered"),
    [(b"TABLE status(", b"T\x9bBLE status("), (b"event BLOB NOT NULL,", b"even\x14 BLOB NOT NULL,")],
)
def test_a_schema_that_was_altered_is_damage(sample: Sample, tmp_path: Path, old: bytes, altered: bytes) -> None:
    """Text that is not UTF-8, or a column under another name, is taken over from: the agent starts and stores."""

    def spoil(content: bytearray) -> None:
        at = content.index(old)
        content[at : at + len(old)] = altered

    in_folder(sample, tmp_path, spoil)
    found = keeper(tmp_path)
    assert 1 == len(found.set_aside) and found.stream != sample.stream
    assert 1 == len(asyncio.run(found.append("status", [press("C9")])))
    close(found)
