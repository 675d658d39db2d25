"""What holds of every judgement, whatever was said: it only goes down, names its sources, and knows when it changes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from cloud.fleet.assess import assess
from cloud.fleet.basis import CONTROL, Assessment, Basis, CrewSaid, DefectSaid, InputSaid, Mate, ModeSaid, Needs, Spot
from cloud.fleet.findings import RANK
from cloud.fleet.heads import Head, stand
from tests.cloud.fleet.situation import CARRIER, NOW, head_of, schemes
from wire.feed import Activity, Assignment, AvailabilityClass, ClaimView, Confidence

DOWN: dict[Confidence, int] = {"confirmed": 0, "unconfirmed": 1, "contradicted": 2, "never": 3}
CLASSES: tuple[AvailabilityClass, ...] = ("Available", "ConditionallyAvailable", "NotAvailable")
ACTIVITIES: tuple[Activity | None, ...] = (None, "free", "assigned", "mobile", "on_scene", "rest", "out_of_service")
CODES = [(name, row) for name, scheme in schemes().items() for row in scheme.codes if not row.event]

seconds = st.sampled_from([-5000, -90, -59, -31, -30, -29, -2, 0, 2, 1795, 3600])
moments = seconds.map(lambda s: NOW + timedelta(seconds=s))
maybe_moments = st.none() | moments
skills = st.sampled_from([(), (("ba", 1),), (("ba", 2),), (("ba", 1), ("oic", 1))])


@st.composite
def _heads(draw: st.DrawFn) -> tuple[Head, ...]:
    scheme = draw(st.sampled_from(sorted(schemes())))
    rows = st.sampled_from([row for name, row in CODES if name == scheme])
    devices = draw(st.lists(st.sampled_from([CARRIER, "desk", CONTROL]), unique=True, max_size=2))
    return tuple(
        head_of(draw(rows), scheme, device, draw(st.sampled_from([-60, 0, 2, 3, 61, 5000])), by=draw(_bys), proven=p)
        for device, p in zip(devices, draw(st.tuples(st.booleans(), st.booleans())), strict=False)
    )


_bys: Any = st.sampled_from(["panel", "radio", "order"])
_crews = st.builds(
    CrewSaid,
    device=st.just(CARRIER),
    on=st.booleans(),
    riders=st.integers(0, 5),
    skills=skills,
    until=maybe_moments,
    at=moments,
)
_defects = st.builds(
    DefectSaid,
    device=st.sampled_from([CARRIER, "desk"]),
    what=st.sampled_from(["brakes", "lamp"]),
    off_the_run=st.booleans(),
    at=moments,
)
_spots = st.builds(
    Spot,
    device=st.just(CARRIER),
    at=moments,
    speed_mps=st.sampled_from([None, 0.0, 8.0, 8.1, 30.0]),
    accuracy_m=st.sampled_from([None, 5.0, 400.0]),
    off_base_m=st.sampled_from([None, 0.0, 500.0, 501.0, 3000.0]),
)
_modes = st.builds(
    ModeSaid,
    mode=st.sampled_from(["live", "test", "training", "maintenance", "commissioning"]),
    at=maybe_moments,
    until=maybe_moments,
    by=st.sampled_from(["", "wm.hart"]),
)
_claims = st.sampled_from(["spare", "pool"]).map(
    lambda device: ClaimView(claim=f"{device}.E9-a.1", device=device, vehicle="", at=NOW)
)
_mates = st.builds(
    Mate,
    callsign=st.sampled_from(["14P1", "14R1"]),
    availability=st.none() | st.sampled_from(CLASSES),
    activity=st.sampled_from(ACTIVITIES),
    assigned=st.booleans(),
    first=st.booleans(),
)
_orders: Any = st.builds(
    Assignment,
    order=st.just("o-1"),
    incident=st.sampled_from(["", "I0417"]),
    phase=st.sampled_from(["sent", "failed", "closed"]),
    since=moments,
    version=st.just(1),
)


@st.composite
def bases(draw: st.DrawFn) -> Basis:
    """Anything that may be known of a unit at noon: mostly a few things at once."""
    standing = stand(draw(_heads()))
    optional = {
        "crew": _crews,
        "spot": _spots,
        "ignition": st.builds(InputSaid, device=st.just(CARRIER), value=st.booleans(), at=moments),
        "mode": _modes,
        "assignment": _orders,
        "bound_at": moments,
        "rostered_until": seconds.filter(lambda s: s > 0).map(lambda s: NOW + timedelta(seconds=s)),
        "defects": st.lists(_defects, max_size=2).map(tuple),
        "claims": st.lists(_claims, max_size=2, unique_by=lambda claim: claim.device).map(tuple),
        "mates": st.lists(_mates, max_size=2).map(tuple),
        "needs": st.builds(Needs, minimum=st.integers(0, 5), skills=skills),
        "tier_min": st.sampled_from([5, 30]),
        "off_shift": st.booleans(),
        "split_into": st.just(("14M1", "14M2")),
        "path_failed": st.booleans(),
        "declarer_vouch": st.sampled_from(["stored", "catching_up", "refused", "other"]),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(optional)), max_size=6, unique=True))
    given: dict[str, Any] = {name: draw(optional[name]) for name in chosen}
    if given.get("off_shift"):
        given.pop("rostered_until", None)
    return Basis(
        now=NOW,
        standing=standing,
        meaning=standing.head.meaning if standing else None,
        link=draw(st.sampled_from(["fresh", "late", "lost", "asleep", "never"])),
        ended=draw(st.booleans()),
        link_at=draw(maybe_moments),
        carrier=CARRIER,
        vouch=draw(st.sampled_from(["stored", "catching_up", "refused", "other", "not_held", "unsaid", "silent"])),
        **given,
    )


def changed(basis: Basis, **fields: Any) -> Assessment:
    """The judgement of the same with something else in it."""
    return assess(msgspec.structs.replace(basis, **fields))


def is_no_higher(lower: Assessment, higher: Assessment) -> bool:
    """Whether neither class nor confidence of `lower` is above that of `higher`."""
    return RANK[lower.availability] >= RANK[higher.availability] and DOWN[lower.confidence] >= DOWN[higher.confidence]


@given(basis=bases())
def test_every_reason_names_a_source_that_is_shown_once_and_is_as_old(basis: Basis) -> None:
    """Sources are unique, the link and the standing status always among them; each reason has its source's age."""
    found = assess(basis)
    sources = {source.source: source for source in found.sources}
    assert found.reasons and len(sources) == len(found.sources)
    standing = basis.standing
    assert "link" in sources and (standing is None or sources[standing.head.by].device == standing.head.device)
    for reason in found.reasons:
        at = sources[reason.source].at
        age_s = None if at is None or at > NOW else round((NOW - at).total_seconds(), 3)
        assert age_s == reason.age_s


@given(basis=bases())
def test_the_class_is_never_above_that_of_the_status_that_stands(basis: Basis) -> None:
    """Without a status there is no class; with one the class is that or a lower one, and a lower one says why first."""
    found = assess(basis)
    if basis.standing is None:
        assert (None, "never") == (found.availability, found.confidence)
        return
    assert found.availability is not None and found.confidence != "never"
    assert RANK[found.availability] >= RANK[basis.standing.availability]
    if (found.availability, found.confidence) != (basis.standing.availability, "confirmed"):
        assert "declared" != found.reasons[0].code


@given(basis=bases())
def test_stale_is_never_confirmed_and_silence_changes_no_class(basis: Basis) -> None:
    """With its carrier fresh a unit is believed at least as much as without, and comes to the same class."""
    heard, silent = changed(basis, link="fresh"), assess(basis)
    assert basis.link == "fresh" or silent.confidence != "confirmed"
    assert is_no_higher(silent, heard) and heard.availability == silent.availability


@given(
    basis=bases(),
    more=st.one_of(
        _defects.map(lambda one: ("defects", one)),
        _claims.map(lambda one: ("claims", one)),
        _mates.map(lambda one: ("mates", one)),
    ),
)
def test_one_more_thing_against_a_unit_never_raises_it(basis: Basis, more: tuple[str, Any]) -> None:
    """Whatever is said besides by a defect, a claim or a unit of the same crew, it ends no higher."""
    field, one = more
    before: Sequence[Any] = getattr(basis, field)
    assume(field != "claims" or one not in before)
    assert is_no_higher(changed(basis, **{field: (*before, one)}), assess(basis))


@given(
    basis=bases(),
    fields=st.one_of(
        _modes.map(lambda mode: {"mode": mode}),
        _orders.map(lambda order: {"assignment": order}),
        _spots.map(lambda spot: {"spot": spot}),
        moments.map(lambda at: {"ignition": InputSaid(device=CARRIER, value=False, at=at)}),
        st.just({"split_into": ("14M1",)}),
        st.just({"part_of": "14M", "is_apart": False}),
        moments.map(lambda at: {"bound_at": at}),
    ),
)
def test_what_was_not_known_before_never_raises_a_unit(basis: Basis, fields: dict[str, Any]) -> None:
    """A mode, an order, a place, an ignition, a split or a binding, where there was none, leaves it no higher."""
    assert is_no_higher(changed(basis, **fields), changed(basis, **dict.fromkeys(fields, None) | _nothing(fields)))


def _nothing(fields: dict[str, Any]) -> dict[str, Any]:
    none: dict[str, Any] = {"split_into": (), "part_of": "", "is_apart": True}
    return {name: none[name] for name in fields if name in none}


@given(basis=bases(), crew=_crews, fewer=st.integers(1, 5))
def test_a_smaller_crew_never_raises_a_unit(basis: Basis, crew: CrewSaid, fewer: int) -> None:
    """With fewer riders, or logged off, a unit is no more available than with the crew that it had."""
    whole = changed(basis, crew=crew)
    for smaller in ({"riders": max(0, crew.riders - fewer)}, {"on": False}, {"skills": ()}):
        found = changed(basis, crew=msgspec.structs.replace(crew, **smaller))
        assert RANK[found.availability] >= RANK[whole.availability]


@given(basis=bases(), part=st.floats(0, 1))
def test_time_alone_changes_nothing_before_the_moment_that_is_told(basis: Basis, part: float) -> None:
    """Up to `changes_at` class, confidence and reasons stay as they are; without one for a day."""
    found = assess(basis)
    assert found.changes_at is None or found.changes_at > NOW
    until = found.changes_at or NOW + timedelta(days=1)
    then = NOW + (until - NOW - timedelta(microseconds=1)) * part
    assert what(found) == what(changed(basis, now=then))


def what(found: Assessment) -> tuple[object, ...]:
    """A judgement without its ages."""
    return found.availability, found.confidence, [(one.code, one.text, one.source) for one in found.reasons]


@given(
    basis=bases(),
    group=st.lists(
        st.tuples(st.sampled_from(CLASSES), st.sampled_from(ACTIVITIES), st.booleans()), min_size=2, max_size=4
    ),
)
def test_one_crew_is_available_once(basis: Basis, group: list[tuple[AvailabilityClass, Activity | None, bool]]) -> None:
    """However the units of one crew stand by themselves, at most one is Available, and none while the crew is out."""
    scheme, row = next((scheme, row) for scheme, row in CODES if row.availability == "Available")
    standing = stand((head_of(row, scheme, CARRIER, 5),))
    shown = []
    for place, (own, _, _) in enumerate(group):
        mates = tuple(
            Mate(callsign=f"14P{other}", availability=cls, activity=activity, assigned=on, first=other < place)
            for other, (cls, activity, on) in enumerate(group)
            if other != place
        )
        assert standing is not None
        own_standing = msgspec.structs.replace(standing, availability=own)
        shown.append(assess(Basis(now=NOW, standing=own_standing, link="fresh", mates=mates)).availability)
    assert shown.count("Available") <= 1
    out = [
        place for place, (_, activity, on) in enumerate(group) if on or activity in ("assigned", "mobile", "on_scene")
    ]
    assert all(shown[place] != "Available" for place in range(len(group)) if out and out != [place])


def test_the_moments_that_are_told_are_the_earliest() -> None:
    """Of a mode that ends, a shift that is noted and then over, and an engine that is off, the next is told."""
    scheme, row = next((scheme, row) for scheme, row in CODES if row.mobile)
    basis = Basis(
        now=NOW,
        standing=stand((head_of(row, scheme, CARRIER, 10),)),
        meaning=row,
        link="fresh",
        link_at=NOW,
        ignition=InputSaid(device=CARRIER, value=False, at=in_s(-300)),
        mode=ModeSaid(mode="training", until=in_s(600)),
        crew=CrewSaid(device=CARRIER, on=True, riders=4, until=in_s(3600), at=in_s(-60)),
    )
    seen: list[float] = []
    while (changes_at := changed(basis, now=in_s(seen[-1] if seen else 0)).changes_at) is not None:
        seen.append((changes_at - NOW).total_seconds())
    assert [50, 600, 1800, 3600] == seen


def in_s(ahead_s: float) -> datetime:
    """A moment so many seconds after noon."""
    return NOW + timedelta(seconds=ahead_s)
