"""The live feed: a snapshot, then what changed, on a fixed tick; this room's own, and each partner's."""

from cloud.feeds.cad import CadStreams
from cloud.feeds.cadlink import CadLink
from cloud.feeds.feed import Feed
from cloud.feeds.listeners import Listeners
from cloud.feeds.mqttlink import MqttLink
from cloud.feeds.mqttout import MqttOut
from cloud.feeds.partnerfeeds import PartnerFeeds
from cloud.feeds.views import Decided, Views

__all__ = ["CadLink", "CadStreams", "Decided", "Feed", "Listeners", "MqttLink", "MqttOut", "PartnerFeeds", "Views"]
