"""Every partner's feed, each with its own cursor and listeners."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from cloud.feeds.encoder import Encoder
from cloud.feeds.listeners import Listeners
from cloud.feeds.partnerfeed import Emergencies, PartnerFeed, Sources
from cloud.feeds.views import Shown, Update, Views
from cloud.fleet.clocks import Moment
from wire.feed import AlarmView, FeedRecord

_NOTHING = Update((), ())


class PartnerFeeds:
    """Every partner's feed, and who listens to it. One owner, one event loop."""

    def __init__(self, views: Views, *, epoch: str, tick_ms: int, now: Moment) -> None:
        """Begin an epoch with a feed for each partner that there is."""
        self.views = views
        self._sources = Sources(views, Encoder(), Emergencies(), epoch, tick_ms)
        self._feeds: dict[str, PartnerFeed] = {}
        self._listeners: dict[str, Listeners] = {}
        self._onlookers: dict[str, Listeners] = {}
        self.on_update: list[Callable[[Moment, Mapping[str, Update]], None]] = []
        """Are told at each tick what changed for whom."""
        self._meet(now)
        self.ticked = now
        """When it last spoke, or was about to."""

    @property
    def held_back(self) -> int:
        """Records that would have told what no agreement opens, and that did not leave. Never any, but for a fault."""
        return self._sources.encoder.held_back

    @property
    def trouble(self) -> list[str]:
        """What is wrong, one line each; empty where all is well."""
        if not self.held_back:
            return []
        return [f"{self.held_back} records were held back that told a partner more than any agreement opens: report it"]

    def feed(self, partner: str) -> PartnerFeed | None:
        """Give a partner's feed; None where there is no such partner."""
        return self._feeds.get(partner)

    def listeners(self, partner: str) -> Listeners:
        """Give who listens to a partner's feed. Raises KeyError where there is no such partner."""
        return self._listeners[partner]

    def onlookers(self, partner: str) -> Listeners:
        """Give who looks on while a partner's feed is told: its owners. Raises KeyError as `listeners` does."""
        return self._onlookers[partner]

    def encode(self, shown: Iterable[Shown], now: Moment) -> tuple[msgspec.Raw, ...]:
        """Encode records for one partner, without those that tell more than their grants open."""
        return self._sources.encoder.encode(shown, now)

    def checked(self, shown: Iterable[Shown]) -> Iterator[Shown]:
        """Give records for one partner, for another format, without those that tell more than their grants open."""
        return self._sources.encoder.checked(shown)

    def tick(self, now: Moment, changed: Iterable[FeedRecord]) -> None:
        """Judge what changed, and speak to everybody who listens. A partner that is none any more is cut off."""
        updates = self.views.update(now, {record.unit: record for record in changed})
        self._meet(now)
        self.ticked = now
        for partner, feed in self._feeds.items():
            event = feed.tick(now, updates.get(partner, _NOTHING))
            if event is not None:
                self._send(partner, event)
        for told in self.on_update:
            told(now, updates)

    def show_alarms(self, alarms: Iterable[AlarmView], now: Moment) -> None:
        """Tell emergencies that changed, at once, to those who may see them."""
        emergencies = self._sources.emergencies.note(alarms)
        for partner, feed in self._feeds.items() if emergencies else ():
            event = feed.show_alarms(emergencies, now)
            if event is not None:
                self._send(partner, event)

    def close(self) -> None:
        """End every stream."""
        for listeners in (*self._listeners.values(), *self._onlookers.values()):
            listeners.close()

    def _send(self, partner: str, event: bytes) -> None:
        self._listeners[partner].send(event)
        self._onlookers[partner].send(event)

    def _meet(self, now: Moment) -> None:
        """Begin with partners that are new, and cut off those that are none any more."""
        for partner in [name for name in self._feeds if name not in self.views.partners]:
            del self._feeds[partner]
            self._listeners.pop(partner).close()
            self._onlookers.pop(partner).close()
        for partner in self.views.partners:
            if partner not in self._feeds:
                self._feeds[partner] = PartnerFeed(partner, self._sources, now)
                self._listeners[partner], self._onlookers[partner] = Listeners(), Listeners()
