"""However often, in whatever pieces and at whatever moment a device sends, each event is stored exactly once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.ingest.loading import load_marks
from cloud.ledger import Loaded
from tests.cloud.fleet.samples import at, echo, heartbeat
from tests.cloud.ingest.samples import Desk, Vehicle, loaded_of
from wire import codec, digest
from wire.messages import Hello, LastSeq, State


def test_a_press_is_settled_once_it_is_durable_and_not_before() -> None:
    """While the commit is in flight a resend is neither stored twice nor settled; afterwards it is answered again."""
    vehicle, desk = Vehicle(), Desk()
    vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope())
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.begin_commit()
    desk.receive(vehicle.topic, vehicle.envelope())
    assert ([], 1) == (desk.answers(), len(entry.commit.events))
    desk.end_commit(entry)
    vehicle.take(desk.answers())
    assert 1 == vehicle.settled
    for _ in range(2):
        desk.receive(vehicle.topic, vehicle.envelope())
        (again,) = desk.answers()
        assert (1, vehicle.digests[1].hex()) == (again.queues[0].through, again.queues[0].digest)
    assert ([], 1) == (desk.commit().commit.events, len(desk.stored))


def test_a_resend_is_answered_after_a_restart() -> None:
    """An ingest that starts on what the ledger holds settles the same again, and stores nothing twice."""
    vehicle, before = Vehicle(), Desk()
    vehicle.press()
    before.receive(vehicle.topic, vehicle.envelope())
    commit = before.commit().commit
    loaded = Loaded(next_event_id=2, watermarks=commit.watermarks, heads=commit.events, tails=dict(commit.tails))
    desk = Desk(load_marks(loaded), loaded)
    desk.receive(vehicle.topic, vehicle.envelope())
    vehicle.take(desk.answers())
    assert 1 == vehicle.settled
    vehicle.press("8")
    desk.receive(vehicle.topic, vehicle.envelope(1, 2))
    (row,) = desk.commit().commit.events
    assert (2, 2, 1) == (row.id, row.seq, row.prev)


def test_a_longer_resend_stores_its_tail_only() -> None:
    """Of a resend that has grown only what is new is stored, though the commit of the rest is in flight."""
    vehicle, desk = Vehicle(), Desk()
    for _ in range(2):
        vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.begin_commit()
    for _ in range(2):
        vehicle.press("8")
    desk.receive(vehicle.topic, vehicle.envelope())
    desk.end_commit(entry)
    vehicle.take(desk.answers())
    assert 2 == vehicle.settled
    assert [3, 4] == [row.seq for row in desk.commit().commit.events]
    vehicle.take(desk.answers())
    assert 4 == vehicle.settled


def test_what_is_gone_is_recorded_and_the_digest_goes_on() -> None:
    """Sequences below `first_held` that never came are a gap, and the device's digest is taken over it."""
    vehicle, desk = Vehicle(queue="track"), Desk()
    for _ in range(9):
        vehicle.measure()
    desk.receive(vehicle.topic, vehicle.envelope(1, 2))
    desk.receive(vehicle.topic, vehicle.envelope(6, 9))
    entry = desk.commit()
    assert [(3, 5, "not_held")] == [(gap.first_seq, gap.last_seq, gap.reason) for gap in entry.commit.gaps]
    assert (9, vehicle.digests[9]) == (entry.commit.watermarks[-1].through, entry.commit.watermarks[-1].digest)
    assert 3 == desk.acceptor.counts["gone_track"]
    vehicle.take(desk.answers())
    assert 9 == vehicle.settled
    desk.receive(vehicle.topic, vehicle.envelope(3, 5))
    assert [] == desk.commit().commit.events


def test_a_first_word_may_begin_anywhere() -> None:
    """A stream whose start was lost before anything came is taken from where it begins, and the start is gone."""
    vehicle, desk = Vehicle(), Desk()
    for _ in range(4):
        vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope(3))
    entry = desk.commit()
    assert ([(1, 2)], [3, 4]) == (
        [(gap.first_seq, gap.last_seq) for gap in entry.commit.gaps],
        [row.seq for row in entry.commit.events],
    )


def test_the_same_sequence_with_other_bytes_is_a_fork() -> None:
    """It is kept aside, nothing of it is stored, the device is told to mint, and the right one goes on."""
    vehicle, clone, desk = Vehicle(), Vehicle(), Desk()
    vehicle.press("2")
    clone.press("8")
    clone.press("8")
    desk.receive(vehicle.topic, vehicle.envelope())
    desk.commit()
    desk.answers()
    desk.receive(clone.topic, clone.envelope())
    assert [("fork", clone.envelope())] == desk.asides()
    (told,) = desk.answers()
    assert ("fork", []) == (told.mint, told.queues)
    assert [] == desk.commit().commit.events
    vehicle.press("4")
    desk.receive(vehicle.topic, vehicle.envelope(2))
    assert ["2", "4"] == [codec_code(row.body) for row in [*desk.stored, *desk.commit().commit.events]]


def test_a_fork_is_seen_while_the_commit_is_in_flight() -> None:
    """Two devices with the same card that press at the same moment are told apart at once."""
    vehicle, clone, desk = Vehicle(), Vehicle(), Desk()
    vehicle.press("2")
    clone.press("8")
    desk.receive(vehicle.topic, vehicle.envelope())
    desk.receive(clone.topic, clone.envelope())
    assert ["fork"] == [one.mint for one in desk.answers()]
    assert 1 == len(desk.commit().commit.events)


def test_a_base_that_does_not_match_is_a_fork() -> None:
    """A chain that begins elsewhere than at the stream's own start, or goes on from another past, is a fork."""
    vehicle, desk = Vehicle(), Desk()
    vehicle.press()
    vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope(base_digest=digest.genesis("E2-b", "status").hex()))
    desk.receive(vehicle.topic, vehicle.envelope(1, 1))
    desk.receive(vehicle.topic, vehicle.envelope(2, 2, base_digest="0" * 64))
    assert ["fork", "fork"] == [one.mint for one in desk.answers()]
    assert [1] == [row.seq for row in desk.commit().commit.events]


def test_a_stream_put_back_is_told_that_it_is_superseded() -> None:
    """A device that speaks in an old stream is told once nobody speaks in the newer one, and not before."""
    desk = Desk()
    for stream, sent_s in (("E2-a", 0), ("E2-b", 1)):
        desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(0, stream=stream)), sent_s)
    given = desk.answers()[-1].id
    said = heartbeat(1_000, stream="E2-b", echo=echo(given=given))
    desk.receive("wr/1/up/kp/veh-2/live", codec.encode(said), 1.0)
    desk.answers()
    desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(2_000, stream="E2-a")), 2)
    assert [""] == [one.mint for one in desk.answers()]
    desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(99_000, stream="E2-a")), 99)
    assert ["superseded"] == [one.mint for one in desk.answers()]
    link = desk.fleet.link("veh-2")
    assert link is not None and link.vitals is not None and "E2-b" == link.vitals.stream


def test_an_older_copy_of_a_card_is_told_that_it_is_superseded() -> None:
    """Its boots count from where the copy was made, so its words look like replays; the echo proves that they are not.

    What was really sent before is a replay, and is told nothing.
    """
    desk = Desk()

    def hear(sent_s: int, **said: Any) -> None:
        desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(sent_s * 1000, **said)), sent_s)

    hear(0, boot=9)
    given = desk.answers()[-1].id
    hear(1, boot=9, echo=echo(given=given, held_ms=1_000))
    given = desk.answers()[-1].id
    hear(7, boot=3, echo=echo(given=given, held_ms=4_900))
    assert [""] == [one.mint for one in desk.answers()]
    hear(8, boot=3, echo=echo(given=given, held_ms=5_200))
    assert ["superseded"] == [one.mint for one in desk.answers()]
    hear(9, boot=3)
    hear(10, boot=3, echo=echo(given="77-999", held_ms=9_000))
    assert ["", ""] == [one.mint for one in desk.answers()]


@pytest.mark.parametrize("newer_speaks", [False, True])
def test_a_stream_put_back_is_told_so_across_a_restart(newer_speaks: bool) -> None:
    """An ingest that has heard only the old stream since its start tells it too, once the newer had time to speak.

    Where somebody speaks freshly in the newer stream the old one is never told.
    """
    before = Desk()
    for vehicle in (Vehicle("E2-a"), Vehicle("E2-b")):
        vehicle.press()
        before.receive(vehicle.topic, vehicle.envelope())
        before.commit()
    desk, told, ids = Desk(before.acceptor.committed.values()), [], {"E2-a": "x", "E2-b": "x"}
    for now_s in range(5, 60, 5):
        for stream in ("E2-a", "E2-b") if newer_speaks else ("E2-a",):
            said = heartbeat(now_s * 1000, stream=stream, echo=echo(5_000, ids[stream]))
            desk.receive("wr/1/up/kp/veh-2/live", codec.encode(said), now_s)
            for answer in desk.answers():
                ids[stream] = answer.id
                told += [(now_s, stream, answer.mint)] if answer.mint else []
    late_s = 5 + 2 * 5 + 5
    expected = [(now_s, "E2-a", "superseded") for now_s in range(5, 60, 5) if now_s > late_s]
    assert ([] if newer_speaks else expected) == told


def test_a_refusal_is_told_again_after_a_restart() -> None:
    """The settle that told it was lost and ingest starts anew: the resend is still answered with the refusal."""
    vehicle, before = Vehicle(), Desk()
    for code in ("2", "no-such", *["99"] * 25):
        vehicle.press(code)
    for first in (1, 21):
        before.receive(vehicle.topic, vehicle.envelope(first, min(27, first + 19)))
    before.commit()
    (answer,) = before.answers()
    loaded = loaded_of(before)
    kept = [row for row in loaded.refused if row[3] > 7]
    desk = Desk(load_marks(msgspec.structs.replace(loaded, refused=kept)), loaded)
    desk.receive(vehicle.topic, vehicle.envelope(8))
    (again,) = desk.answers()
    assert (20, answer.queues) == (len(again.queues[0].refused), again.queues)


def test_the_state_is_told_again_before_it_runs_out() -> None:
    """A device that stays connected for two days without a press always holds a state that is still valid."""
    desk, valid_until = Desk(), None
    desk.acceptor.tell_state(["veh-2"], at(0))
    told = 0
    for now_s in range(0, 2 * 86_400, 600):
        desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(now_s * 1000 + 1)), now_s)
        for one in desk.acceptor.outgoing:
            message = codec.decode_down(one.payload)
            if isinstance(message, State):
                valid_until, told = message.valid_until, told + 1
        desk.acceptor.outgoing.clear()
        assert valid_until is not None and valid_until > at(now_s + 3_600).utc
    assert told <= 48


def test_an_outbox_that_is_an_older_copy_is_told_how_far_its_queue_has_ended() -> None:
    """A device that counted fewer statuses than the ledger holds learns it from its first heartbeat; others don't."""
    vehicle, desk = Vehicle(), Desk()
    for _ in range(3):
        vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope())
    desk.commit()
    desk.answers()
    for sent_ms, counted in ((1_000, 3), (2_000, 2)):
        said = heartbeat(sent_ms, stream=vehicle.stream, last_seq=LastSeq(counted, 0))
        desk.receive("wr/1/up/kp/veh-2/live", codec.encode(said), sent_ms / 1000)
    assert [[], [3]] == [[queue.through for queue in one.queues] for one in desk.answers()]


def test_every_answer_has_an_id_of_its_own() -> None:
    """No id is given twice, across devices, kinds of answer and greetings: an echo means one moment."""
    vehicle, fire, desk = Vehicle(), Vehicle("E1-a", device="veh-1", org="kf"), Desk()
    ids: list[str] = []
    for round_ in range(5):
        desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(round_)), round_)
        vehicle.press()
        desk.receive(vehicle.topic, vehicle.envelope())
        desk.commit()
        fire.add(b"1")
        desk.receive(fire.topic, fire.envelope())
        desk.commit()
        ids += [one.id for one in desk.answers()]
        desk.acceptor.greet(at(round_))
        greetings = [codec.decode_down(one.payload) for one in desk.acceptor.outgoing]
        desk.acceptor.outgoing.clear()
        ids += {one.id for one in greetings if isinstance(one, Hello)}
    assert (20, 20) == (len(ids), len(set(ids)))


acts = st.one_of(
    st.tuples(st.just("press"), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("send"), st.integers(1, 20)),
    st.tuples(st.just("replay"), st.integers(0, 30)),
    st.tuples(st.just("begin")),
    st.tuples(st.just("end")),
    st.tuples(st.just("hear"), st.booleans()),
)


class Story:
    """One vehicle and the desk, with a network between them that loses, repeats and cuts short."""

    def __init__(self) -> None:
        """Nothing was pressed."""
        self.vehicle, self.desk = Vehicle(), Desk()
        self.sent: list[bytes] = []
        self.flying: list[Any] = []

    def act(self, act: tuple[Any, ...]) -> None:
        """Let one thing happen."""
        match act:
            case ("press", int(count), bool(good)):
                for _ in range(count):
                    self.vehicle.press("2" if good else "99")
            case ("send", int(count)):
                self.send(count)
            case ("replay", int(number)) if self.sent:
                self.desk.receive(self.vehicle.topic, self.sent[number % len(self.sent)])
            case ("begin",) if not self.flying:
                self.flying.append(self.desk.begin_commit())
            case ("end",):
                while self.flying:
                    self.desk.end_commit(self.flying.pop())
            case ("hear", bool(arrives)):
                answers = self.desk.answers()
                self.check(answers)
                self.vehicle.take(answers if arrives else [])

    def send(self, count: int) -> None:
        """Send the oldest unsettled events, as many as `count`."""
        first = self.vehicle.settled + 1
        last = min(len(self.vehicle.events), first + count - 1)
        if last >= first:
            self.sent.append(self.vehicle.envelope(first, last))
            self.desk.receive(self.vehicle.topic, self.sent[-1])

    def check(self, answers: list[Any]) -> None:
        """Insist that nothing was settled that is not durable."""
        ended = {row.seq for row in self.desk.stored}
        ended |= {row.seq for entry in self.desk.entries for row in entry.commit.refused if row.seq is not None}
        for answer in answers:
            assert not answer.mint
            assert all(set(range(1, one.through + 1)) <= ended for one in answer.queues)


@settings(max_examples=200, deadline=None)
@given(story=st.lists(acts, max_size=40))
def test_whatever_the_network_does_each_event_ends_once(story: list[tuple[Any, ...]]) -> None:
    """In the end every event is stored or refused exactly once, byte for byte, and the digests agree.

    Sends, resends, batches cut short, late duplicates and lost settles come in any order; nothing is settled early.
    """
    told = Story()
    for act in [*story, ("end",)]:
        told.act(act)
    vehicle, desk = told.vehicle, told.desk
    while vehicle.settled < len(vehicle.events):
        before = vehicle.settled
        for act in (("send", 20), ("begin",), ("end",), ("hear", True)):
            told.act(act)
        assert vehicle.settled > before
    told.act(("begin",))
    told.act(("end",))
    refused = [row for entry in desk.entries for row in entry.commit.refused]
    ended = sorted([(row.seq, row.body) for row in desk.stored] + [(row.seq or 0, row.body) for row in refused])
    assert list(enumerate(vehicle.events, 1)) == ended
    assert [row.id for row in desk.stored] == list(range(1, len(desk.stored) + 1))
    mark = desk.acceptor.committed.get(("veh-2", vehicle.stream, "status"))
    assert mark is None and not vehicle.events or mark is not None and mark.digest == vehicle.digests[-1]


def codec_code(raw: bytes) -> str:
    """The status code in an event's bytes."""
    event = codec.decode_event(raw)
    return str(getattr(event, "code", ""))
