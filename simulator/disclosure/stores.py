"""What the stores of a made-up world hold, in memory: they answer as the ledger and telemetry do."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import msgspec

from cloud.desk.sharingwords import ACCESS, AGREEMENT, AgreementWord, word_row
from cloud.desk.withdrawals import withdrawals
from cloud.directory import Directory, InForce
from cloud.feeds import Decided
from cloud.ledger import CadCommit, CadSaid, CadTold, DecisionRow, DirectoryRow, Ledger
from cloud.ledger.cad import LoadedCad
from cloud.ledger.history import BoardLine
from cloud.memory.instants import encode_us
from cloud.memory.sharedpast import SharedPast
from cloud.telemetry import PositionRow
from simulator.disclosure.world import Lent, World
from wire.feed import FeedRecord


class State(NamedTuple):
    """What held from a tick on, until the next."""

    at: datetime
    directory: Directory
    off_duty: frozenset[str]
    withdrawn: frozenset[str]
    lent: tuple[Lent, ...]


class Stores:
    """Remembers a world, tick by tick."""

    def __init__(self, world: World) -> None:
        """Nothing was shown yet."""
        self._world = world
        self.states: list[State] = []
        self.boards: dict[datetime, tuple[FeedRecord, ...]] = {}
        """What was shown at each tick."""
        self._lines: dict[str, list[BoardLine]] = {unit: [] for unit in world.directory.units}
        self._directories: list[tuple[datetime, Directory]] = [(world.now.utc - timedelta(days=1), world.directory)]
        self._rows: list[DecisionRow] = []
        self._decided = Decided()
        world.on_directory.append(lambda _before, after: self._directories.append((world.now.utc, after)))

    def remember(self) -> None:
        """Keep what the board shows at a tick, and what holds."""
        world, now = self._world, self._world.now
        board = tuple(world.fleet.record(unit, 0, now.utc, now) for unit in world.directory.units)
        self.boards[now.utc] = board
        for record in board:
            body = b'{"record":%s}' % msgspec.json.encode(record)
            self._lines[record.unit].append((record.unit, encode_us(now.utc), "record", body))
        decided = world.decided
        self.states.append(
            State(now.utc, world.directory, frozenset(world.off_duty), decided.withdrawn, tuple(world.lent.values()))
        )

    def state_at(self, at: datetime) -> State:
        """Give what held at a moment: what the last tick by then found."""
        return next((state for state in reversed(self.states) if state.at <= at), self.states[0])

    def note_decided(self) -> None:
        """Write down what was decided since, with a name and a reason that only the owner may learn."""
        world, before = self._world, self._decided
        self._decided = after = world.decided
        for name in sorted(before.withdrawn ^ after.withdrawn):
            word = AgreementWord(
                agreement=name,
                withdrawn=name in after.withdrawn,
                by=world.mint.word("by "),
                reason=world.mint.word("why "),
                at=world.now.utc,
            )
            self._rows.append(word_row(AGREEMENT, name, word))
        self._rows += (word_row(ACCESS, one.id, one) for one in after.access if one not in before.access)

    def past(self, in_force: InForce) -> SharedPast:
        """Make what judges the past of this world."""
        return _Past(self.ledger, in_force, self)

    @property
    def ledger(self) -> Ledger:
        """Itself, to whatever reads a ledger."""
        return cast(Ledger, self)

    def directory_of(self, version: str) -> Directory:
        """Give a directory that was in force."""
        return next(one for _, one in self._directories if one.version == version)

    def decisions(self) -> list[DecisionRow]:
        """As the ledger does."""
        return [*self._rows, *self._world.loan_rows]

    def directory_at(self, at: datetime) -> DirectoryRow | None:
        """As the ledger does."""
        since, one = next((row for row in reversed(self._directories) if row[0] <= at), self._directories[0])
        return DirectoryRow(at=since, version=one.version, body=b"{}")

    def board_lines(self, units: Collection[str], _since: datetime, until: datetime) -> list[BoardLine]:
        """As the ledger does."""
        return [line for unit in units for line in self._lines[unit] if line[1] < encode_us(until)]

    def series(self, unit: str, since: datetime, until: datetime, limit: int) -> list[PositionRow]:
        """As telemetry does."""
        rows = (row for row in self._world.places if row.unit == unit and since <= row.corrected_at < until)
        return sorted(rows, key=lambda row: (row.corrected_at, row.seq))[:limit]

    def load_cad(self) -> LoadedCad:
        """As the ledger does: nobody was told anything."""
        return LoadedCad(newest={}, held=[])

    def cad_told(self, _organisation: str, _after: int, _limit: int) -> list[CadTold]:
        """As the ledger does."""
        return []

    def cad_said(self, _organisation: str, _ids: Sequence[str]) -> list[CadSaid]:
        """As the ledger does."""
        return []

    def commit_cad(self, _commit: CadCommit) -> None:
        """Keep nothing: it is of no use."""


class _Past(SharedPast):
    """Judges the past by directories that were never files."""

    def __init__(self, ledger: Ledger, in_force: InForce, stores: Stores) -> None:
        super().__init__(ledger, in_force, lambda: withdrawals(stores.decisions()))
        self._stores = stores

    def _make(self, row: DirectoryRow) -> Directory | None:
        return self._stores.directory_of(row.version)
