"""What control believes, told to the devices that show it; told again where it was lost on its way. Time comes in."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from msgspec import UNSET, UnsetType

from cloud.directory import InForce
from cloud.fleet.basis import ModeSaid
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.ingest.work import Outgoing
from wire import codec, topics
from wire.messages import AcknowledgedEmergency, ClaimState, ShownStatus, State, UnitMode, Vitals

VALID_S = 86_400.0
EVERY_S = 3_600.0
"""A device that speaks is told the state again when it was last told longer ago than this: it must not run out."""
ARRIVES_S = 2.0
"""A device that was told the state longer ago than this, and holds an older one, is told again: its lamps would go on
blinking for a press that control shows."""


MODES_MAX = 20
"""How many modes a state holds."""


class States:
    """Which state each device was told, and when."""

    def __init__(self, in_force: InForce, fleet: Fleet, owner_term: int) -> None:
        """Nobody was told anything yet."""
        self._in_force, self._fleet, self._owner_term = in_force, fleet, owner_term
        self._version = 0
        self._told: dict[str, tuple[float, int]] = {}
        self.acknowledged: Callable[[str, Moment], Sequence[AcknowledgedEmergency]] = _none
        """Gives the emergencies of a device that people have in hand, as far as it is still to be told of them."""
        self.claims: Callable[[str, Moment], Sequence[ClaimState]] = _unclaimed
        """Gives what became of each unit that a device has claimed, the newest of each."""
        self.mode: Callable[[str], ModeSaid | None] = _live
        """Gives the mode that control has put a unit in."""

    def tell(self, devices: Iterable[str], now: Moment) -> Iterator[Outgoing]:
        """Tell each device of the directory what control believes of the units that are bound to it."""
        directory = self._in_force.directory
        valid_until = now.utc + timedelta(seconds=VALID_S)
        for device in devices:
            if device not in directory.devices:
                continue
            self._version += 1
            self._told[device] = (now.mono_s, self._version)
            units = directory.device_units(device)
            shown = [self._shown(unit.id) for unit in units]
            modes = [one for unit in units for one in self._modes(unit.id)][:MODES_MAX]
            state = State(
                v=1,
                owner_term=self._owner_term,
                version=self._version,
                valid_until=valid_until,
                units=[one for one in shown if one is not None],
                emergencies=list(self.acknowledged(device, now)) or UNSET,
                claims=list(self.claims(device, now)) or UNSET,
                modes=modes or UNSET,
            )
            org = directory.devices[device].organisation
            yield Outgoing(topics.down(org, device, "state"), codec.encode(state), retain=True)

    def lacks(self, vitals: Vitals, now: Moment) -> bool:
        """Tell whether a device should be told again: its state is old, or the last one was lost on its way."""
        told_s, version = self._told.get(vitals.device, (-math.inf, 0))
        held = vitals.state
        lost = not isinstance(held, UnsetType) and (held.owner_term, held.version) < (self._owner_term, version)
        return now.mono_s - told_s > (ARRIVES_S if lost else EVERY_S)

    def _modes(self, unit: str) -> Iterator[UnitMode]:
        """Give the mode of a unit, and what holds longer than it: the first that has not run out counts."""
        said = self.mode(unit)
        while said is not None and said.until is not None:
            yield UnitMode(unit=unit, mode=said.mode, until=said.until)
            said = said.then

    def _shown(self, unit: str) -> ShownStatus | None:
        head = self._fleet.standing(unit)
        if head is None:
            return None
        return ShownStatus(
            unit=unit,
            scheme=head.scheme,
            code=head.code,
            label=head.label,
            since=head.at,
            by=head.by,
            device=head.device,
            stream=head.stream,
            seq=head.seq,
        )


def _none(_device: str, _now: Moment) -> Sequence[AcknowledgedEmergency]:
    """Nobody has acknowledged any."""
    return ()


def _live(_unit: str) -> ModeSaid | None:
    """Control has put nobody in a mode."""
    return None


def _unclaimed(_device: str, _now: Moment) -> Sequence[ClaimState]:
    """Nobody has claimed any."""
    return ()
