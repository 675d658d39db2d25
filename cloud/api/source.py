"""What the routes read."""

from collections.abc import Callable
from dataclasses import dataclass

from cloud.feeds import Feed, Listeners
from cloud.fleet.clocks import Moment
from cloud.ingest.ingest import Ingest
from cloud.ledger import Ledger
from cloud.telemetry import Telemetry


@dataclass(frozen=True, kw_only=True)
class Site:
    """The running parts."""

    feed: Feed
    listeners: Listeners
    ingest: Ingest
    ledger: Ledger
    telemetry: Telemetry
    moment: Callable[[], Moment]
    trouble: Callable[[], list[str]]
    """What is wrong now, one line each; empty where all is well."""
