"""The keeper of the lamps: what it makes of restarts, new streams, and states that are stale, early or another's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from edge_agent.actuators.lamps import Lamps
from edge_agent.config import Button
from edge_agent.outbox import Stored
from edge_agent.state.lamps import Lamp
from tests.edge_agent.outbox.lab import press
from wire import codec
from wire.messages import QueueSettle, RefusedSeq, ShownStatus, State

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
UNIT = "engine-1"
DIGEST = "00" * 32
BUTTONS = {name: Button(unit=UNIT, scheme="county", code=name, event=name == "talk") for name in ("1", "2", "talk")}


class Board:
    """Lamps, and the last that they showed."""

    def __init__(self) -> None:
        """All dark, in the stream `s1`."""
        self.lit: dict[str, Lamp] = {}
        self.notice = ""
        self.lamps = Lamps("veh-1", BUTTONS, self._show)
        self.lamps.restart((), stream="s1", now_s=0.0)
        self.lamps.vouch(answer_age_s=0.0, heartbeat_s=10.0, now_s=0.0)

    def _show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        self.lit = {name: lamp for name, lamp in lamps.items() if lamp != "dark"}
        self.notice = notice


def stored(code: str, seq: int) -> Stored:
    """A press that the outbox holds."""
    event = press(code, unit=UNIT)(seq=seq)
    return Stored(seq, event, codec.encode(event))


def settled(through: int, *refused: int, stream: str = "s1") -> QueueSettle:
    """The cloud's word that the statuses up to `through` have ended."""
    marks = [RefusedSeq(seq, "not_bound") for seq in refused]
    return QueueSettle(stream=stream, queue="status", through=through, digest=DIGEST, refused=marks)


def state(code: str, *, seq: int = 1, stream: str = "s1", device: str = "veh-1", version: int = 1) -> State:
    """What control shows for the unit, for a minute."""
    shown = ShownStatus(
        unit=UNIT, scheme="county", code=code, label="", since=NOW, by="panel", device=device, stream=stream, seq=seq
    )
    return State(v=1, owner_term=1, version=version, valid_until=NOW + timedelta(seconds=60), units=[shown])


def test_a_press_is_slow_then_steady_and_only_when_control_shows_it() -> None:
    """Committed, settled and shown are three things, and the lamp is steady after the third."""
    board = Board()
    board.lamps.press("1", 1, 0.0)
    assert board.lit == {"1": "slow"}
    board.lamps.settle(settled(1), 1.0)
    assert board.lit == {"1": "slow"}
    board.lamps.hear(state("1"), utc=NOW, now_s=2.0)
    assert board.lit == {"1": "steady"}


def test_what_was_refused_or_not_stored_is_fast() -> None:
    """Neither ever looks like a press that was taken, and each is told in words at once."""
    board = Board()
    board.lamps.press("1", 1, 0.0)
    board.lamps.settle(settled(1, 1), 1.0)
    assert (board.lit, board.notice) == ({"1": "fast"}, "REFUSED: USE RADIO")
    board.lamps.press("2", None, 2.0)
    assert (board.lit, board.notice) == ({"2": "fast"}, "NOT RECEIVED: USE RADIO")


def test_after_a_start_what_is_unsettled_is_slow_again() -> None:
    """The crew sees after a restart which press is still on its way; an event code beside the standing status."""
    board = Board()
    board.lamps.restart([stored("1", 4), stored("talk", 5), stored("2", 6)], stream="s1", now_s=0.0)
    assert board.lit == {"2": "slow", "talk": "slow"}
    assert board.notice == "NOT RECEIVED: USE RADIO", "nobody knows for how long they have waited"
    board.lamps.settle(settled(6), 1.0)
    assert board.lit == {"2": "slow", "talk": "steady"}


def test_in_a_new_stream_the_old_sequences_mean_nothing() -> None:
    """A press carried over as 1 settles as 1, whatever it was before; and nothing old looks like its confirmation."""
    board = Board()
    board.lamps.press("1", 6, 0.0)
    board.lamps.settle(settled(6), 0.0)
    board.lamps.hear(state("1", seq=6), utc=NOW, now_s=0.0)
    board.lamps.press("2", 7, 1.0)
    board.lamps.press("1", 8, 2.0)
    board.lamps.restart([stored("2", 1), stored("1", 2)], stream="s2", now_s=3.0)
    board.lamps.settle(settled(2, stream="s2"), 4.0)
    assert board.lit == {"1": "slow"}, "what control shows is the old press of that code"
    board.lamps.hear(state("1", seq=2, stream="s2", version=2), utc=NOW, now_s=5.0)
    assert board.lit == {"1": "steady"}


def test_a_status_that_another_device_entered_lights_its_button() -> None:
    """What control believes is shown, whoever said it, once no press here is on its way."""
    board = Board()
    board.lamps.hear(state("2", device="stn-1", seq=900), utc=NOW, now_s=0.0)
    assert board.lit == {"2": "steady"}
    board.lamps.press("1", 1, 1.0)
    assert board.lit == {"1": "slow"}


def test_a_state_out_of_order_says_nothing() -> None:
    """The broker may keep an older one: a lower owner term or version never takes back a newer, even an expired one."""
    board = Board()
    board.lamps.hear(replace(state("2"), owner_term=2), utc=NOW, now_s=0.0)
    board.lamps.hear(state("1", version=9), utc=NOW, now_s=0.0)
    assert board.lit == {"2": "steady"}
    board.lamps.hear(replace(state("2", version=3), owner_term=2, valid_until=NOW), utc=NOW, now_s=0.0)
    assert board.lit == {}
    board.lamps.hear(replace(state("1", version=2), owner_term=2), utc=NOW, now_s=0.0)
    assert board.lit == {}
    board.lamps.hear(replace(state("1", version=4), owner_term=2), utc=NOW, now_s=0.0)
    assert board.lit == {"1": "steady"}


def test_a_state_past_its_time_goes_dark_and_a_settled_press_slow() -> None:
    """Nothing says any more that control shows it."""
    board = Board()
    board.lamps.press("1", 1, 0.0)
    board.lamps.settle(settled(1), 0.0)
    board.lamps.hear(replace(state("1"), valid_until=NOW + timedelta(seconds=10)), utc=NOW, now_s=0.0)
    board.lamps.expire(NOW + timedelta(seconds=9), 9.0)
    assert board.lit == {"1": "steady"}
    board.lamps.expire(NOW + timedelta(seconds=10), 10.0)
    assert board.lit == {"1": "slow"}


def test_the_notice_comes_with_time_alone() -> None:
    """After ten seconds without a settle the crew is told to use the radio."""
    board = Board()
    board.lamps.press("1", 1, 0.0)
    board.lamps.expire(NOW, 9.9)
    assert board.notice == ""
    board.lamps.expire(NOW, 10.0)
    assert board.notice == "NOT RECEIVED: USE RADIO"
    board.lamps.settle(settled(1), 11.0)
    assert board.notice == ""


def test_in_a_new_stream_a_press_is_late_by_its_own_time_and_a_failed_one_stays() -> None:
    """A change of stream neither gives a waiting press ten more seconds nor hides what failed."""
    board = Board()
    board.lamps.press("1", 7, 0.0)
    board.lamps.restart([stored("1", 1)], stream="s2", now_s=6.0)
    assert board.notice == ""
    board.lamps.expire(NOW, 10.0)
    assert board.notice == "NOT RECEIVED: USE RADIO"
    board.lamps.settle(settled(1, 1, stream="s2"), 11.0)
    board.lamps.restart((), stream="s3", now_s=12.0)
    assert (board.lit, board.notice) == ({"1": "fast"}, "REFUSED: USE RADIO")


def test_a_panel_that_control_does_not_answer_says_so() -> None:
    """From the start until the first answer, and again when the answers cease, however steady its lamps are."""
    board = Board()
    board.lamps.hear(state("2"), utc=NOW, now_s=0.0)
    board.lamps.expire(NOW, 25.0)
    assert (board.lit, board.notice) == ({"2": "steady"}, "")
    board.lamps.expire(NOW, 25.1)
    assert (board.lit, board.notice) == ({"2": "steady"}, "CONTROL CANNOT SEE THIS: USE RADIO OR PHONE")
    board.lamps.restart((), stream="s2", now_s=26.0)
    assert board.notice == "CONTROL CANNOT SEE THIS: USE RADIO OR PHONE"
    board.lamps.vouch(answer_age_s=1.0, heartbeat_s=10.0, now_s=27.0)
    assert board.notice == ""


def test_before_the_first_answer_nobody_has_seen_the_panel() -> None:
    """A broker may hold control's state for long after control itself has gone."""
    told: list[str] = []
    lamps = Lamps("veh-1", BUTTONS, lambda _lamps, notice: told.append(notice))
    lamps.restart((), stream="s1", now_s=0.0)
    lamps.hear(state("2"), utc=NOW, now_s=0.1)
    assert told == ["CONTROL CANNOT SEE THIS: USE RADIO OR PHONE"] * 2


def test_a_state_that_ran_out_is_not_held() -> None:
    """The heartbeat says what is shown, so that a clock that was wrong for a while is told the state again."""
    board = Board()
    assert (0, 0) == board.lamps.state_held
    board.lamps.hear(state("2", version=7), utc=NOW, now_s=1.0)
    assert (1, 7) == board.lamps.state_held
    board.lamps.expire(NOW + timedelta(days=1), 2.0)
    assert (0, 0) == board.lamps.state_held
    board.lamps.hear(state("2", version=8), utc=NOW + timedelta(days=1), now_s=3.0)
    assert (0, 0) == board.lamps.state_held
