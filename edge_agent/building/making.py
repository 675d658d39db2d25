"""Makes the vehicle's state and the way to control, as they are configured."""

from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.link import Address, Connect, Link
from edge_agent.outbox import OutboxKeeper
from edge_agent.state.debounce import Debounce
from edge_agent.state.delivery import DeliveryRules
from edge_agent.state.reporting import ReportRules
from edge_agent.state.vehicle import Vehicle


def make_vehicle(config: Config) -> Vehicle:
    """Make the vehicle's state, by its configured rules, with nothing known yet."""
    report = config.report
    rules = ReportRules(
        moving_s=report.moving_s,
        parked_s=report.parked_s,
        turn_deg=report.turn_deg,
        distance_m=report.distance_m,
        parked_speed_mps=report.parked_speed_mps,
        parked_hold_m=report.parked_hold_m,
        every_fix=report.every_fix,
    )
    debounce_s = config.panel.debounce_ms / 1000 if config.panel else 0.03
    return Vehicle(rules=rules, debounce=Debounce(debounce_s))


def make_link(config: Config, keeper: OutboxKeeper, clock: Clock, connect: Connect) -> Link:
    """Make the way to control over an outbox. Nothing connects before it runs."""
    address = Address(
        host=config.link.host,
        port=config.link.port,
        keepalive_s=config.link.keepalive_s,
        organisation=config.device.organisation,
        device=config.device.id,
    )
    rules = DeliveryRules(heartbeat_s=config.link.heartbeat_s, settle_timeout_s=config.link.settle_timeout_s)
    return Link(address, rules, keeper=keeper, clock=clock, connect=connect)
