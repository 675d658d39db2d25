"""The page of devices, served by the cloud's own routes over a fleet that was heard, without a broker."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fastapi import APIRouter

from cloud.api.fleethealth import device_routes
from tests.browser.feed_source import FeedSource
from tests.cloud.api.heard_fleet import HeardFleet


@dataclass(kw_only=True)
class DeviceSource(FeedSource):
    """A cloud that hears devices."""

    heard: HeardFleet = field(default_factory=HeardFleet)

    def routers(self) -> Iterable[APIRouter]:
        """The routes of devices."""
        surveyor = self.heard.surveyor()
        return [device_routes(lambda: surveyor)]
