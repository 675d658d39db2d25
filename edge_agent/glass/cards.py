"""What the touch page shows of units and orders, made of what the agent knows of them. Pure."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import msgspec

from edge_agent.config import UnitEntry
from edge_agent.outbox.notebook import Notes
from edge_agent.panel.icons import icon_of
from edge_agent.panel.port import (
    CalledCard,
    Control,
    OpenDefect,
    OrderCard,
    PanelPage,
    ShownToCrew,
    StatusButton,
    StepTick,
    UnitCard,
)
from edge_agent.state.lamps import Lamp
from edge_agent.state.swap import Stage
from edge_agent.turnout import OrderShown
from wire.events import Mode, Service
from wire.messages import CalledUnit, ShownStatus
from wire.scheme import Code

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lamp_name(unit: str, code: str) -> str:
    """Name the lamp of a status button on the glass, among all lamps of the device."""
    return f"{unit}:{code}"


def service_of(unit: UnitEntry) -> Service:
    """Tell a unit's service: as written, or as its scheme's name says it; fire where neither does."""
    if unit.service is not None:
        return unit.service
    if "police" in unit.scheme:
        return "police"
    return "ambulance" if "ambulance" in unit.scheme else "fire"


def called_of(order: OrderShown, services: Collection[Service]) -> list[CalledUnit]:
    """The units that an order calls of these services."""
    return [unit for unit in order.units if unit.service in services]


def label_of(step: str) -> str:
    """Say a step in a person's words: `sounder:dorm-fire` is "Sounder dorm fire"."""
    return step.replace(":", " ").replace("-", " ").replace("_", " ").capitalize()


class UnitStands(msgspec.Struct, frozen=True, kw_only=True):
    """How one unit stands."""

    real: str
    """The unit that is pressed for on its card: the one that the vehicle carries."""
    callsign: str
    carried: Stage = "own"
    by: str = ""
    shown: ShownStatus | None
    """By control's newest state; None where that is unknown, or ran out."""
    overruled: bool
    mode: Mode
    notes: Notes
    rows: tuple[Code, ...]
    """The codes that its card offers."""
    lamps: Mapping[str, Lamp]


def unit_card(unit: UnitEntry, stands: UnitStands) -> UnitCard:
    """Make a unit's card."""
    shown, crew = stands.shown, stands.notes.crews.get(stands.real)
    return UnitCard(
        unit=unit.id,
        callsign=stands.callsign,
        service=service_of(unit),
        vehicle=unit.vehicle or "",
        shown=ShownToCrew(code=shown.code, label=shown.label, since=shown.since) if shown else None,
        overruled=stands.overruled,
        crewed=crew is not None,
        riders=crew.riders if crew else None,
        minimum=unit.minimum,
        commander=crew.commander if crew else "",
        defects=tuple(
            OpenDefect(what=one.what, off_the_run=one.off_the_run, text=one.text)
            for one in stands.notes.defects.get(stands.real, ())
        ),
        mode=stands.mode,
        carried=stands.carried,
        by=stands.by,
        buttons=tuple(
            StatusButton(
                code=row.code,
                label=row.label,
                icon=icon_of(row),
                lamp=stands.lamps.get(lamp_name(unit.id, row.code), "dark"),
            )
            for row in stands.rows
        ),
    )


def mode_of_all(cards: Collection[UnitCard]) -> Mode:
    """Give the mode that all units are in; live where they are not in the same."""
    modes = {card.mode for card in cards}
    return modes.pop() if len(modes) == 1 else "live"


def order_card(
    one: OrderShown, called: Collection[CalledUnit], *, now_s: float, turned_out_s: float | None
) -> OrderCard:
    """Make an order's card. `called` are its units that this panel may show."""
    particulars = one.particulars
    return OrderCard(
        order=one.order,
        revision=one.revision,
        local=particulars.by_hand,
        standing=one.standing,
        kind="standby_move" if one.action == "standby_move" else "mobilise",
        mode=one.mode,
        incident=particulars.incident,
        address=particulars.address,
        grid_reference=particulars.grid_reference,
        text=particulars.text,
        units=tuple(_called_card(unit, one.acknowledged) for unit in called),
        received_at=one.received_at,
        elapsed_s=round(max(0.0, now_s - one.received_s), 1),
        turned_out_s=turned_out_s,
        acknowledged=bool(one.acknowledged),
        steps=tuple(
            StepTick(
                name=step.name,
                label=label_of(step.name),
                outcome=step.outcome or "waiting",
                reason=step.reason,
                elapsed_ms=None if step.outcome is None else step.elapsed_ms,
            )
            for step in one.steps
        ),
    )


def _called_card(unit: CalledUnit, acknowledged: frozenset[str]) -> CalledCard:
    """An empty text among `acknowledged` stands for all units."""
    taken_in = bool({"", unit.unit} & acknowledged)
    return CalledCard(unit=unit.unit, callsign=unit.callsign, service=unit.service, acknowledged=taken_in)


def still(page: PanelPage) -> PanelPage:
    """The page without what counts on by itself."""
    return msgspec.structs.replace(
        page,
        version=0,
        at=_EPOCH,
        control=Control(seen=page.control.seen, answer_age_s=None),
        oldest_unsent_s=None if page.oldest_unsent_s is None else 0.0,
        orders=tuple(msgspec.structs.replace(one, elapsed_s=0.0, received_at=_EPOCH) for one in page.orders),
    )
