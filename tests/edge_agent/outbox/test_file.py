"""One file: sequences and digests, batches, settles, eviction, what stands, and durability."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge_agent.outbox import OutboxFile
from edge_agent.outbox.file import BATCH_BYTES_MAX
from tests.edge_agent.outbox.lab import ENROLMENT, chain, everything, genesis, place, press, sensor
from wire.events import Queue
from wire.messages import CurrentStatus

REPOSITORY = Path(__file__).parents[3]
QUEUES: tuple[Queue, Queue] = ("status", "track")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OutboxFile]:
    """A fresh outbox."""
    opened = OutboxFile(tmp_path / "outbox.db", ENROLMENT)
    yield opened
    opened.close()


def reopened(file: OutboxFile) -> OutboxFile:
    """The same file after a restart."""
    file.close()
    return OutboxFile(file.path, ENROLMENT)


@pytest.mark.parametrize("queue", QUEUES)
def test_sequences_count_from_one_and_digests_chain(file: OutboxFile, queue: Queue) -> None:
    """Each queue counts on its own from 1, and its batch's digest starts where the contract says: at the genesis."""
    stored = file.append(queue, [press(), place()]) + file.append(queue, [press("MOBILE")])
    batch = file.batch(queue, 20)
    assert [1, 2, 3] == [one.seq for one in stored] == [one.event.seq for one in stored]
    assert batch is not None and (1, genesis(file.stream, queue)) == (batch.first_held, batch.base_digest)
    assert tuple(one.raw for one in stored) == batch.events


def test_the_two_queues_do_not_share_sequences(file: OutboxFile) -> None:
    """A position takes no sequence from the presses: a gap in the status queue always means a lost status."""
    file.append("track", [place(), place()])
    assert [1] == [one.seq for one in file.append("status", [press()])]
    assert (1, 2) == (file.last_seq("status"), file.last_seq("track"))


def test_the_base_moves_with_what_is_settled(file: OutboxFile) -> None:
    """After a settle the base is the digest through the last deleted event, so the chain can be followed on."""
    raws = [one.raw for one in file.append("status", [press(str(n)) for n in range(1, 6)])]
    through_two = chain(genesis(file.stream, "status"), raws[:2])
    assert "deleted" == file.settle("status", file.stream, 2, through_two)
    batch = file.batch("status", 20)
    assert batch is not None and (3, through_two, tuple(raws[2:])) == (
        batch.first_held,
        batch.base_digest,
        batch.events,
    )


def test_sequences_go_on_after_a_restart(file: OutboxFile) -> None:
    """A restart neither repeats nor skips a sequence, even where everything before it was settled; the boot grows."""
    raws = [one.raw for one in file.append("status", [press()] * 3)]
    file.settle("status", file.stream, 3, chain(genesis(file.stream, "status"), raws))
    again = reopened(file)
    try:
        assert (file.stream, file.boot + 1) == (again.stream, again.boot)
        assert 4 == again.first_held("status") == again.append("status", [press()])[0].seq
    finally:
        again.close()


def test_a_batch_is_bounded_in_events(file: OutboxFile) -> None:
    """A batch never has more events than asked for, and starts at the oldest."""
    file.append("track", [place()] * 50)
    batch = file.batch("track", 20)
    assert batch is not None and (1, 20, 20) == (batch.first_held, batch.last, len(batch.events))


def test_a_batch_is_bounded_in_bytes_and_never_empty(file: OutboxFile) -> None:
    """Long events travel fewer at a time, so that an envelope stays a message; every batch moves on by at least one."""
    file.append("status", [press(remarks="é" * 500)] * 20)
    sizes = []
    while (batch := file.batch("status", 20)) is not None:
        sizes.append(sum(len(event) + 1 for event in batch.events))
        file.settle("status", file.stream, batch.last, chain(batch.base_digest, batch.events))
    assert max(sizes) <= BATCH_BYTES_MAX < sizes[0] + 1_200
    assert len(sizes) > 1


def test_an_event_larger_than_a_batch_goes_alone(file: OutboxFile) -> None:
    """No event is too large to be sent at all: it would block the queue for ever."""
    file.append("status", [press(remarks="x" * (BATCH_BYTES_MAX + 1)), press()])
    batch = file.batch("status", 20)
    assert batch is not None and 1 == len(batch.events)


def test_an_empty_queue_has_no_batch(file: OutboxFile) -> None:
    """Nothing is sent where nothing waits."""
    assert file.batch("status", 20) is None


@pytest.mark.parametrize("queue", QUEUES)
def test_settle_deletes_exactly_what_it_names(file: OutboxFile, queue: Queue) -> None:
    """A settle deletes up to `through` and not one event more, and touches no other queue."""
    raws = [one.raw for one in file.append(queue, [press(str(n)) for n in range(1, 8)])]
    other: Queue = "track" if queue == "status" else "status"
    file.append(other, [place()] * 2)
    assert "deleted" == file.settle(queue, file.stream, 4, chain(genesis(file.stream, queue), raws[:4]))
    assert 5 == file.first_held(queue)
    assert raws[4:] == everything(file, queue)
    assert 1 == file.first_held(other)


@pytest.mark.parametrize(("stream", "through"), [("another", 3), ("own", 2), ("own", 0)])
def test_settles_that_are_not_ours_or_late_are_ignored(file: OutboxFile, stream: str, through: int) -> None:
    """A settle of another stream, or of what was settled before, deletes nothing, whatever digest it names."""
    raws = [one.raw for one in file.append("status", [press(str(n)) for n in range(1, 6)])]
    digests = {n: chain(genesis(file.stream, "status"), raws[:n]) for n in range(6)}
    file.settle("status", file.stream, 2, digests[2])
    named = file.stream if stream == "own" else stream
    assert "ignored" == file.settle("status", named, through, digests[through])
    assert raws[2:] == everything(file, "status")


def test_a_settle_with_another_digest_deletes_nothing(file: OutboxFile) -> None:
    """Where the cloud holds other bytes than we do, everything stays here until a person has looked."""
    raws = [one.raw for one in file.append("status", [press(str(n)) for n in range(1, 6)])]
    assert "mismatch" == file.settle("status", file.stream, 3, chain(genesis(file.stream, "status"), raws[:2]))
    assert raws == everything(file, "status")


@pytest.mark.parametrize("through", [3, 4, 2**63 - 1])
def test_a_settle_of_what_was_never_given_out_says_ahead(file: OutboxFile, through: int) -> None:
    """A cloud that settled sequences which we have not reached has seen a later life of this file: nothing goes."""
    raws = [one.raw for one in file.append("status", [press(), press()])]
    assert "ahead" == file.settle("status", file.stream, through, bytes(32))
    assert raws == everything(file, "status")


def test_eviction_keeps_the_newest_of_the_track_and_shows_the_gap(file: OutboxFile) -> None:
    """The oldest go, exactly as many as must; `first_held` and the base show the gap; the chain still holds."""
    raws = [one.raw for one in file.append("track", [place(float(n % 90)) for n in range(1_300)])]
    assert 1_250 == file.evict(50)
    batch = file.batch("track", 20)
    assert batch is not None and 1_251 == batch.first_held
    assert chain(genesis(file.stream, "track"), raws[:1_250]) == batch.base_digest
    assert raws[1_250:] == everything(file, "track")


def test_eviction_takes_no_status_and_nothing_within_the_limit(file: OutboxFile) -> None:
    """A status never goes for want of room, and a short track stays whole."""
    file.append("status", [press()] * 30)
    file.append("track", [place()] * 10)
    assert 0 == file.evict(10)
    assert 10 == file.evict(0)
    assert (30, 0) == (file.depth().status, file.depth().track)
    assert 11 == file.append("track", [place()])[0].seq


def test_the_newest_of_each_series_goes_live(file: OutboxFile) -> None:
    """One record of each kind and name, the newest unsettled, in the order in which they came."""
    drafts = [sensor("water", 1), place(50), sensor("foam", 2), place(51), sensor("water", 3), sensor("a", 4)]
    stored = file.append("track", drafts)
    assert [stored[at] for at in (2, 3, 4, 5)] == file.newest_track()


def test_current_is_the_last_standing_status_of_each_unit(file: OutboxFile) -> None:
    """The newest standing press of a unit is current, also once it is settled; an event code never is."""
    raws = [one.raw for one in file.append("status", [press("A"), press("B", unit="van-2"), press("C")])]
    raws += [one.raw for one in file.append("status", [press("TALK")], standing=False)]
    file.settle("status", file.stream, 4, chain(genesis(file.stream, "status"), raws))
    expected = [
        CurrentStatus("engine-1", file.stream, 3, "county", "C"),
        CurrentStatus("van-2", file.stream, 2, "county", "B"),
    ]
    assert expected == file.current()


def test_depth_names_the_oldest_status(file: OutboxFile) -> None:
    """What waits is counted, and how long the oldest status has waited can be told from its own clock."""
    assert (0, 0, None) == msgspec.structs.astuple(file.depth())
    file.append("status", [press(boot=7), press(boot=8)])
    file.append("track", [place()])
    assert (2, 1, (7, 1_000)) == msgspec.structs.astuple(file.depth())


def test_unsettled_statuses_are_the_newest_oldest_first(file: OutboxFile) -> None:
    """After a restart the lamps are rebuilt from the newest presses, in the order of pressing."""
    stored = file.append("status", [press(str(n)) for n in range(5)])
    assert stored[2:] == file.unsettled_statuses(3)


def test_a_failed_append_leaves_nothing(file: OutboxFile) -> None:
    """A group that fails in the middle is not half there, and its sequences are given out again."""

    def broken(*, seq: int) -> object:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        file.append("status", [press(), broken])  # type: ignore[list-item]
    assert (0, 0) == (file.depth().status, file.last_seq("status"))
    assert [1] == [one.seq for one in file.append("status", [press()])]


def test_streams_differ_and_say_their_enrolment(tmp_path: Path) -> None:
    """Two files never share a stream, even of the same enrolment: a cloned card is found by that."""
    files = [OutboxFile(tmp_path / f"{n}.db", ENROLMENT) for n in range(2)]
    for file in files:
        file.close()
    assert 2 == len({file.stream for file in files})
    assert all(file.stream.startswith(f"{ENROLMENT}-") for file in files)


def test_a_file_that_is_not_durable_is_refused(tmp_path: Path) -> None:
    """Where the write-ahead log did not take (here: in memory), nothing may be said to be on disk."""
    with pytest.raises(sqlite3.OperationalError, match="journal_mode is memory"):
        OutboxFile(Path(":memory:"), ENROLMENT)


@pytest.mark.parametrize(
    ("durable", "weaker"),
    [("synchronous=FULL", "synchronous=NORMAL"), ("journal_mode=WAL", "journal_mode=DELETE")],
)
def test_a_weaker_setting_is_refused(tmp_path: Path, durable: str, weaker: str) -> None:
    """The settings are read back, not believed: a copy of the source that asks for less does not open an outbox."""
    for package in ("edge_agent", "wire"):
        shutil.copytree(REPOSITORY / package, tmp_path / package)
    source = tmp_path / "edge_agent" / "outbox" / "database.py"
    assert 1 == source.read_text().count(durable)
    source.write_text(source.read_text().replace(durable, weaker))
    program = "from pathlib import Path; from edge_agent.outbox import OutboxFile; OutboxFile(Path('outbox.db'), 'e1')"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "not wal and 2" in done.stderr


def test_the_connection_is_durable(file: OutboxFile) -> None:
    """The pragmas are what no measured power cut got past: write-ahead log, every commit synced."""
    assert ("wal", 2) == tuple(
        file._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    )
