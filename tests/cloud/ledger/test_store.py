"""What is committed is what is loaded, and history is walked without an index."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.errors import Fatal
from cloud.ledger import Commit, Counts, EventRow, Watermark
from tests.cloud.ledger.samples import NOON, event, gap, open_in, press, refused, watermark

BIGGEST = 2**63 - 1
texts = st.text(st.characters(codec="utf-8"), max_size=20)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
naturals = st.integers(0, BIGGEST)
event_rows = st.builds(
    EventRow,
    id=st.integers(1, BIGGEST - 1),
    device=texts,
    stream=texts,
    queue=st.sampled_from(["status", "track", None]),
    seq=naturals,
    kind=texts,
    unit=texts | st.none(),
    mode=st.sampled_from(["live", "test"]),
    at=moments,
    received_at=moments,
    corrected_at=moments,
    proven=st.booleans(),
    prev=naturals | st.none(),
    body=st.binary(max_size=100),
)
watermarks = st.builds(
    Watermark,
    device=texts,
    stream=texts,
    queue=st.sampled_from(["status", "track"]),
    ordinal=naturals,
    through=naturals,
    digest=st.binary(min_size=32, max_size=32),
    corrected_at=moments | st.none(),
)


@settings(max_examples=25, deadline=None)
@given(row=event_rows, mark=watermarks)
def test_every_field_comes_back_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, row: EventRow, mark: Watermark
) -> None:
    """Texts, bytes, 64-bit numbers, microseconds and time zones survive the disk, and times come back in UTC."""
    folder = tmp_path_factory.mktemp("ledger")
    ledger = open_in(folder)
    ledger.commit(Commit(events=[row], watermarks=[mark], heads=[("u", "d", row.id)], tails=[("u", row.id)]))
    ledger.close()
    ledger = open_in(folder)
    loaded = ledger.load()
    ledger.close()
    assert ([row], [mark]) == (loaded.heads, loaded.watermarks)
    assert (row.id + 1, {"u": row.id}) == (loaded.next_event_id, loaded.tails)
    assert loaded.heads[0].at.tzinfo is UTC


def test_an_empty_ledger_starts_at_one(tmp_path: Path) -> None:
    """The first event's id is 1, and nothing is known of anyone."""
    ledger = open_in(tmp_path)
    loaded = ledger.load()
    assert (1, [], [], {}) == (loaded.next_event_id, loaded.watermarks, loaded.heads, loaded.tails)
    assert ledger.counts().last_event_id == 0
    ledger.close()


def test_a_later_commit_moves_watermark_head_and_tail(tmp_path: Path) -> None:
    """One row stands per queue of a stream, per unit and device, and per unit: the last one committed."""
    ledger = open_in(tmp_path)
    ledger.commit(press(1, None))
    ledger.commit(press(2, 1))
    ledger.commit(
        Commit(events=[event(3, device="d2")], heads=[("p12", "d2", 3)], watermarks=[watermark(9, queue="track")])
    )
    loaded = ledger.load()
    ledger.close()
    assert [2, 3] == [row.id for row in loaded.heads]
    assert {"status": 2, "track": 9} == {mark.queue: mark.through for mark in loaded.watermarks}
    assert ({"p12": 2}, 4) == (loaded.tails, loaded.next_event_id)


def test_a_commit_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """The events before the one that can't be stored, and the watermark after it, are not there."""
    ledger = open_in(tmp_path)
    ledger.commit(press(1, None))
    with pytest.raises(Fatal, match="stop whatever else writes to it"):
        ledger.commit(Commit(events=[event(2), event(1)], watermarks=[watermark(2)], tails=[("p12", 2)]))
    loaded = ledger.load()
    ledger.close()
    assert (2, [watermark(1)], {"p12": 1}) == (loaded.next_event_id, loaded.watermarks, loaded.tails)


@settings(max_examples=25, deadline=None)
@given(units=st.lists(st.sampled_from(["p1", "p2", None]), max_size=30), limit=st.integers(1, 7))
def test_history_by_pages_is_the_units_events_newest_first(
    tmp_path_factory: pytest.TempPathFactory, units: list[str | None], limit: int
) -> None:
    """Pages of any size, put together, are exactly the unit's own events, though the units are mixed in the table."""
    ledger = open_in(tmp_path_factory.mktemp("ledger"))
    rows: list[EventRow] = []
    newest: dict[str, int] = {}
    for number, unit in enumerate(units, start=1):
        rows.append(event(number, unit=unit, prev=newest.get(unit or "")))
        if unit:
            newest[unit] = number
    ledger.commit(Commit(events=rows, tails=list(newest.items())))
    pages: list[EventRow] = []
    before = None
    while page := ledger.events_of("p1", before, limit):
        assert len(page) <= limit
        pages += page
        before = page[-1].id
    ledger.close()
    assert [row for row in reversed(rows) if row.unit == "p1"] == pages


def test_history_does_not_cross_to_another_unit(tmp_path: Path) -> None:
    """A page asked for by an event of another unit is empty, as is the history of a unit never heard."""
    ledger = open_in(tmp_path)
    ledger.commit(press(1, None))
    ledger.commit(press(2, 1))
    assert [] == ledger.events_of("p99", 2, 10)
    assert [] == ledger.events_of("p99", None, 10)
    assert [1] == [row.id for row in ledger.events_of("p12", 2, 10)]
    ledger.close()


def test_history_ends_where_links_go_round(tmp_path: Path) -> None:
    """A link that does not lead back in time ends the walk; it never goes on for ever."""
    ledger = open_in(tmp_path)
    ledger.commit(Commit(events=[event(1, prev=2), event(2, prev=1)], tails=[("p12", 2)]))
    assert [2, 1] == [row.id for row in ledger.events_of("p12", None, 100)]
    ledger.close()


def test_an_owner_term_is_above_every_earlier_one(tmp_path: Path) -> None:
    """A process whose clock is behind still gets a higher term; one whose clock is ahead keeps its own."""
    ledger = open_in(tmp_path)
    assert 1000 == ledger.record_start(NOON, 1000, "0.1.0")
    assert 1001 == ledger.record_start(NOON, 10, "0.1.0")
    assert 5000 == ledger.record_start(NOON, 5000, "0.1.0")
    ledger.close()
    ledger = open_in(tmp_path)
    assert 5001 == ledger.record_start(NOON, 5000, "0.1.0")
    ledger.close()


def test_gaps_and_refusals_come_newest_first(tmp_path: Path) -> None:
    """Both come back whole, numbered by the ledger, in pages, and are counted."""
    ledger = open_in(tmp_path)
    rows = [refused(seq=3, device="d1", stream="s", queue="status"), refused(body=b"\xff\0"), refused()]
    ledger.commit(Commit(refused=rows, gaps=[gap(1, 4), gap(9, 9)]))
    read = ledger.refused_rows(2)
    read += ledger.refused_rows(2, before=read[-1].id)
    assert list(reversed(rows)) == [msgspec.structs.replace(row, id=None) for row in read]
    assert [gap(9, 9), gap(1, 4)] == [msgspec.structs.replace(row, id=None) for row in ledger.gaps(5)]
    expected = Counts(
        last_event_id=0,
        refused_events=1,
        refused_messages=2,
        refused_messages_bytes=3,
        dropped_messages=0,
        gaps=2,
    )
    assert expected == ledger.counts()
    ledger.close()


def test_the_latest_refusals_of_each_queue_are_loaded(tmp_path: Path) -> None:
    """Twenty of each device, stream and queue, by sequence; whole messages are not among them."""
    ledger = open_in(tmp_path)
    rows = [refused(seq=seq, device="d1", stream="s", queue="status", reason=f"r{seq}") for seq in range(1, 26)]
    rows += [
        refused(seq=7, device="d1", stream="s", queue="track"),
        refused(seq=3, device="d2", stream="s", queue="status"),
    ]
    rows += [refused(device="d1", stream="s")]
    ledger.commit(Commit(refused=rows))
    assert [
        *(("d1", "s", "status", seq, f"r{seq}") for seq in range(6, 26)),
        ("d1", "s", "track", 7, "not JSON"),
        ("d2", "s", "status", 3, "not JSON"),
    ] == ledger.load().refused
    ledger.close()


def test_two_threads_commit_and_a_third_reads(tmp_path: Path) -> None:
    """Commits of two lanes take turns without one failing, and a reader only ever sees whole ones."""
    ledger = open_in(tmp_path)

    def write(lane: int) -> None:
        for step in range(50):
            first = 1 + lane * 1000 + step * 2
            mark = watermark(first + 1, device=f"d{lane}")
            ledger.commit(Commit(events=[event(first), event(first + 1)], watermarks=[mark]))

    with ThreadPoolExecutor(2) as lanes:
        writes = [lanes.submit(write, lane) for lane in (0, 1)]
        while not all(done.done() for done in writes):
            assert ledger.load().next_event_id % 2 == 1
        for done in writes:
            done.result()
    loaded = ledger.load()
    ledger.close()
    assert (1101, {100, 1100}) == (loaded.next_event_id, {mark.through for mark in loaded.watermarks})
