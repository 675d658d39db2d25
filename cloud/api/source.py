"""What the routes read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cloud.api.map import Basemap
from cloud.desk import Alarms, Bindings, Desk, Modes
from cloud.directory import Reloader
from cloud.durations import Durations
from cloud.feeds import Feed, Listeners, PartnerFeeds
from cloud.fleet.clocks import Moment
from cloud.ingest.ingest import Ingest
from cloud.ledger import Ledger
from cloud.memory.counting import Counting
from cloud.memory.past import Past
from cloud.memory.recorder import Recorder
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
    ingest: Ingest
    desk: Desk
    alarms: Alarms
    modes: Modes
    bindings: Bindings
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
