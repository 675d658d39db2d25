"""The live feed: a snapshot, then what changed, on a fixed tick; this room's own, and each partner's."""

from cloud.feeds.feed import Feed
from cloud.feeds.listeners import Listeners
from cloud.feeds.partnerfeeds import PartnerFeeds
from cloud.feeds.views import Decided, Views

__all__ = ["Decided", "Feed", "Listeners", "PartnerFeeds", "Views"]
