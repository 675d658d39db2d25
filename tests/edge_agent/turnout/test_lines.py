"""The journal's times: after a reboot a call never holds longer than it would have, and old orders go."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.turnout.lines import LINES_MAX, Line, forgettable, in_this_boot
from edge_agent.turnout.nonces import NONCE_HOLDS_S
from tests.edge_agent.turnout.lab import BOOT, order_id, row
from wire.events import Outcome

DAY_S = 86_400.0


def line(step: str = "", outcome: Outcome = "accepted", number: int = 1, **at: float | str) -> Line:
    """A line of another boot, written at 1,010 s."""
    boot = str(at.get("boot", "other"))
    return Line(
        row=row(step, outcome, number),
        boot=boot,
        written_s=float(at.get("written_s", 1_010.0)),
        written_at=float(at.get("written_at", 5_010.0)),
    )


def test_in_the_same_boot_nothing_moves() -> None:
    """The monotonic clock goes on over a restart of the agent, so its moments stand."""
    held = [line(boot=BOOT), line("sounder:dorm", "done", boot=BOOT)]
    assert held == in_this_boot(held, BOOT, 1_050.0, 9_999.0)


def test_after_a_reboot_the_wall_clock_tells_what_is_left() -> None:
    """110 s were left when the line was written; 40 s of wall time later it is 70."""
    moved = in_this_boot([line()], BOOT, 30.0, 5_050.0)[0].row.call
    assert moved is not None
    assert (30.0 + 70.0, 30.0 - 50.0) == (moved.expires_s, moved.received_s)


def test_later_lines_of_that_boot_count_too() -> None:
    """A step's line at 1,100 s proves that by then only 20 s were left, whatever a wall clock says that went back."""
    held = [line(), line("sounder:dorm", "done", written_s=1_100.0, written_at=5_100.0)]
    moved = in_this_boot(held, BOOT, 30.0, 3_000.0)[0].row.call
    assert moved is not None
    assert 50.0 == moved.expires_s


@given(seen_s=st.floats(1_000, 2_000), wall_s=st.floats(-1e9, 1e9), now_s=st.floats(0, 1e6), off_s=st.floats(-1e9, 1e9))
def test_a_reboot_never_gives_time(seen_s: float, wall_s: float, now_s: float, off_s: float) -> None:
    """Whatever the clocks do, no more is left after a reboot than was left at the last line before it."""
    held = [line(), line("sounder:dorm", "done", written_s=seen_s, written_at=wall_s)]
    moved = in_this_boot(held, BOOT, now_s, wall_s + off_s)[0].row.call
    assert moved is not None
    assert moved.expires_s - now_s <= 1_120.0 - max(seen_s, 1_010.0) + 1e-3


def ended(number: int, written_at: float, **at: float | str) -> tuple[str, list[Line]]:
    """An order that has ended."""
    return order_id(number), [line("", "done", number, written_at=written_at, **at)]


def test_orders_of_a_week_ago_are_forgotten() -> None:
    """Where they have ended; one that has not is kept, however old."""
    now_at = 30 * DAY_S
    open_order = (order_id(3), [line(number=3, written_at=0.0)])
    orders = [ended(1, now_at - 7 * DAY_S - 1), ended(2, now_at - 7 * DAY_S + 1), open_order]
    assert [order_id(1)] == forgettable(orders, boot=BOOT, now_s=5_000.0, now_at=now_at)


def test_the_oldest_go_where_there_are_too_many() -> None:
    """Down to the bound, oldest first."""
    orders = [ended(number, float(number)) for number in range(LINES_MAX + 3)]
    assert [order_id(0), order_id(1), order_id(2)] == forgettable(orders, boot=BOOT, now_s=0.0, now_at=0.0)


def test_what_a_nonce_could_still_name_is_kept() -> None:
    """A wall clock that leaps by years does not make a command of a minute ago new again."""
    recent = ended(1, 0.0, boot=BOOT, written_s=5_000.0)
    assert [] == forgettable([recent], boot=BOOT, now_s=5_000.0 + NONCE_HOLDS_S, now_at=400 * DAY_S)
    assert [order_id(1)] == forgettable([recent], boot=BOOT, now_s=5_001.0 + NONCE_HOLDS_S, now_at=400 * DAY_S)
