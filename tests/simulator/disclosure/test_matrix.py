"""No organisation learns what nothing opens to it: a short form of the search through made-up worlds."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cloud.feeds import PartnerFeeds, Views
from simulator.disclosure.broker import Broker
from simulator.disclosure.doorway import Doorway, routes, run
from simulator.disclosure.endpoints import ENDPOINTS
from simulator.disclosure.facts import IDENTITY
from simulator.disclosure.knocks import Knocks
from simulator.disclosure.mutants import SHARING, search
from simulator.disclosure.oracle import allowed
from simulator.disclosure.play import Play, play
from simulator.disclosure.search import Reading, leaks_of, missing_of
from simulator.disclosure.stores import Stores
from simulator.disclosure.world import World
from simulator.mutants import ROOT, Mutation, apply_patch, broken_copy, copy_source, load_mutations

WORLDS = 25
MUTATIONS = load_mutations(SHARING)
QUICK = {"hidden-is-shown": 4, "kin-is-told": 8}
"""Caught within so many worlds."""
DEMANDED = frozenset(
    """
    any-owner any-partner no-owner hidden-is-shown begins-early never-ends withdrawn-holds covers-any-unit
    covers-any-type covers-any-base covers-any-capability any-incident-is-joint every-incident-is-major
    access-for-ever access-to-everybody fields-of-others mixed-position not-blurred heading-kept not-held-back
    all-reasons devices-named ages-of-reasons kin-is-told
    a-404-that-tells a-header-that-tells a-tag-that-tells found-by-what-is-closed
    track-not-blurred track-not-held-back replay-not-held-back sharper-of-two kin-of-the-past-is-told
    past-by-today past-by-then past-by-access hidden-today-is-shown off-duty-then-is-shown covert-then-is-shown
    withdrawn-then-opens loans-open-all-the-past agreements-of-all accesses-of-all loans-of-all figures-of-others
    places-of-covert-times mqtt-clear-forgotten mqtt-left-there cad-of-another cad-told-that-it-is-there
    """.split()
)
"""Each rule of sharing, by the patch that takes it away."""


def test_nothing_forbidden_is_in_any_body() -> None:
    """Every body that any organisation could read in these worlds is searched, and has nothing that it may not know."""
    verdicts = [play(seed) for seed in range(WORLDS)]
    assert [] == [told for verdict in verdicts for told in verdict.forbidden]
    assert all(verdict.bodies > 20 for verdict in verdicts)


def test_the_same_seed_is_the_same_world() -> None:
    """A world that failed can be lived through again."""
    assert play(7) == play(7)


def reading_of(world: World, partner: str) -> Reading:
    """What a partner may meet now."""
    found = allowed(world, partner)
    return Reading(now=found, ticked=found, ever=set(), moments=set())


def test_each_kind_of_value_is_found_where_it_should_not_be() -> None:
    """A word, a time, a number, a record and an emergency of a unit that nothing opens are each found in a body."""
    played = Play(3)
    played.live()
    world = played.world
    partner, fact = next(
        (name, fact)
        for name in world.organisations
        for fact in world.facts
        if fact.place is not None and fact.unit not in allowed(world, name).units
    )
    reading = reading_of(world, partner)
    word = next(iter(next(one.words for one in world.facts if (one.unit, one.grant) == (fact.unit, IDENTITY))))
    record = {"unit": fact.unit, "grants": [], "agreements": []}
    bodies: list[object] = [
        {"text": f"is {word}"},
        {"at": "2026-11-01T12:00:00.123Z"},
        {"lat": fact.numbers[0]},
        record,
        {"alarm": "x", "unit": fact.unit},
        {"gone": [fact.unit]},
    ]
    for body in bodies:
        assert list(leaks_of(world, reading, json.dumps(body, separators=(",", ":")).encode())), body
    assert [] == list(leaks_of(world, reading, b'{"text":"nothing"}'))


def test_a_view_that_lacks_a_unit_is_found() -> None:
    """Each sees exactly its share: a whole view without a unit that is opened is no whole view."""
    world = World(1)
    for partner in world.organisations:
        reading = reading_of(world, partner)
        assert len(reading.now.units) == len(list(missing_of(reading, b'{"records":[]}')))
        assert reading.now.units


def test_every_route_of_the_partners_port_is_asked() -> None:
    """Each route that answers a GET is asked in some world, but for the stream, which is listened to."""
    asked = set[str]()
    for seed in range(6):
        played = Play(seed)
        played.live()
        asked |= played.paths
    met = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in routes()}
    assert {"/v1/feed"} == {path for path, wanted in met.items() if not any(map(wanted.fullmatch, asked))}


def test_what_nothing_opens_is_found_at_the_door_and_at_the_broker() -> None:
    """Where the words of the agreements open nothing, and the product goes by others, both ways out are told of."""
    world = World(3)
    views = Views(world.fleet, world.directory, world.now)
    feeds = PartnerFeeds(views, epoch="epoch", tick_ms=200, now=world.now)
    stores, broker = Stores(world), Broker(world, feeds)
    knocks = Knocks(world, stores, Doorway(world, feeds, stores))
    feeds.tick(world.now, [])
    stores.remember()
    world.directory = msgspec.structs.replace(world.directory, agreements={})
    readings = {name: reading_of(world, name) for name in world.organisations}
    found = [told for name in world.organisations for told in run(knocks.knock(name, readings[name]))]
    assert {"lists", "unseen"} <= {told.partition(":")[0] for told in found}
    assert any("nothing opens it" in told for _, told in broker.search(readings))


def test_every_way_out_is_read() -> None:
    """The ways out are the rules by themselves, the stream from its begin, from the middle, and unit by unit."""
    assert {"rules", "snapshot", "since", "units"} <= {endpoint.name for endpoint in ENDPOINTS}


def test_the_command_tells_what_it_searched() -> None:
    """Its last line counts worlds, bodies and bytes, and what was forbidden."""
    command = [sys.executable, "-m", "simulator.disclosure.matrix", "--worlds", "4", "--jobs", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert (4, 0, []) == (found["worlds"], found["forbidden"], found["failed"])
    assert found["bytes"] > found["bodies"] > 100


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, require_program: Callable[[str], Path]) -> Path:
    """A copy of the source as it is. Patches are applied by git."""
    require_program("git")
    folder = tmp_path_factory.mktemp("sound")
    copy_source(ROOT, folder)
    return folder


def test_each_rule_is_taken_away_by_some_patch() -> None:
    """Every rule of sharing has a patch without it, and each patch says in a sentence what it breaks."""
    assert set() == DEMANDED - {one.name for one in MUTATIONS}
    assert all(one.breaks.endswith(".") and len(one.breaks) > 30 for one in MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_patch_fits(mutation: Mutation, sound: Path) -> None:
    """Each patch applies to the source as it is now."""
    apply_patch(mutation, sound, only_check=True)


@pytest.mark.parametrize("name", QUICK)
def test_a_rule_that_is_taken_away_is_missed(name: str, sound: Path) -> None:
    """A source without the rule lets something out, and the search finds it within a few worlds."""
    with broken_copy(sound, next(one for one in MUTATIONS if one.name == name)) as broken:
        assert search(broken, range(QUICK[name]), jobs=1) is not None
