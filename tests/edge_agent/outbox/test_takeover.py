"""A new stream takes over: everything unsettled goes along once, whenever the power goes."""

import asyncio
import os
import shutil
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.outbox import OutboxFile, takeover
from edge_agent.outbox.salvage import TRACK_CARRIED_MAX
from tests.edge_agent.outbox.lab import ENROLMENT, EVENT_CODES, chain, genesis, keeper, place, press, rows, told
from tests.firmware.units import TREE
from wire import codec
from wire.events import Queue

QUEUES: tuple[Queue, Queue] = ("status", "track")
DIED = 9
AGENT_BYTES = 64 * 2**20
"""The most that the agent was measured to take beside (the unit's own comment says so)."""


def filled(folder: Path) -> OutboxFile:
    """An open outbox whose newest events lie in its write-ahead log alone; the first two of each queue are settled."""
    file = OutboxFile(folder / "outbox.db", ENROLMENT)
    for queue in QUEUES:
        draft = press if queue == "status" else place
        raws = [one.raw for one in file.append(queue, [draft(), draft(), draft()])]
        file.settle(queue, file.stream, 2, chain(genesis(file.stream, queue), raws[:2]))
    file.append("status", [press("BUSY", unit="van-2")])
    file.shrink()
    file.append("status", [press("MOBILE"), press("ARRIVED")])
    file.append("status", [press("TALK")], standing=False)
    file.append("track", [place(52.0), place(53.0)])
    return file


def copied(file: OutboxFile, folder: Path) -> Path:
    """The file as a kill would leave it now: with its log beside it."""
    folder.mkdir()
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(file.path.with_name(file.path.name + suffix), folder)
    return folder / file.path.name


def all_told(file: OutboxFile) -> dict[Queue, list[tuple[str, int, bytes]]]:
    """Everything that a file holds, under the names that it was first given."""
    return {queue: told(file, queue) for queue in QUEUES}


def test_a_settle_that_is_ahead_mints_a_stream_that_takes_over(tmp_path: Path) -> None:
    """A restored card: the cloud knows more than we do, so a new stream begins, with all that was not settled."""
    file = filled(tmp_path)
    stream, boot, expected = file.stream, file.boot, all_told(file)
    file.close()
    found = keeper(tmp_path)
    assert "ahead" == asyncio.run(found.settle("status", stream, 99, bytes(32)))
    held = asyncio.run(found.held())
    assert stream != held.stream == found.stream
    assert stream == held.predecessor and held.boot > boot + 1
    assert expected == all_told(found._file)
    assert [1, 2, 3, 4, 5] == list(rows(found._file, "status"))
    expected_current = {("engine-1", held.stream, 4, "ARRIVED"), ("van-2", held.stream, 2, "BUSY")}
    assert expected_current == {(one.unit, one.stream, one.seq, one.code) for one in held.current}
    assert [tmp_path / "outbox.ahead-1.db"] == found.set_aside
    old = OutboxFile(found.set_aside[0], ENROLMENT)
    assert (stream, expected) == (old.stream, all_told(old))
    old.close()
    asyncio.run(found.close())


def test_the_new_streams_chain_is_its_own(tmp_path: Path) -> None:
    """What was carried over is chained from the new stream's genesis, so that the cloud can follow from the start."""
    filled(tmp_path).close()
    found = keeper(tmp_path)
    asyncio.run(found.mint("fork"))
    for queue in QUEUES:
        batch = asyncio.run(found.batch(queue, 20))
        assert batch is not None and (1, genesis(found.stream, queue)) == (batch.first_held, batch.base_digest)
    asyncio.run(found.close())


def test_an_event_keeps_its_first_name_through_every_stream(tmp_path: Path) -> None:
    """Carried over twice, an event still names the stream and sequence under which it may have been stored."""
    file = filled(tmp_path)
    expected = all_told(file)
    file.close()
    found = keeper(tmp_path)
    asyncio.run(found.mint("fork"))
    asyncio.run(found.mint("superseded"))
    assert expected == all_told(found._file)
    assert 2 == len(found.set_aside)
    asyncio.run(found.close())


def test_a_settled_status_stays_current_in_the_new_stream(tmp_path: Path) -> None:
    """A unit's status does not end with the stream in which it was declared."""
    file = OutboxFile(tmp_path / "outbox.db", ENROLMENT)
    raw = file.append("status", [press("BUSY")])[0].raw
    file.settle("status", file.stream, 1, chain(genesis(file.stream, "status"), [raw]))
    current = file.current()
    file.close()
    found = keeper(tmp_path)
    asyncio.run(found.mint("fork"))
    assert current == asyncio.run(found.held()).current
    asyncio.run(found.close())


def test_a_second_reason_does_not_overwrite_the_first_file(tmp_path: Path) -> None:
    """Files set aside for the same reason get numbers: none is ever overwritten."""
    filled(tmp_path).close()
    found = keeper(tmp_path)
    for _ in range(3):
        asyncio.run(found.mint("fork"))
    assert [f"outbox.fork-{n}.db" for n in (1, 2, 3)] == [one.name for one in found.set_aside]
    assert all(one.exists() for one in found.set_aside)
    asyncio.run(found.close())


def dies_at(step: int, work: Callable[[], object]) -> bool:
    """Run `work` in a process that dies just before its `step`th change to a folder. Tells whether it came that far."""
    child = os.fork()
    if child == 0:
        left = step

        def die(event: str, _: object) -> None:
            nonlocal left
            if event in ("os.rename", "os.remove"):
                left -= 1
                if left == 0:
                    os._exit(DIED)

        sys.addaudithook(die)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED


def test_a_take_over_may_be_cut_short_anywhere(tmp_path: Path) -> None:
    """Cut before any rename or removal, and the repair before any of its own: everything is there, once, in order."""
    live = filled(tmp_path)
    expected = all_told(live)
    cuts = 0
    for step in range(1, 100):
        path = copied(live, tmp_path / str(step))
        if not dies_at(step, lambda: takeover.take_over(path, ENROLMENT, "damaged", EVENT_CODES)):  # noqa: B023
            break
        for again in range(1, 100):
            twice = tmp_path / f"{step}-{again}"
            shutil.copytree(path.parent, twice)
            cut = dies_at(again, lambda: takeover.finish_interrupted(twice / path.name))  # noqa: B023
            found = keeper(twice)
            assert expected == all_told(found._file), f"cut at {step}, then at {again}"
            assert not list(twice.glob("*.new*")) and not list(twice.glob("*.ready*"))
            assert (found._file.stream == live.stream) != bool(list(twice.glob("outbox.damaged-*.db")))
            asyncio.run(found.append("status", [press("AFTER")]))
            asyncio.run(found.close())
            cuts += 1
            if not cut:
                break
    live.close()
    assert step > 5 and cuts > step


def test_the_old_log_is_not_replayed_into_the_new_file(tmp_path: Path) -> None:
    """A log left beside the place of the new file belongs to the old one: it is set aside, never read into the new."""
    (tmp_path / "a").mkdir()
    live = filled(tmp_path / "a")
    path = copied(live, tmp_path / "b")
    new, _ = takeover.take_over(path, ENROLMENT, "damaged", EVENT_CODES)
    expected, stream = all_told(new), new.stream
    new.close()
    path.rename(path.with_name("outbox.damaged.ready"))
    for suffix in ("-wal", "-shm"):
        shutil.copy(live.path.with_name(live.path.name + suffix), path.parent)
    live.close()
    found = keeper(path.parent)
    assert (stream, expected) == (found.stream, all_told(found._file))
    assert list(path.parent.glob("outbox.damaged-*.db-wal"))
    asyncio.run(found.close())


@pytest.mark.parametrize("leftover", ["outbox.new", "outbox.new-wal"])
def test_a_new_file_that_was_not_complete_is_dropped(tmp_path: Path, leftover: str) -> None:
    """Half a new file never takes the place of the whole old one."""
    file = filled(tmp_path)
    expected, stream = all_told(file), file.stream
    file.close()
    (tmp_path / leftover).write_bytes(b"half")
    found = keeper(tmp_path)
    assert (stream, expected) == (found.stream, all_told(found._file))
    assert not (tmp_path / leftover).exists()
    asyncio.run(found.mint("fork"))
    assert expected == all_told(found._file)
    asyncio.run(found.close())


def test_a_status_that_could_not_be_read_still_stands_for_its_unit(tmp_path: Path) -> None:
    """Where the newest press itself is lost, an older one that was saved does not become current in its place."""
    file = filled(tmp_path)
    file._db.execute("DELETE FROM status WHERE seq >= 6")
    old = file.stream
    file.close()
    found = keeper(tmp_path)
    current = {one.unit: (one.stream, one.code) for one in asyncio.run(found.held()).current}
    assert {"engine-1": (old, "ARRIVED"), "van-2": (found.stream, "BUSY")} == current
    assert b'"MOBILE"' in told(found._file, "status")[-1][2]
    asyncio.run(found.close())


def test_what_is_sent_from_a_new_stream_decodes(tmp_path: Path) -> None:
    """The first name of an event travels with it in the form of the contract."""
    file = filled(tmp_path)
    stream = file.stream
    file.close()
    found = keeper(tmp_path)
    asyncio.run(found.mint("fork"))
    event = codec.decode_event(rows(found._file, "status")[1])
    assert not isinstance(event, codec.Rejected) and event.origin is not None
    assert (stream, 3) == (event.origin.stream, event.origin.seq)
    asyncio.run(found.close())


def test_a_takeover_fits_in_the_memory_that_a_device_gives_the_agent(tmp_path: Path) -> None:
    """However long the track is, only its newest is held in memory, and every status goes along.

    One that was ended for want of memory would begin the same anew at each start, and no status would ever be sent.
    """
    file = OutboxFile(tmp_path / "outbox.db", ENROLMENT)
    file.append("status", [press("BUSY"), press("MOBILE")])
    file.append("track", [place()] * 12_000)
    expected = told(file, "status"), told(file, "track")[-2_000:]
    file.close()

    tracemalloc.start()
    new, _ = takeover.take_over(tmp_path / "outbox.db", ENROLMENT, "damaged", EVENT_CODES, track_rows_max=2_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert expected == (told(new, "status"), told(new, "track"))
    new.close()
    unit = (TREE / "common/etc/systemd/system/watchroom-agent.service").read_text("utf-8")
    limit = int(unit.partition("MemoryHigh=")[2].partition("M")[0]) * 2**20
    assert peak / 2_000 * TRACK_CARRIED_MAX + AGENT_BYTES <= limit


@pytest.mark.parametrize("damaged", ["start", "middle", "end"])
def test_the_newest_of_a_damaged_track_goes_along(damaged: str, tmp_path: Path) -> None:
    """Whichever page of a long track is unreadable, what is carried is the newest that can be read, and no more."""
    path = tmp_path / "outbox.db"
    file = OutboxFile(path, ENROLMENT)
    file.append("track", [place()] * 3_000)
    whole = told(file, "track")
    page, pages = (file._db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_size", "page_count"))
    file.close()
    hit = {"start": pages // 10, "middle": pages // 2, "end": pages - pages // 10}[damaged]
    with path.open("r+b") as raw:
        raw.seek(hit * page)
        raw.write(b"\xff" * page)

    new, _ = takeover.take_over(path, ENROLMENT, "damaged", EVENT_CODES, track_rows_max=400)

    found = told(new, "track")
    new.close()
    assert len(found) == 400 and set(found) <= set(whole) and found == sorted(found)
    assert found[-1] == whole[-1] and found[0][1] > len(whole) - 500
