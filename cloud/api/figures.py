"""The figures of every hop, in Prometheus's terms.

Read from the running parts' own counters at the moment of asking, so that nothing is counted twice. For operators:
no label names a device, a unit or a place. What an alert rests on is there from the start, at 0: Prometheus does not
see the first step of a counter that appears only with it.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cloud.api.census import Census
from cloud.api.source import Site
from cloud.durations import Durations
from cloud.fleet.health import LABELS
from wire.events import Queue
from wire.feed import AlarmKind, OrderAlarm, Phase
from wire.findings import Level
from wire.messages import Envelope

QUEUES: tuple[str, ...] = get_args(Queue)
PHASES: tuple[str, ...] = get_args(Phase)
ALARM_KINDS: tuple[str, ...] = get_args(AlarmKind)
KINDS = ("status", "history", "live", "heartbeat", "birth", "death")
OUTCOMES = (
    "messages",
    "duplicates",
    "replayed",
    "status_deferred",
    "track_deferred",
    "live_not_stored",
    "aside_not_kept",
)
_ELSEWHERE = ("forks", "streams", "lost_with_stream", "gone_status", "gone_track")
"""Counts that have a figure of their own."""
_REASONS = ("refused_", "aside_")
_MIB = 1024 * 1024


class Figures(Collector):
    """Everything that is counted, as of one moment."""

    def __init__(self, site: Site, census: Census) -> None:
        """Take the running parts, and what was counted of the devices."""
        self._site = site
        self._census = census

    def collect(self) -> Iterator[Metric]:
        """Give every figure, in the order in which an event passes."""
        counts = self._site.ingest.acceptor.counts
        yield from self._broker()
        yield from self._taken_in(counts)
        yield from _missing(counts)
        yield from self._commits()
        yield from self._lanes()
        yield from self._feed()
        yield from self._mqtt()
        yield from self._in_hand()
        yield from self._fleet()
        yield from self._devices()
        yield from self._process()

    def _broker(self) -> Iterator[Metric]:
        subscriber = self._site.ingest.subscriber
        yield _gauge(
            "broker_connected", "1 where ingest hears the broker", subscriber is not None and subscriber.connected
        )
        connections = subscriber.connections if subscriber is not None else 0
        yield _counter("broker_connections", "Connections to the broker that came to stand", connections)
        dropped = subscriber.dropped if subscriber is not None else 0
        yield _counter("broker_publishes_dropped", "Messages not sent: there was no broker to take them", dropped)
        now_s, heard_s = self._site.moment().mono_s, self._site.ingest.heard_s
        quiet_s = now_s - (self._site.process.started.mono_s if heard_s is None else heard_s)
        yield _gauge("heard_age_seconds", "Since anything came from any device, or since the start", quiet_s)

    def _taken_in(self, counts: Mapping[str, int]) -> Iterator[Metric]:
        heard: Counter[str] = Counter()
        for (kind, channel), count in self._site.ingest.acceptor.heard.items():
            heard[channel if kind is Envelope else kind.__name__.lower()] += count
        yield _counters("messages", "Messages taken in, by kind", "kind", {kind: heard[kind] for kind in KINDS})
        others = {name: count for name, count in counts.items() if not _is_elsewhere(name)}
        outcomes = dict.fromkeys(OUTCOMES, 0) | others
        yield _counters("ingest", "What came of messages, by outcome", "outcome", outcomes)
        refused, aside = (_by_reason(counts, prefix) for prefix in _REASONS)
        yield _counters("refused", "Events refused one by one, by reason", "reason", refused)
        yield _counters("set_aside", "Whole messages set aside, by reason", "reason", aside)

    def _commits(self) -> Iterator[Metric]:
        ingest = self._site.ingest
        stores = {"ledger": ingest.status_committer, "telemetry": ingest.track_committer}
        took = {store: committer.durations for store, committer in stores.items()}
        yield _histogram("commit_seconds", "How long a commit takes, by store", "store", took)
        failures = {store: committer.failures for store, committer in stores.items()}
        yield _counters("commit_failures", "Commits that a store did not take, by store", "store", failures)
        failing = {store: committer.failing for store, committer in stores.items()}
        yield _gauges("store_failing", "1 while a store does not take commits", "store", failing)

    def _lanes(self) -> Iterator[Metric]:
        ingest = self._site.ingest
        now_s = self._site.moment().mono_s
        status, track = ingest.acceptor.status, ingest.acceptor.track
        lengths = {"status": len(status), "track": len(track)}
        yield _gauges("waiting", "Envelopes that wait for a commit to begin, by lane", "lane", lengths)
        since = {
            "status": ingest.status_lane.committing_since_s or (status[0].received.mono_s if status else now_s),
            "track": ingest.track_lane.committing_since_s or (track[0].received.mono_s if track else now_s),
        }
        ages = {lane: now_s - since_s for lane, since_s in since.items()}
        yield _gauges("waiting_age_seconds", "Age of the oldest that is not yet committed, by lane", "lane", ages)
        text = "From receipt to settle, of the envelope in each commit that waited longest, by queue"
        yield _histogram("settle_seconds", text, "queue", ingest.status_lane.lags)

    def _feed(self) -> Iterator[Metric]:
        site = self._site
        yield _histogram("feed_tick_lag_seconds", "How late the feed speaks", "", {"": site.process.tick_lags})
        yield _gauge("feed_listeners", "Clients on the feed", len(site.listeners))
        yield _counter("feed_listeners_let_go", "Clients that did not keep up", site.listeners.let_go)

    def _mqtt(self) -> Iterator[Metric]:
        out = self._site.mqtt
        yield _gauge("partner_mqtt_connected", "1 where partners' views can be published over MQTT", out.connected)
        yield _gauge("partner_mqtt_due", "Messages to partners over MQTT that are due", out.due)
        yield _counter("partner_mqtt_published", "Messages to partners over MQTT that the broker took", out.published)
        yield _counter("partner_mqtt_cleared", "Views that ended, or should not have been there", out.cleared)

    def _in_hand(self) -> Iterator[Metric]:
        """What asks for a person: the undelivered is counted while its alarm stands and nobody has it in hand."""
        orders = self._site.desk.active()
        phases = dict.fromkeys(PHASES, 0) | Counter(order.phase for order in orders)
        yield _gauges("orders", "Orders in hand, by phase", "phase", phases)
        undelivered = {one.order for one in orders for alarm in one.alarms if _asks_for_delivery(alarm)}
        yield _gauge("orders_undelivered", "Orders that have not reached whom they alert", len(undelivered))
        kinds: Counter[str] = Counter(one.kind for one in self._site.alarms.active() if one.acknowledged_by is None)
        text = "Active alarms that nobody has in hand, by kind"
        yield _gauges("alarms_unacknowledged", text, "kind", dict.fromkeys(ALARM_KINDS, 0) | kinds)

    def _fleet(self) -> Iterator[Metric]:
        yield _gauges("units", "Units by confidence, as last shown", "confidence", self._census.units)
        yield _gauges("devices", "Devices by freshness", "freshness", self._census.devices)

    def _devices(self) -> Iterator[Metric]:
        census = self._census
        yield _gauge("devices_with_faults", "Devices heard now that report a fault", census.with_faults)
        yield _device_health(census)
        waiting = {queue: census.waiting[queue] for queue in QUEUES}
        yield _gauges("outbox_waiting", "Events unsettled on all devices heard now, by queue", "queue", waiting)
        text = "Events unsettled on the device heard now that holds most, by queue"
        yield _gauges("outbox_waiting_max", text, "queue", census.waiting_max)
        text = "Age of the oldest unsettled status on any device heard now"
        yield _gauge("outbox_oldest_seconds", text, census.oldest_status_s)
        if census.disk_free_min_mib is not None:
            text = "Free disk of the device heard now that has least"
            yield _gauge("device_disk_free_min_bytes", text, census.disk_free_min_mib * _MIB)

    def _process(self) -> Iterator[Metric]:
        process = self._site.process
        yield _histogram("loop_lag_seconds", "How late the event loop runs a task", "", {"": process.loop_lags})
        disk = shutil.disk_usage(process.data)
        yield _gauge("disk_free_bytes", "Free room on the disk of the data folder", disk.free)
        yield _gauge("disk_size_bytes", "Size of the disk of the data folder", disk.total)
        yield _gauge("owner_term", "Of this ingest", self._site.ingest.owner_term)
        yield _gauge("start_time_seconds", "When it started, in Unix seconds", process.started.utc.timestamp())
        yield _gauges("info", "1, with the version that runs", "version", {version("watchroom"): 1})


def _device_health(census: Census) -> Metric:
    """Every part and level is there from the start: the labels are ours, whatever a device calls its parts."""
    text = "Devices heard now, by what each found of a part"
    family = GaugeMetricFamily("watchroom_device_health", text, labels=["part", "level"])
    for part in LABELS:
        for level in get_args(Level):
            family.add_metric([part, level], float(census.parts[part, level]))
    return family


def _missing(counts: Mapping[str, int]) -> Iterator[Metric]:
    """What a device named and never delivered, or delivered twice with other bytes: each is an alarm."""
    gone = {queue: counts.get(f"gone_{queue}", 0) for queue in QUEUES}
    yield _counters("gone", "Events that a device no longer held, by queue", "queue", gone)
    text = "Statuses that a replaced stream had named and nobody delivered"
    yield _counter("lost_with_stream", text, counts.get("lost_with_stream", 0))
    yield _counter("forks", "Envelopes with other bytes under a known sequence", counts.get("forks", 0))
    yield _counter("streams", "Streams not known before", counts.get("streams", 0))


def _asks_for_delivery(alarm: OrderAlarm) -> bool:
    return alarm.code == "undelivered" and not alarm.cleared


def _is_elsewhere(name: str) -> bool:
    return name in _ELSEWHERE or (name.startswith(_REASONS) and name not in OUTCOMES)


def _by_reason(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): count
        for name, count in sorted(counts.items())
        if name.startswith(prefix) and name not in OUTCOMES
    }


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"watchroom_{name}", text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"watchroom_{name}", text, value=float(value))


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"watchroom_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family


def _counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"watchroom_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family


def _histogram(name: str, text: str, label: str, values: Mapping[str, Durations]) -> Metric:
    """Make a histogram for each value of a label; an empty label is none."""
    family = HistogramMetricFamily(f"watchroom_{name}", text, labels=[label] if label else [])
    for key, durations in values.items():
        family.add_metric([key] if label else [], durations.buckets(), durations.sum_s)
    return family
