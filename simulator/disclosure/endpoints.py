"""Where an organisation can read, as functions of a world: each gives the bytes that one partner would get now.

These are made by the parts that make the bytes, as often as something happens. The partners' port as a whole, with the
past and its errors, is asked by `knocks`, and what is published over MQTT is searched by `broker`.

Add a function to `ENDPOINTS` for each further way out. `whole` says that every unit which is opened must be in there.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, get_args

import msgspec

from cloud.api.pages import Format, encode_page
from cloud.directory.sharing import shared_unit
from cloud.feeds.partnerfeeds import PartnerFeeds
from cloud.sharing.grants import grants_of
from cloud.sharing.view import view
from simulator.disclosure.world import World
from wire.partner import PartnerUnits


class Served(NamedTuple):
    """What a world is read through."""

    world: World
    feeds: PartnerFeeds


class Endpoint(NamedTuple):
    """One way out."""

    name: str
    read: Callable[[Served, str], Iterable[bytes]]
    whole: bool = False
    settled: bool = False
    """Whether it is to be read only after a tick: it goes by what held then."""


def read_snapshot(served: Served, partner: str) -> Iterable[bytes]:
    """What somebody gets who connects to the stream."""
    feed = served.feeds.feed(partner)
    return [b"".join(feed.snapshot(served.world.now))] if feed is not None else []


def read_since(served: Served, partner: str) -> Iterable[bytes]:
    """What somebody gets who comes back to the stream, from its begin and from the middle."""
    feed = served.feeds.feed(partner)
    assert feed is not None
    cursors = {0, feed.cursor // 2}
    return [b"".join(feed.since(f"epoch-{cursor}", served.world.now)) for cursor in sorted(cursors)]


def read_units(served: Served, partner: str) -> Iterable[bytes]:
    """What is asked for unit by unit, hidden ones too."""
    now, views = served.world.now, served.feeds.views
    for unit in served.world.directory.units:
        shown = views.record(partner, unit, now)
        if shown is not None:
            yield from map(bytes, served.feeds.encode([shown], now))


def read_pages(served: Served, partner: str) -> Iterable[bytes]:
    """What is asked for in pages, in each format."""
    now, feeds = served.world.now, served.feeds
    shown = list(feeds.checked(feeds.views.records(partner, now)))
    page = PartnerUnits(at=now.utc, cursor=0, units=tuple(one.record for one in shown))
    kinds: tuple[Format, ...] = get_args(Format)
    return [encode_page(page, kind, "example.org") for kind in kinds]


def read_rules(served: Served, partner: str) -> Iterable[bytes]:
    """What the rules give by themselves of every unit, handed all agreements; nothing is known of positions before."""
    world, views = served.world, served.feeds.views
    situation = views.situation(world.now)
    opened = {}
    for unit in world.directory.units.values():
        incident = world.incident.get(unit.id, "")
        shared = shared_unit(unit, private=world.fleet.private(unit.id), incident=incident)
        grants = grants_of(shared, partner, views.agreements(), situation)
        if grants is not None:
            opened[unit.id] = grants
    for unit_id, grants in opened.items():
        record = world.fleet.record_among(unit_id, world.now.utc, world.now, opened)
        yield msgspec.json.encode(view(record, grants, world.now.utc))


ENDPOINTS = [
    Endpoint("rules", read_rules, settled=True),
    Endpoint("snapshot", read_snapshot, whole=True),
    Endpoint("since", read_since),
    Endpoint("units", read_units),
    Endpoint("pages", read_pages, settled=True),
]
