"""Any sequence of operations leaves a file just as a list would be."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge_agent.outbox import OutboxFile
from tests.edge_agent.outbox.lab import ENROLMENT, chain, genesis, place, press
from wire.events import Queue

queues = st.sampled_from(("status", "track"))


class OutboxModel(RuleBasedStateMachine):
    """The model: per queue every event ever appended, and how many of them are gone."""

    def __init__(self) -> None:
        """Begin with a fresh file."""
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._file = OutboxFile(Path(self._folder.name) / "outbox.db", ENROLMENT)
        self._stream, self._boot = self._file.stream, 1
        self._appended: dict[Queue, list[bytes]] = {"status": [], "track": []}
        self._gone: dict[Queue, int] = {"status": 0, "track": 0}
        self._current: tuple[str, int] | None = None

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._folder.cleanup()

    @rule(codes=st.lists(st.sampled_from("ABC"), max_size=4), standing=st.booleans())
    def append_presses(self, codes: list[str], standing: bool) -> None:
        """Press a few times."""
        stored = self._file.append("status", [press(code) for code in codes], standing)
        self._appended["status"] += [one.raw for one in stored]
        if standing and codes:
            self._current = (codes[-1], len(self._appended["status"]))

    @rule(rows=st.integers(0, 40))
    def append_track(self, rows: int) -> None:
        """Drive on."""
        self._appended["track"] += [one.raw for one in self._file.append("track", [place()] * rows)]

    @rule(queue=queues, ahead=st.integers(-3, 30), honest=st.booleans())
    def settle(self, queue: Queue, ahead: int, honest: bool) -> None:
        """Hear of any sequence about here, with the right digest or another one."""
        through = max(0, self._gone[queue] + ahead)
        given = len(self._appended[queue])
        digest = self._digest(queue, through) if honest else bytes(32)
        expected = "deleted" if honest else "mismatch"
        expected = "ignored" if through <= self._gone[queue] else "ahead" if through > given else expected
        assert expected == self._file.settle(queue, self._stream, through, digest)
        if expected == "deleted":
            self._gone[queue] = through

    @rule(queue=queues, through=st.integers(1, 40))
    def settle_of_another_stream(self, queue: Queue, through: int) -> None:
        """Hear of somebody else's events."""
        assert "ignored" == self._file.settle(queue, "other", through, self._digest(queue, through))

    @rule(rows_max=st.integers(0, 30))
    def evict(self, rows_max: int) -> None:
        """Run out of room."""
        excess = max(0, len(self._appended["track"]) - self._gone["track"] - rows_max)
        assert excess == self._file.evict(rows_max)
        self._gone["track"] += excess

    @rule(shrunk=st.booleans())
    def reopen(self, shrunk: bool) -> None:
        """Restart."""
        if shrunk:
            self._file.shrink()
        self._file.close()
        self._file = OutboxFile(self._file.path, ENROLMENT)
        self._boot += 1

    @rule(queue=queues, events_max=st.integers(1, 20))
    def batch(self, queue: Queue, events_max: int) -> None:
        """Send."""
        held = self._appended[queue][self._gone[queue] :]
        batch = self._file.batch(queue, events_max)
        if not held:
            assert batch is None
            return
        assert batch is not None and 0 < len(batch.events) <= events_max
        assert self._gone[queue] + 1 == batch.first_held
        assert tuple(held[: len(batch.events)]) == batch.events
        assert self._digest(queue, self._gone[queue]) == batch.base_digest

    @precondition(lambda self: self._current is not None)
    @invariant()
    def current_is_the_last_press(self) -> None:
        """The last standing press is current."""
        assert self._current is not None
        assert [self._current] == [(one.code, one.seq) for one in self._file.current()]

    @invariant()
    def counts_agree(self) -> None:
        """Depths, ends, stream and boot are those of the model."""
        depth = self._file.depth()
        for queue, held in (("status", depth.status), ("track", depth.track)):
            name: Queue = "status" if queue == "status" else "track"
            assert held == len(self._appended[name]) - self._gone[name]
            assert self._file.last_seq(name) == len(self._appended[name])
            assert self._file.first_held(name) == self._gone[name] + 1
        assert (self._stream, self._boot) == (self._file.stream, self._file.boot)

    def _digest(self, queue: Queue, through: int) -> bytes:
        return chain(genesis(self._stream, queue), self._appended[queue][:through])


TestOutboxFile = OutboxModel.TestCase
TestOutboxFile.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
