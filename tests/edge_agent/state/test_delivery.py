"""What is sent next, and when: nothing twice in flight, nothing missed, nothing spun."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from edge_agent.state import delivery
from edge_agent.state.delivery import (
    ANSWER_WAIT_S,
    HISTORY_GAP_S,
    HISTORY_IDLE_S,
    RETRY_MAX_S,
    Answer,
    Delivery,
    DeliveryRules,
    Waiting,
)
from wire.events import Queue
from wire.messages import Settle

RULES = DeliveryRules(heartbeat_s=10.0, settle_timeout_s=2.0)
BATCH = 20
NOTHING = Waiting(0, 0)


def connected(at_s: float = 100.0, *, answered: bool = True, live: bool = False) -> Delivery:
    """A connection that began at `at_s`, its first answer answered."""
    state = delivery.on_connected(Delivery(rules=RULES), at_s)
    if answered:
        state = delivery.on_sent(delivery.on_answer(state, Answer("a", at_s, 1)), "heartbeat", at_s)
    return state if live else delivery.on_sent(state, "live", at_s)


def sends(state: Delivery, waiting: Waiting, until_s: float, now_s: float = 100.0) -> list[tuple[float, str]]:
    """All that goes out up to `until_s` where the cloud never says a word, each with its moment."""
    found = list[tuple[float, str]]()
    while now_s <= until_s:
        send = delivery.due(state, waiting, now_s, BATCH)
        if send is None:
            now_s = delivery.next_s(state, waiting, BATCH)
            continue
        found.append((now_s, send))
        state = delivery.on_sent(state, send, now_s, 5)
    return found


class Device(RuleBasedStateMachine):
    """A device with a model of its outbox, driven by any course of events; its loop waits exactly as `next_s` says."""

    def __init__(self) -> None:
        """Begin disconnected, somewhere in the monotonic clock."""
        super().__init__()
        self.now_s, self.state = 1_000.0, Delivery(rules=RULES)
        self.first: dict[Queue, int] = {"status": 1, "track": 1}
        self.next: dict[Queue, int] = {"status": 1, "track": 1}
        self.flying: dict[Queue, tuple[int, float] | None] = {"status": None, "track": None}
        self.heard_s = self.connected_s = math.inf
        self.answered = False
        self.term = 0

    @property
    def waiting(self) -> Waiting:
        """What the model's outbox holds."""
        return Waiting(self.next["status"] - self.first["status"], self.next["track"] - self.first["track"])

    @rule()
    def connect(self) -> None:
        """A connection begins, perhaps without the last one's end having been seen."""
        self.state = delivery.on_connected(self.state, self.now_s)
        self.heard_s = self.connected_s = self.now_s
        self.answered = False
        self.flying = {"status": None, "track": None}
        self.run()

    @rule()
    def disconnect(self) -> None:
        """The connection ends."""
        self.state = delivery.on_disconnected(self.state)
        self.heard_s, self.answered = math.inf, False
        assert math.inf == delivery.next_s(self.state, self.waiting, BATCH)
        assert delivery.due(self.state, self.waiting, self.now_s, BATCH) is None

    @rule(queue=st.sampled_from(("status", "track")), events=st.integers(1, 60))
    def commit(self, queue: Queue, events: int) -> None:
        """Events are committed."""
        self.next[queue] += events
        self.state = delivery.on_committed(self.state, queue, self.now_s)
        if self.flying["status"] and queue == "status":
            last, again_s = self.flying["status"]
            self.flying["status"] = (last, min(again_s, self.now_s + RULES.settle_timeout_s))
        self.run()

    @precondition(lambda self: self.state.connected)
    @rule(newer=st.integers(-1, 1), delay_s=st.sampled_from((0.0, 0.7, 2.0)))
    def answer(self, newer: int, delay_s: float) -> None:
        """The cloud answers: the same owner, a new one, or an old one that was paused."""
        term = self.term + newer
        before = self.state
        self.state = delivery.on_answer(self.state, Answer("id", self.now_s, term), delay_s)
        if before.answer is not None and term < self.term:
            assert before == self.state
            return
        if before.answer is None or term > self.term:
            self.flying = {"status": None, "track": None}
        self.term, self.answered = term, True
        self.run()

    @precondition(lambda self: self.state.connected)
    @rule(queue=st.sampled_from(("status", "track")), part=st.floats(0, 1))
    def settle(self, queue: Queue, part: float) -> None:
        """The cloud settles what was sent, or the first part of it."""
        flying = self.flying[queue]
        if flying is None:
            return
        through = self.first[queue] + math.floor((flying[0] - self.first[queue]) * part)
        self.first[queue] = max(self.first[queue], through + 1)
        self.state = delivery.on_settled(self.state, queue, through)
        if through == flying[0]:
            self.flying[queue] = None
        self.run()

    @precondition(lambda self: self.state.connected)
    @rule()
    def mint(self) -> None:
        """A new stream begins."""
        self.state = delivery.on_minted(self.state)
        self.flying = {"status": None, "track": None}
        self.run()

    @rule(pause_s=st.floats(0.001, 60.0))
    def wait(self, pause_s: float) -> None:
        """Time passes, and the device sends what falls due, woken by `next_s` alone."""
        until_s = self.now_s + pause_s
        while (wake_s := delivery.next_s(self.state, self.waiting, BATCH)) <= until_s:
            assert wake_s > self.now_s, "it would spin"
            for share in (0.01, 0.5, 0.999):
                between_s = self.now_s + (wake_s - self.now_s) * share
                if between_s < wake_s:
                    assert delivery.due(self.state, self.waiting, between_s, BATCH) is None, "it would be late"
            self.now_s = wake_s
            assert delivery.due(self.state, self.waiting, self.now_s, BATCH) is not None, "it would wake for nothing"
            self.run()
        self.now_s = until_s

    def run(self) -> None:
        """Send all that is due now."""
        for _ in range(10):
            send = delivery.due(self.state, self.waiting, self.now_s, BATCH)
            if send is None:
                return
            self.check(send)
        raise AssertionError("it never stops sending")

    def check(self, send: delivery.Send) -> None:
        """Send, and hold what is sent against what may be sent."""
        assert self.state.connected
        last = 0
        if send == "heartbeat":
            assert self.now_s - self.heard_s <= RULES.heartbeat_s + 1e-9
            self.heard_s = self.now_s
        elif send != "live":
            queue: Queue = "status" if send == "status" else "track"
            assert self.next[queue] > self.first[queue], "nothing to send"
            flying = self.flying[queue]
            assert flying is None or self.now_s >= flying[1], "two envelopes of one queue in flight"
            assert queue == "status" or self.answered, "history before an answer"
            assert self.answered or self.now_s >= self.connected_s + ANSWER_WAIT_S, "before the first answer"
            last = min(self.next[queue], self.first[queue] + BATCH) - 1
            wait_s = RULES.settle_timeout_s
            self.flying[queue] = (last, self.now_s + wait_s)
        self.state = delivery.on_sent(self.state, send, self.now_s, last)


TestDevice = Device.TestCase
TestDevice.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_a_heartbeat_goes_out_at_its_interval() -> None:
    """Birth counts as the first; from then on the promised interval holds exactly, for ever."""
    assert [(110.0, "heartbeat"), (120.0, "heartbeat"), (130.0, "heartbeat")] == sends(connected(), NOTHING, 135.0)


def test_the_most_urgent_goes_first() -> None:
    """Heartbeat, status, live, history: a batch of history never stands before a press or the newest position."""
    state = msgspec.structs.replace(connected(live=True), heartbeat_s=100.0)
    assert ["heartbeat", "status", "live", "history"] == [send for _, send in sends(state, Waiting(1, 50), 100.0)]


def test_an_emergency_goes_before_all_and_again_until_it_has_ended() -> None:
    """At once on a connection, before its first heartbeat and any backlog; then backing off; a newer one at once."""
    state = msgspec.structs.replace(connected(answered=False, live=True), heartbeat_s=100.0)
    told = [(at_s, send) for at_s, send in sends(state, Waiting(500, 500, 5), 129.0)]
    assert (100.0, "emergency") == told[0]
    assert [100.0, 102.0, 106.0, 114.0] == [at_s for at_s, send in told if send == "emergency"]
    state = delivery.on_sent(state, "emergency", 100.0, 5)
    assert "emergency" == delivery.due(state, Waiting(500, 0, 6), 100.1, BATCH)
    assert "emergency" not in {send for _, send in sends(state, Waiting(500, 0), 130.0)}
    assert "emergency" == delivery.due(delivery.on_connected(state, 101.0), Waiting(500, 0, 5), 101.0, BATCH)


def test_status_waits_for_the_first_answer_and_no_longer_than_its_limit() -> None:
    """Where no ingest answers, unsettled presses go out all the same after `ANSWER_WAIT_S`."""
    state = connected(answered=False)
    assert (100.0 + ANSWER_WAIT_S, "status") == sends(state, Waiting(1, 0), 105.0)[0]


def test_an_answer_ends_the_wait_and_its_echo_goes_first() -> None:
    """The heartbeat that echoes the first answer precedes the presses, so that their times can be proven."""
    state = delivery.on_answer(connected(answered=False), Answer("a", 100.2, 1))
    assert [(100.2, "heartbeat"), (100.2, "status")] == sends(state, Waiting(1, 0), 101.0, 100.2)


def test_the_first_answer_alone_is_answered() -> None:
    """Settles of the same owner cause no heartbeats: the two sides do not keep each other talking."""
    state = delivery.on_answer(connected(), Answer("b", 101.0, 1))
    assert [] == sends(state, NOTHING, 109.9, 101.0)


def test_history_waits_for_an_answer() -> None:
    """Where no ingest listens, the track stays here: it would only be thrown away by the broker."""
    assert "history" not in {send for _, send in sends(connected(answered=False), Waiting(0, 500), 400.0)}


def test_history_goes_in_full_batches_at_its_own_pace() -> None:
    """With more than a batch waiting, batches follow each other, settled at once, no closer than their gap."""
    state, moments, now_s = connected(), list[float](), 100.0
    while len(moments) < 4:
        send = delivery.due(state, Waiting(0, 500), now_s, BATCH)
        if send is None:
            now_s = delivery.next_s(state, Waiting(0, 500), BATCH)
            continue
        moments += [now_s] if send == "history" else []
        state = delivery.on_settled(delivery.on_sent(state, send, now_s, 20), "track", 20)
    assert [100.0 + HISTORY_GAP_S * batch for batch in range(4)] == pytest.approx(moments)


def test_a_few_track_records_wait_for_more() -> None:
    """Fewer than a batch travel together, no later than `HISTORY_IDLE_S` after the batch before."""
    state = delivery.on_settled(delivery.on_sent(connected(), "history", 100.0, 20), "track", 20)
    moments = [at_s for at_s, send in sends(state, Waiting(0, 3), 119.0) if send == "history"]
    assert 100.0 + HISTORY_IDLE_S == moments[0]


def test_an_unsettled_envelope_goes_again_backing_off_to_a_limit() -> None:
    """Sent again after the time-out, then twice that, and so on up to `RETRY_MAX_S`, for ever."""
    moments = [at_s for at_s, send in sends(connected(), Waiting(1, 0), 250.0) if send == "status"]
    assert [2.0, 4.0, 8.0, 16.0, 20.0, 20.0] == [
        later - at_s for at_s, later in zip(moments, moments[1:], strict=False)
    ][:6]
    assert RETRY_MAX_S == 20.0


@given(st.floats(0.2, 60.0), st.integers(1, 3_000))
def test_no_back_off_is_longer_than_its_limit(timeout_s: float, times: int) -> None:
    """However often it was sent, and whatever the configured time-out, a press goes again within `RETRY_MAX_S`."""
    state = Delivery(rules=DeliveryRules(heartbeat_s=10.0, settle_timeout_s=timeout_s))
    state = delivery.on_connected(state, 0.0)
    for _ in range(times):
        state = delivery.on_sent(state, "status", 0.0, 1)
    assert state.status is not None
    assert min(timeout_s, RETRY_MAX_S) <= state.status.again_s <= RETRY_MAX_S


def test_a_new_press_shortens_a_long_back_off() -> None:
    """A press after a long silence goes out within the time-out, together with the old ones; a short wait stays."""
    state = connected()
    for _ in range(6):
        state = delivery.on_sent(state, "status", 100.0, 1)
    assert state.status is not None and 120.0 == state.status.again_s
    shortened = delivery.on_committed(state, "status", 105.0)
    assert (107.0, "status") == sends(shortened, Waiting(2, 0), 110.0, 105.0)[0]
    kept = delivery.on_committed(state, "status", 119.5)
    assert kept.status is not None and 120.0 == kept.status.again_s


def test_presses_in_quick_succession_do_not_put_off_the_next_sending() -> None:
    """A press a second never keeps an envelope from going again."""
    state = delivery.on_sent(connected(), "status", 100.0, 1)
    for second in range(1, 20):
        state = delivery.on_committed(state, "status", 100.0 + second)
    assert state.status is not None and 102.0 == state.status.again_s


def test_only_a_settle_of_all_that_was_sent_lets_the_next_go() -> None:
    """A settle of a part leaves the envelope in flight; one of the whole, or more, ends it."""
    state = delivery.on_sent(connected(), "status", 100.0, 5)
    assert state == delivery.on_settled(state, "status", 4)
    assert state == delivery.on_settled(state, "track", 5)
    assert delivery.on_settled(state, "status", 5).status is None
    landed = delivery.on_settled(state, "status", 6)
    assert "heartbeat" == delivery.due(landed, Waiting(1, 0), 100.0, BATCH), "it vouches for the status at once"
    vouched = delivery.on_sent(landed, "heartbeat", 100.0)
    assert "status" == delivery.due(vouched, Waiting(1, 0), 100.0, BATCH)


def test_nothing_sent_before_a_connection_counts_on_it() -> None:
    """What was in flight when the link broke goes again on the next connection, without a back-off."""
    state = delivery.on_sent(connected(), "status", 100.0, 5)
    again = delivery.on_connected(delivery.on_disconnected(state), 130.0)
    again = delivery.on_answer(again, Answer("b", 130.1, 1))
    assert [(130.1, "heartbeat"), (130.1, "live"), (130.1, "status")] == sorted(
        sends(again, Waiting(1, 0), 130.5, 130.1)
    )


def test_a_new_owner_is_answered_at_once_and_sent_what_is_unsettled() -> None:
    """An ingest that took over may hold nothing of what the last one was sent: heartbeat first, then the presses."""
    state = delivery.on_sent(connected(), "status", 100.0, 5)
    state = delivery.on_answer(state, Answer("b", 100.5, 2))
    assert [(100.5, "heartbeat"), (100.5, "status")] == sends(state, Waiting(1, 0), 101.0, 100.5)


def test_an_ingest_that_comes_late_gets_the_presses_without_a_back_off() -> None:
    """Presses that went out to nobody, backing off, go again as soon as an ingest says that it has started."""
    state = connected(answered=False)
    for _ in range(8):
        state = delivery.on_sent(state, "status", 160.0, 1)
    state = delivery.on_answer(msgspec.structs.replace(state, heartbeat_s=169.0), Answer("h", 161.0, 1), 1.5)
    assert [(162.5, "heartbeat"), (162.5, "status")] == sends(state, Waiting(1, 0), 163.0, 161.0)


def test_a_greeting_is_answered_spread_but_a_press_does_not_wait_for_that() -> None:
    """Everybody heard the greeting at once, so answers are spread; a press in between goes at once, its echo first."""
    state = delivery.on_answer(connected(), Answer("h", 101.0, 2), 1.8)
    assert [(102.8, "heartbeat"), (102.8, "status"), (102.8, "history")] == sends(state, Waiting(1, 99), 103.0, 101.0)
    pressed = delivery.on_committed(state, "status", 101.3)
    assert [(101.3, "heartbeat"), (101.3, "status")] == sends(pressed, Waiting(1, 0), 103.0, 101.3)


def test_an_old_owner_is_ignored() -> None:
    """A paused worker that wakes up cannot speak again: its answer changes nothing, and its words are not current."""
    state = delivery.on_answer(connected(), Answer("new", 101.0, 7))
    assert state == delivery.on_answer(state, Answer("old", 102.0, 6))
    assert [False, True, True] == [delivery.is_current(state, term) for term in (6, 7, 8)]
    assert delivery.is_current(Delivery(rules=RULES), 0)


def test_the_owner_is_remembered_over_connections() -> None:
    """A broken link does not give an old owner another chance."""
    state = delivery.on_answer(connected(), Answer("new", 101.0, 7))
    state = delivery.on_connected(delivery.on_disconnected(state), 130.0)
    assert not delivery.on_answer(state, Answer("old", 131.0, 6)).answered


def test_a_new_stream_is_told_at_once() -> None:
    """After a take-over nothing of the old stream counts as in flight, and a heartbeat names the new one."""
    state = delivery.on_sent(connected(), "status", 100.0, 5)
    state = delivery.on_minted(state)
    assert [(101.0, "heartbeat"), (101.0, "status")] == sends(state, Waiting(1, 0), 102.0, 101.0)


def test_an_envelope_that_turned_out_empty_is_not_in_flight() -> None:
    """Where the queue was settled empty while the envelope was being made, the next press goes at once."""
    state = delivery.on_sent(connected(), "status", 100.0, 0)
    assert "status" == delivery.due(delivery.on_committed(state, "status", 100.1), Waiting(1, 0), 100.1, BATCH)


def test_a_commit_to_the_track_goes_live_once() -> None:
    """The newest position goes out as it is committed, once, answered or not."""
    state = delivery.on_committed(connected(answered=False), "track", 100.5)
    assert delivery.next_s(state, Waiting(0, 1), BATCH) <= 100.5
    assert [(100.5, "live")] == sends(state, Waiting(0, 1), 105.0, 100.5)


@pytest.mark.parametrize(("at_s", "held_ms"), [(100.0, 0), (100.0019, 1), (112.3459, 12_345)])
def test_an_echo_never_claims_to_be_fresher(at_s: float, held_ms: int) -> None:
    """How long an id has been held is rounded down, for the cloud subtracts it; without an id there is no echo."""
    assert ("a", held_ms) == delivery.echo_of(connected(), at_s)
    assert delivery.echo_of(Delivery(rules=RULES), at_s) is None


def test_a_settle_is_an_answer() -> None:
    """The id and the term of a settle are taken with the moment at which it came."""
    assert Answer("x", 5.0, 9) == delivery.answer_of(Settle(v=1, id="x", owner_term=9), 5.0)
