"""What the routes read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cloud.api.cad import CadSite
from cloud.api.map import Basemap
from cloud.desk import Alarms, Bindings, Covering, Desk, Lending, Modes, Sharing
from cloud.directory import Reloader
from cloud.durations import Durations
from cloud.feeds import Feed, Listeners, MqttOut, PartnerFeeds
from cloud.fleet.clocks import Moment
from cloud.ingest.ingest import Ingest
from cloud.ledger import Ledger
from cloud.memory.counting import Counting
from cloud.memory.past import Past
from cloud.memory.reads import Reads
from cloud.memory.recorder import Recorder
from cloud.memory.sharedpast import SharedPast
from cloud.telemetry import Telemetry


@dataclass(frozen=True, kw_only=True)
class Process:
    """How the process itself fares."""

    started: Moment
    data: Path
    """The folder on whose disk everything is kept."""
    tick_lags: Durations
    """How long after its slot the feed spoke."""
    loop_lags: Durations
    """How long after its time a task of the event loop ran."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """The running parts."""

    feed: Feed
    listeners: Listeners
    partners: PartnerFeeds
    """Every partner's view and feed."""
    mqtt: MqttOut
    """What is published of them over MQTT."""
    ingest: Ingest
    desk: Desk
    alarms: Alarms
    modes: Modes
    bindings: Bindings
    sharing: Sharing
    lending: Lending
    covering: Covering
    reads: Reads
    """Who saw which unit."""
    shared_past: SharedPast
    """What a partner may see of the past."""
    cad: CadSite
    """What command and control systems say, and are told."""
    reloader: Reloader
    recorder: Recorder
    past: Past
    counting: Counting
    ledger: Ledger
    telemetry: Telemetry
    process: Process
    basemap: Basemap | None
    """The site's own map; None for the outline of the land alone."""
    moment: Callable[[], Moment]
    look: Callable[[Moment], None]
    """Looks, after each tick, whether many units fell silent together."""
    trouble: Callable[[], list[str]]
    """What is wrong now, one line each; empty where all is well."""
