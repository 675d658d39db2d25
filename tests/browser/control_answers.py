"""What a server would answer to the forms of a dispatcher, by what the feed holds: by the same pure code."""

from datetime import timedelta

from cloud.api.schemes import CodeView, SchemeView
from cloud.dispatch.recommend import Candidate, LeftOut, Place, Recommended, Wanted, recommend
from cloud.fleet.modes import Setting
from tests.browser.county import SCHEMES
from tests.browser.feed_source import FeedSource, now

SCENE = Place(51.25, 0.9)


def scripted(source: FeedSource) -> FeedSource:
    """Let the source answer to what the forms ask for: schemes, who gets there first, modes, and control's words."""
    for record in source.held.values():
        name, codes = SCHEMES[record.service]
        known = {code: (label, said) for code, label, said in codes}
        rows = [
            CodeView(code=code, label=label, availability=said, activity=None, place=None, tier_min=None, note="")
            for code, (label, said) in known.items()
        ]
        event = CodeView(
            code="0", label="No data", availability=None, activity=None, place=None, tier_min=None, note=""
        )
        scheme = SchemeView(name=name, title=name, confidence="published", codes=(event, *rows))
        source.answers[f"GET v1/units/{record.unit}/scheme"] = (200, scheme)
        source.answers[f"POST v1/units/{record.unit}/status"] = (201, {})
        for how in ("lend", "return", "split", "rejoin", "unbind"):
            source.answers[f"POST v1/units/{record.unit}/{how}"] = (200, {})
        for claim in record.claims:
            for how in ("confirm", "refuse"):
                source.answers[f"POST v1/bindings/{claim.claim}/{how}"] = (200, {})
    ends = now() + timedelta(hours=1)
    drill = Setting(
        scope="organisation", id="kent-fire", mode="training", by="A. Smith", reason="drill", at=now(), until=ends
    )
    source.answers["GET v1/modes"] = (200, {"at": now(), "modes": [drill]})
    source.answers["POST v1/modes"] = (200, drill)
    source.answers["GET v1/recommend"] = (200, recommended(source))
    return source


def recommended(source: FeedSource, place: Place = SCENE) -> dict[str, object]:
    """Who gets to a place first, of what the feed holds."""
    found = recommend(Wanted(place=place, limit=20), [Candidate(record=record) for record in source.held.values()])
    units: tuple[Recommended, ...] = found.units
    left_out: tuple[LeftOut, ...] = found.left_out
    return {
        "at": now(),
        "method": "straight line, no roads yet",
        "units": units,
        "more": found.more,
        "left_out": left_out,
    }
