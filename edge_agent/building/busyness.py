"""What the agent knows that decides whether its device may be updated now, gathered for `state/busy.py`."""

from collections.abc import Mapping

from edge_agent.building.account import Told
from edge_agent.config import Config
from edge_agent.state.busy import Seen, Sensors, why_busy
from wire.scheme import Code, Scheme


class Busyness:
    """Why the device must not be updated, restarted or reset now."""

    def __init__(self, config: Config) -> None:
        """Nothing was declared yet."""
        self._config = config
        inputs = config.inputs.names if config.inputs is not None else ()
        self._sensors = Sensors(
            receiver=config.gpsd is not None, inputs=inputs, parked_speed_mps=config.report.parked_speed_mps
        )
        self._declared: dict[str, Code | None] = {}

    def note(self, unit: str, *, scheme: str, code: str) -> None:
        """Take in the status that a unit has by this device's last word."""
        self._declared[unit] = _row(self._config.schemes, scheme, code)

    def why(self, told: Told, now_s: float) -> tuple[str, ...]:
        """Give each reason, in words; none where the device may be updated."""
        return why_busy(self._sensors, self._see(told, now_s))

    def _see(self, told: Told, now_s: float) -> Seen:
        vehicle, building = told.vehicle(), told.building
        emergency = building.emergency
        return Seen(
            fix=vehicle.fix,
            fix_age_s=now_s - vehicle.fix_s,
            inputs=vehicle.inputs,
            statuses={unit: self._statuses(told, unit) for unit in building.units},
            orders=len(building.turnout.view),
            emergency=told.keeper.emergency != 0 or (emergency is not None and emergency.lamp != "dark"),
            unsettled=told.keeper.depth.status,
        )

    def _statuses(self, told: Told, unit: str) -> tuple[Code | None, ...]:
        """What was declared here, and what control shows: either may be the newer word."""
        shown = told.lamps.control_shows(unit)
        control = () if shown is None else (_row(self._config.schemes, shown.scheme, shown.code),)
        return (*((self._declared[unit],) if unit in self._declared else ()), *control)


def _row(schemes: Mapping[str, Scheme], scheme: str, code: str) -> Code | None:
    """Give what a status says; None where this device knows no such scheme or code."""
    known = schemes.get(scheme)
    return known.code(code) if known is not None else None
