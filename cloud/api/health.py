"""Whether the service is whole, and its figures."""

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cloud.api.answers import Health
from cloud.api.schemas import answers, reply
from cloud.api.source import Site

_WELL = answers(Health, "All is well.")
_ANSWERS = _WELL | {503: _WELL[200] | {"description": "Something is wrong: see `trouble`."}}
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["operation"])
    registry = CollectorRegistry()
    registry.register(_Figures(site))

    @routes.get("/healthz", responses=_ANSWERS)
    async def healthz() -> Response:
        """200 where ingest hears the broker and both stores take commits; else 503, with what is wrong."""
        trouble = tuple(site.trouble())
        health = Health(
            ok=not trouble,
            trouble=trouble,
            units=len(site.ingest.directory.units),
            listeners=len(site.listeners),
            owner_term=site.ingest.owner_term,
            directory=site.ingest.directory.version,
        )
        return reply(health, 503 if trouble else 200)

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Figures in Prometheus's text format."""
        return Response(generate_latest(registry), media_type=_TEXT)

    return routes


class _Figures(Collector):
    """Reads the running parts' own counters at the moment of asking, so that nothing is counted twice."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Give every figure."""
        yield self._accepted()
        yield from self._commits()
        yield from self._gauges()

    def _accepted(self) -> Metric:
        counts = CounterMetricFamily(
            "watchroom_ingest", "What ingest took in, kept aside or refused, by outcome", labels=["outcome"]
        )
        for outcome, count in sorted(self._site.ingest.acceptor.counts.items()):
            counts.add_metric([outcome], count)
        return counts

    def _commits(self) -> Iterator[Metric]:
        commits = CounterMetricFamily("watchroom_commits", "Commits made, by store", labels=["store"])
        busy = CounterMetricFamily("watchroom_commit_seconds", "Time spent in commits, by store", labels=["store"])
        ingest = self._site.ingest
        for store, committer in (("ledger", ingest.status_committer), ("telemetry", ingest.track_committer)):
            commits.add_metric([store], committer.commits)
            busy.add_metric([store], committer.busy_s)
        yield commits
        yield busy

    def _gauges(self) -> Iterator[Metric]:
        ingest = self._site.ingest
        waiting = GaugeMetricFamily("watchroom_waiting", "Envelopes that wait for a commit, by lane", labels=["lane"])
        waiting.add_metric(["status"], len(ingest.acceptor.status))
        waiting.add_metric(["track"], len(ingest.acceptor.track))
        yield waiting
        units = GaugeMetricFamily("watchroom_units", "Units by confidence", labels=["confidence"])
        confidences = [record.confidence for record in self._site.feed.records(self._site.moment())]
        for confidence in ("confirmed", "unconfirmed", "contradicted", "never"):
            units.add_metric([confidence], confidences.count(confidence))
        yield units
        connected = ingest.subscriber is not None and ingest.subscriber.connected
        yield GaugeMetricFamily("watchroom_broker_connected", "1 where ingest hears the broker", value=int(connected))
        yield GaugeMetricFamily("watchroom_feed_listeners", "Clients on the feed", value=len(self._site.listeners))
