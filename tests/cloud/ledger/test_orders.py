"""Orders in the ledger: what is written together is read together, and an older process is kept out."""

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect

from cloud.errors import Fatal
from cloud.ledger import AssignmentRow, Commit, OrderCommit, OrderLogRow, OrderRow
from tests.cloud.ledger.samples import NOON, event, open_in, url_of

LATER = NOON + timedelta(seconds=1)


def row(name: str = "o1", *, active: bool = True, term: int = 7, body: bytes = b"{}") -> OrderRow:
    """An order as it stands."""
    return OrderRow(
        id=name,
        base="stn-14",
        phase="sent",
        active=active,
        version=1,
        created_at=NOON,
        owner_term=term,
        body=body,
    )


def line(name: str, kind: str) -> OrderLogRow:
    """Something that became of an order."""
    return OrderLogRow(order=name, at=LATER, kind=kind, by="op 7", body=b'{"x":1}')


def test_what_is_committed_is_what_is_loaded(tmp_path: Path) -> None:
    """Orders in hand oldest first, assignments and how far the events were read; the last of each counts."""
    ledger = open_in(tmp_path)
    held = AssignmentRow(unit="p12", version=1, order="o1", since=NOON)
    ledger.commit_orders(OrderCommit(orders=[row("o1"), row("o2")], assignments=[held], through=4), 7)
    freed = AssignmentRow(unit="p12", version=2, order=None, since=LATER)
    ledger.commit_orders(OrderCommit(orders=[row("o1", body=b"[]")], assignments=[freed], through=9), 7)
    ledger.close()
    ledger = open_in(tmp_path)
    loaded = ledger.load_orders()
    assert [row("o1", body=b"[]"), row("o2")] == loaded.active
    assert ([freed], 9) == (loaded.assignments, loaded.through)
    ledger.close()


def test_an_order_that_ended_is_kept_and_not_loaded(tmp_path: Path) -> None:
    """It is found by its id and among the newest, and a start does not take it in hand."""
    ledger = open_in(tmp_path)
    ledger.commit_orders(OrderCommit(orders=[row("o1"), row("o2")]), 7)
    ledger.commit_orders(OrderCommit(orders=[row("o1", active=False)]), 7)
    assert ["o2"] == [one.id for one in ledger.load_orders().active]
    assert row("o1", active=False) == ledger.order("o1")
    assert (None, ["o2", "o1"]) == (ledger.order("o3"), [one.id for one in ledger.newest_orders(5)])
    assert ["o2"] == [one.id for one in ledger.newest_orders(1)]
    ledger.close()


def test_a_log_is_only_added_to(tmp_path: Path) -> None:
    """Each order's lines come back in the order in which they were written, whatever other orders did between."""
    ledger = open_in(tmp_path)
    for kind in ("created", "sent", "closed"):
        ledger.commit_orders(OrderCommit(log=[line("o1", kind), line("o2", kind), line("o1", f"{kind} too")]), 7)
    expected = [line("o1", kind) for one in ("created", "sent", "closed") for kind in (one, f"{one} too")]
    assert expected == ledger.order_log("o1")
    assert [] == ledger.order_log("o3")
    ledger.close()


def test_an_older_process_writes_no_order_of_a_newer_one(tmp_path: Path) -> None:
    """It is fatal, and nothing of that commit happens: neither its other orders nor their log."""
    ledger = open_in(tmp_path)
    ledger.commit_orders(OrderCommit(orders=[row("o1", term=8)]), 8)
    with pytest.raises(Fatal, match="taken over order o1"):
        ledger.commit_orders(OrderCommit(orders=[row("o2"), row("o1")], log=[line("o2", "created")]), 7)
    assert (None, []) == (ledger.order("o2"), ledger.order_log("o2"))
    ledger.close()


def test_events_are_read_on_from_where_one_was(tmp_path: Path) -> None:
    """After an id, of the kinds asked for, oldest first, and no more than asked for."""
    ledger = open_in(tmp_path)
    kinds = ["status", "receipt", "crew", "receipt", "acknowledge"]
    ledger.commit(Commit(events=[event(number, kind=kind) for number, kind in enumerate(kinds, 1)]))
    found = ledger.events_after(1, ("receipt", "acknowledge"), 10)
    assert [(2, "receipt"), (4, "receipt"), (5, "acknowledge")] == [(one.id, one.kind) for one in found]
    assert [2] == [one.id for one in ledger.events_after(0, ("receipt",), 1)]
    ledger.close()


def test_a_ledger_of_the_first_schema_is_brought_up(tmp_path: Path) -> None:
    """What it holds stays, and the new tables are there and empty."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[3] / "cloud" / "ledger" / "migrations"))
    engine = create_engine(url_of(tmp_path / "ledger.db"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert "order" not in inspect(connection).get_table_names()
    engine.dispose()
    ledger = open_in(tmp_path)
    ledger.commit(Commit(events=[event(1)]))
    assert ([], [], 0) == (
        ledger.load_orders().active,
        ledger.load_orders().assignments,
        ledger.load_orders().through,
    )
    ledger.commit_orders(OrderCommit(orders=[row()]), 7)
    ledger.close()
