"""The live feed: a snapshot, then what changed, on a fixed tick, encoded once however many listen."""

from cloud.feeds.feed import Feed
from cloud.feeds.listeners import Listeners

__all__ = ["Feed", "Listeners"]
