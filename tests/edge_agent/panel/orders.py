"""Orders as the panel is shown them."""

from edge_agent.clock import SystemClock
from edge_agent.panel.port import CalledCard, OrderCard, Standing, StepTick
from wire.events import Mode

STEPS = (
    StepTick(name="sounder:dorm-fire", label="Sounder, fire dormitory", outcome="done", elapsed_ms=180),
    StepTick(name="lights:dorm-fire", label="Lights, fire dormitory", outcome="done", elapsed_ms=210),
    StepTick(name="lights:bay", label="Lights, appliance bay", outcome="done", elapsed_ms=230),
    StepTick(name="cooker", label="Cooker off", outcome="failed", reason="cooker_fail", elapsed_ms=1_004),
    StepTick(name="door:bay-1", label="Door, bay 1", outcome="started"),
    StepTick(name="indicator:bay-1", label="Indicator, bay 1", outcome="waiting"),
)


def order(
    number: int = 1,
    *,
    acknowledged: bool = False,
    standing: Standing = "live",
    mode: Mode = "live",
    steps: tuple[StepTick, ...] = STEPS,
) -> OrderCard:
    """A house fire, for the fire unit of the station."""
    return OrderCard(
        order=f"00000000-0000-0000-0000-{number:012}",
        revision=1,
        standing=standing,
        mode=mode,
        incident=f"I{416 + number}  HOUSE FIRE",
        address="Flat 3, 17 Harbour Street, Whitstable CT5 1AB",
        grid_reference="TR 1064 6658",
        text="Persons reported. Smoke from first floor. Approach from Sea Wall, Harbour Street is blocked.",
        units=(CalledCard(unit="a14p1", callsign="A14P1", service="fire", acknowledged=acknowledged),),
        received_at=SystemClock().now(),
        elapsed_s=7.4,
        acknowledged=acknowledged,
        steps=steps,
    )
