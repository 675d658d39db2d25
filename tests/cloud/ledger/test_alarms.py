"""Alarms in the ledger: what people did is kept in order, and the events of the last days are found quickly."""

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect

from cloud.ledger import AlarmLogRow, Commit, EventRow
from cloud.ledger.alarms import last_event_before
from cloud.ledger.statements import Statements, event_cells, execute
from cloud.ledger.tables import metadata
from tests.cloud.ledger.samples import NOON, event, open_in, url_of


def line(alarm: str, hours: int = 0) -> AlarmLogRow:
    """A person took an alarm in hand."""
    return AlarmLogRow(alarm=alarm, at=NOON + timedelta(hours=hours), kind="acknowledged", by="op 7")


def test_what_people_did_comes_back_in_order(tmp_path: Path) -> None:
    """Once a line is committed it is there after a start, and what is older than asked for is left out."""
    ledger = open_in(tmp_path)
    for row in (line("a1"), line("a2", 2), line("a1", 1)):
        ledger.commit_alarm_log(row)
    ledger.close()
    ledger = open_in(tmp_path)
    assert [line("a1"), line("a2", 2), line("a1", 1)] == ledger.alarm_log(NOON)
    assert [line("a2", 2), line("a1", 1)] == ledger.alarm_log(NOON + timedelta(hours=1))
    ledger.close()


def test_what_may_be_an_alarm_is_found_by_its_bytes(tmp_path: Path) -> None:
    """Every alarm and emergency, and of the statuses those that may hold a code, however its letters are written."""
    ledger = open_in(tmp_path)
    told = [
        ("status", b'{"code":"2"}'),
        ("emergency", b"{}"),
        ("status", b'{"code": "13"}'),
        ("receipt", b'{"code":"13"}'),
        ("status", b'{"code":"\\u00313"}'),
        ("alarm", b"{}"),
        ("status", b'{"code":"130"}'),
    ]
    rows = [event(number, kind=kind, body=body) for number, (kind, body) in enumerate(told, 1)]
    ledger.commit(Commit(events=rows))
    assert [2, 3, 5, 6] == [row.id for row in ledger.alarm_events_after(0, {"13", "14"}, 10)]
    assert [3, 5] == [row.id for row in ledger.alarm_events_after(2, {"13"}, 2)]
    assert [2, 6] == [row.id for row in ledger.alarm_events_after(0, (), 10)]
    ledger.close()


@given(st.lists(st.integers(0, 5), max_size=12), st.sets(st.integers(1, 12)), st.integers(0, 30))
def test_the_last_event_before_a_moment(steps: list[int], missing: set[int], hours: int) -> None:
    """Whatever ids there are: everything up to the one that is found was received before, and nothing after it."""
    engine = create_engine("sqlite://", paramstyle="qmark")
    rows: list[EventRow] = []
    received = NOON
    for number, step in enumerate(steps, 1):
        received += timedelta(hours=step)
        if number not in missing:
            rows.append(event(number, received_at=received))
    since = NOON + timedelta(hours=hours)
    with engine.begin() as connection:
        metadata.create_all(connection)
        execute(connection, Statements(engine.dialect).event, [event_cells(row) for row in rows])
        found = last_event_before(connection, since)
    engine.dispose()
    assert max((row.id for row in rows if row.received_at < since), default=0) == found


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_an_older_ledger_is_brought_up(tmp_path: Path, revision: str) -> None:
    """The new table is there, and empty; what the ledger held stays."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[3] / "cloud" / "ledger" / "migrations"))
    engine = create_engine(url_of(tmp_path / "ledger.db"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        assert "alarm_log" not in inspect(connection).get_table_names()
    engine.dispose()
    ledger = open_in(tmp_path)
    ledger.commit(Commit(events=[event(1)]))
    assert ([], 1) == (ledger.alarm_log(NOON), ledger.last_event_before(NOON + timedelta(hours=1)))
    ledger.commit_alarm_log(line("a1"))
    ledger.close()
