"""A server that conforms passes; one that is wrong in one way fails, in the check that is about it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cloud.clock import SystemClock
from cloud.conformance import Subject, check_server
from tests.cloud.conformance.small_server import HIDDEN, STEP_S, TOKEN, Record, SmallServer
from wire.findings import Finding, as_text, report_of
from wire.partner import PartnerUnits

LISTEN_S = 2.5


class NullForNumber(SmallServer):
    """Gives null where the schema wants a number."""

    def ambulance(self, now_s: float) -> Record:
        """Its crew's minutes are null."""
        return super().ambulance(now_s) | {"tier_min": None}

    def listed(self, query: Mapping[str, str], now_s: float) -> PartnerUnits | None:
        """The list is right: only the feed is wrong."""
        return SmallServer().listed(query, now_s)


class WithheldAsNull(SmallServer):
    """Gives a withheld field as null, and so tells that there is one."""

    def pump(self, now_s: float) -> Record:
        """Its assignment is not opened."""
        return super().pump(now_s) | {"assignment": None}


class CursorGoesBack(SmallServer):
    """Gives a cursor that it has passed."""

    def step(self, before: int, now_s: float) -> str:
        """Tick with the cursor of the change before."""
        changed = self.cursor(now_s) > before
        return super().step(before, now_s) if changed or not before else self.event("tick", (before - 0.5) * STEP_S, {})


class NoTicks(SmallServer):
    """Says nothing for a while where nothing changed."""

    def cursor(self, now_s: float) -> int:
        """Change seldom."""
        return int(now_s / 2.4)

    def step(self, before: int, now_s: float) -> str:
        """Nothing, in the first two seconds."""
        return super().step(before, now_s) if now_s > 2.3 else ""


class TellsHidden(SmallServer):
    """Answers a hidden unit otherwise than one that there is not."""

    def no_unit(self, unit: str) -> tuple[int, bytes]:
        """Refuse, where there is one."""
        return (403, b'{"problem": "you may not see this unit"}') if unit == HIDDEN else super().no_unit(unit)


class TagStands(SmallServer):
    """Gives an ETag that never changes."""

    def tag(self, now_s: float) -> str:
        """The same for ever."""
        return '"1"'


class LosesOnResume(SmallServer):
    """Forgets what changed while a client was away."""

    def since(self, last_event_id: str, now_s: float) -> list[str]:
        """Only what comes from now on."""
        known = last_event_id.rpartition("-")[0] == self.epoch
        return [self.event("tick", now_s, {})] if known else self.snapshot(now_s)

    def changed(self, since: int, now_s: float) -> list[Record]:
        """Changes end when the listening does."""
        return super().changed(since, now_s)

    def cursor(self, now_s: float) -> int:
        """Change twice, early."""
        return min(2, int(now_s / 0.9))


class GoesOnForAnyone(SmallServer):
    """Takes the ids of another epoch for its own."""

    def since(self, last_event_id: str, now_s: float) -> list[str]:
        """Go on, whatever came."""
        return [self.event("changes", now_s, {"records": [], "gone": []})]


class NeverGone(SmallServer):
    """Leaves on the feed a unit that the list has no more."""

    def listed(self, query: Mapping[str, str], now_s: float) -> PartnerUnits | None:
        """The ambulance is gone from the list."""
        page = super().listed(query, now_s)
        if page is None:
            return None
        kept = tuple(one for one in page.units if one.unit != "ks-1")
        return PartnerUnits(at=page.at, cursor=page.cursor, units=kept, next_after=page.next_after)


class AgesStand(SmallServer):
    """Gives the ages of when a status came, not of now."""

    def ambulance(self, now_s: float) -> Record:
        """Six minutes, for ever."""
        return super().ambulance(now_s) | {"status_s": 360.0}


class FilterWidens(SmallServer):
    """Passes over the filters that it is given."""

    def listed(self, query: Mapping[str, str], now_s: float) -> PartnerUnits | None:
        """Give everything."""
        return super().listed({name: value for name, value in query.items() if name != "service"}, now_s)


class LatFirst(SmallServer):
    """Writes GeoJSON with the latitude first."""

    def page(self, page: PartnerUnits, form: str) -> tuple[str, bytes]:
        """Swap the two, with a latitude that no place has."""
        media_type, body = super().page(page, form)
        return media_type, body.replace(b'"coordinates":[0.5,51.25]', b'"coordinates":[51.25,100.5]')


class OtherWordInEido(SmallServer):
    """Writes a field into EIDO that the list does not have."""

    def page(self, page: PartnerUnits, form: str) -> tuple[str, bytes]:
        """Tell the riders too."""
        media_type, body = super().page(page, form)
        return media_type, body.replace(b'"emergencyResourceName"', b'"riders":4,"emergencyResourceName"')


WRONG: Mapping[type[SmallServer], str] = {
    NullForNumber: "feed: schemas",
    WithheldAsNull: "feed: withheld fields",
    CursorGoesBack: "feed: ids",
    NoTicks: "feed: sign of life",
    TellsHidden: "units: hidden",
    TagStands: "units: ETag moves",
    LosesOnResume: "feed: resume",
    GoesOnForAnyone: "feed: foreign epoch",
    NeverGone: "feed: changes apply",
    AgesStand: "units: ages",
    FilterWidens: "units: filter service",
    LatFirst: "units: GeoJSON",
    OtherWordInEido: "units: EIDO",
}


def judged(kind: type[SmallServer]) -> list[Finding]:
    """Check a server of this kind."""
    with kind().serve() as address:
        subject = Subject(url=address, token=TOKEN, hidden=(HIDDEN,), listen_s=LISTEN_S)
        return check_server(subject, SystemClock().monotonic)


@pytest.fixture(scope="module")
def verdicts() -> Mapping[type[SmallServer], list[Finding]]:
    """What is found of each server: all are checked at once, since the checks mostly listen."""
    kinds: tuple[type[SmallServer], ...] = (SmallServer, *WRONG)
    with ThreadPoolExecutor(len(kinds)) as threads:
        return dict(zip(kinds, threads.map(judged, kinds), strict=True))


def test_a_server_that_conforms_passes(verdicts: Mapping[type[SmallServer], list[Finding]]) -> None:
    """A small server written from the documents alone fails no check, and each check has something to say."""
    report = report_of(verdicts[SmallServer])
    assert report.ok, as_text(report)
    assert set(WRONG.values()) <= {finding.check for finding in report.findings}


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_a_server_that_is_wrong_fails(
    kind: type[SmallServer], verdicts: Mapping[type[SmallServer], list[Finding]]
) -> None:
    """Each fault is found by the check that is about it, and the line says what to do."""
    failed = {finding.check: finding for finding in verdicts[kind] if finding.level == "fail"}
    assert WRONG[kind] in failed, as_text(report_of(verdicts[kind]))
    assert failed[WRONG[kind]].do


@pytest.mark.parametrize("url", ["8471", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """What is no URL of a server is said at once, with what would be right."""
    with pytest.raises(ValueError, match="such as http://127.0.0.1:8471"):
        check_server(Subject(url=url), SystemClock().monotonic)


def test_nobody_there_is_one_failure(free_address: str) -> None:
    """Where no server answers, the verdict is one line that names the request."""
    (finding,) = check_server(Subject(url=free_address), SystemClock().monotonic)
    assert (finding.check, finding.level) == ("server", "fail")
    assert "GET /v1/units" in finding.found


@pytest.fixture
def free_address() -> Any:
    """An address at which nobody listens."""
    from tests.ports import free_port

    return f"http://127.0.0.1:{free_port()}"
