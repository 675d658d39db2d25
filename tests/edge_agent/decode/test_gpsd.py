"""One line of gpsd's JSON, and what it is worth."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.decode.gpsd import Devices, Sky, Tpv, decode_fix, decode_line
from edge_agent.decode.readings import Fix, Rejected

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    **{"class": "TPV", "device": "/dev/gnss", "mode": 3, "time": "2026-11-22T10:00:00.000Z"},
    **{"lat": 51.5, "lon": -0.1, "altHAE": 76.0, "altMSL": 30.0, "speed": 10.0, "track": 90.0, "eph": 5.0},
}


def tpv(**changed: Any) -> bytes:
    """The line of a plain report with some fields changed; a field set to None is left out."""
    return json.dumps({name: value for name, value in {**PLAIN, **changed}.items() if value is not None}).encode()


def believed(**changed: Any) -> tuple[Fix | None, list[str]]:
    """The fix that such a line is worth at NOW, and the reasons of what was not believed."""
    report = decode_line(tpv(**changed))
    assert isinstance(report, Tpv)
    fix, doubts = decode_fix(report, NOW)
    return fix, [doubt.reason for doubt in doubts]


def test_a_plain_report_is_believed_in_full() -> None:
    """Position, speed, course, height above sea level, accuracy and time come through unchanged."""
    expected = Fix(
        mode="3d",
        lat=51.5,
        lon=-0.1,
        speed_mps=10.0,
        heading_deg=90.0,
        altitude_m=30.0,
        accuracy_m=5.0,
        gnss_time=NOW,
    )
    assert (expected, []) == believed()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(line: bytes) -> None:
    """Whatever comes over the socket is a report, a rejection with the very bytes, or nothing."""
    result = decode_line(line)
    assert not isinstance(result, Rejected) or result == Rejected("malformed", line)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    st.sampled_from(["TPV", "SKY", "DEVICES"]),
    st.dictionaries(st.sampled_from([*PLAIN, "satellites", "uSat", "devices"]), JSON),
)
def test_no_values_raise(kind: str, fields: dict[str, Any]) -> None:
    """Any JSON in any field is judged, never raised; a fix that comes of it has only believable numbers."""
    report = decode_line(json.dumps({**PLAIN, **fields, "class": kind}).encode())
    if isinstance(report, Tpv):
        fix, doubts = decode_fix(report, NOW)
        assert fix is not None or doubts
        if fix is not None and fix.mode != "none":
            assert fix.lat is not None and -90 <= fix.lat <= 90
            assert fix.lon is not None and -180 <= fix.lon <= 180
            assert fix.speed_mps is None or 0 <= fix.speed_mps <= 70
            assert fix.heading_deg is None or 0 <= fix.heading_deg < 360


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"\xff\xfe", b'{"class":"TPV"', b'{"class":"TPV"}', tpv(lat="51.5"), tpv(lat=True)]
    + [b"[" * 30_000, tpv(mode=None), tpv(mode=2.5), tpv(time=5), b'{"class":"TPV","mode":3,"lat":NaN}']
    + [b'{"class":"TPV","mode":3,"x":' + b"[" * 30_000],
)
def test_malformed_lines_are_rejected_whole(line: bytes) -> None:
    """No JSON object, a missing mode, a wrong type, endless nesting: rejected with its bytes."""
    assert Rejected("malformed", line) == decode_line(line)


def test_an_infinite_number_is_rejected() -> None:
    """A number beyond a float is not passed on as infinity."""
    line = tpv().replace(b"51.5", b"1e999")
    result = decode_line(line)
    assert isinstance(result, Rejected) and result.raw == line


@pytest.mark.parametrize("kind", ["VERSION", "DEVICE", "WATCH", "PPS", "ERROR", "", "tpv"])
def test_other_classes_say_nothing(kind: str) -> None:
    """Whatever else gpsd says is neither a report nor a fault."""
    assert decode_line(json.dumps({"class": kind}).encode()) is None


def test_receivers_are_counted() -> None:
    """A gpsd that has lost its receiver says so: none in its list."""
    assert decode_line(b'{"class":"DEVICES","devices":[]}') == Devices(0)
    assert decode_line(b'{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/gnss"}]}') == Devices(1)


def test_satellites_used_come_from_the_sky() -> None:
    """`uSat` where gpsd gives it (3.22 does), else the satellites marked as used."""
    assert decode_line(b'{"class":"SKY","uSat":7,"satellites":[{"used":true}]}') == Sky(7)
    assert decode_line(b'{"class":"SKY","satellites":[{"used":true},{"used":false},{"PRN":3,"used":true}]}') == Sky(2)


@pytest.mark.parametrize("mode", [0, 1])
def test_without_a_fix_there_is_no_position_and_no_time(mode: int) -> None:
    """Modes 0 and 1 are a fix of mode none, even if a last known position or the receiver's own clock came along."""
    assert (Fix(mode="none"), []) == believed(mode=mode)


@pytest.mark.parametrize(
    ("mode", "status", "expected"),
    [(2, None, "2d"), (3, None, "3d"), (3, 1, "3d"), (3, 2, "3d"), (3, 3, "3d"), (3, 4, "3d")]
    + [(2, 5, "dead_reckoning"), (3, 5, "dead_reckoning"), (3, 6, "3d")],
)
def test_the_mode_tells_dead_reckoning_from_satellites(mode: int, status: int | None, expected: str) -> None:
    """Status 5 is dead reckoning; 6 is satellites aided by it, a valid fix; 2 to 4 are corrected fixes (gpsd 3.22)."""
    fix, doubts = believed(mode=mode, status=status)
    assert fix is not None and (expected, []) == (fix.mode, doubts)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"status": 7}, "not_measured"), ({"status": 8}, "not_measured"), ({"mode": 4}, "mode"), ({"mode": -1}, "mode")]
    + [({"lat": None}, "position_missing"), ({"lon": None}, "position_missing")]
    + [({"lat": 90.1}, "position_range"), ({"lon": -180.1}, "position_range"), ({"lat": 0, "lon": 0}, "position_zero")],
)
def test_what_is_no_measured_position_gives_no_fix(changed: dict[str, Any], reason: str) -> None:
    """A typed-in, simulated, missing, impossible or zero position is rejected with its reason."""
    assert (None, [reason]) == believed(**changed)


@pytest.mark.parametrize(
    ("time", "reasons"),
    [("2026-11-23T09:59:59.000Z", []), ("2026-11-24T10:00:01.000Z", ["date"])]
    + [("2007-04-08T10:00:00.000Z", ["week_rollover"]), ("2046-07-08T10:00:00.000Z", ["week_rollover"])]
    + [("2026-11-22T10:00:00", []), ("2026-13-45T10:00:00.000Z", []), (None, [])],
)
def test_only_a_plausible_date_is_passed_on(time: str | None, reasons: list[str]) -> None:
    """A date more than a day off, a multiple of 1024 weeks off, or malformed is dropped; the position stays."""
    fix, doubts = believed(time=time)
    assert fix is not None and (51.5, reasons) == (fix.lat, doubts)
    assert (fix.gnss_time is not None) == (time == "2026-11-23T09:59:59.000Z")


@pytest.mark.parametrize(
    ("changed", "expected", "reasons"),
    [({"speed": 69.9}, 69.9, []), ({"speed": 93.281}, None, ["speed"]), ({"speed": -1}, None, ["speed"])]
    + [({"speed": 62.1, "track": None}, None, ["speed"]), ({"speed": 1.25, "track": None}, 1.25, [])]
    + [({"speed": None}, None, [])],
)
def test_only_a_drivable_measured_speed_is_passed_on(
    changed: dict[str, Any], expected: float | None, reasons: list[str]
) -> None:
    """Above 70 m/s, below 0, or gpsd's own guess from two positions is dropped; the position stays."""
    fix, doubts = believed(**changed)
    assert fix is not None and (51.5, expected, reasons) == (fix.lat, fix.speed_mps, doubts)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"track": 360.0}, 0.0), ({"track": 359.9}, 359.9), ({"speed": 0.99}, None), ({"track": 361.0}, None)]
    + [({"speed": None}, None), ({"speed": 1.0}, 90.0)],
)
def test_a_heading_needs_motion(changed: dict[str, Any], expected: float | None) -> None:
    """The course of a standing receiver is noise; north is 0, never 360."""
    fix, _ = believed(**changed)
    assert fix is not None and expected == fix.heading_deg


def test_accuracy_and_altitude_are_what_was_measured() -> None:
    """Without `eph` the two axes together; in a 2D fix no altitude, and never the one above the ellipsoid."""
    fix, _ = believed(mode=2, eph=None, epx=3.0, epy=4.0)
    assert fix is not None and (5.0, None) == (fix.accuracy_m, fix.altitude_m)
    fix, _ = believed(eph=None, epx=3.0, altMSL=None, alt=12.0)
    assert fix is not None and (None, None) == (fix.accuracy_m, fix.altitude_m)


@settings(deadline=None)
@given(st.timedeltas(min_value=timedelta(days=-9000), max_value=timedelta(days=9000)))
def test_no_time_further_off_than_a_day_is_ever_passed_on(off: timedelta) -> None:
    """Whatever the receiver claims, a fix's time is within a day of the device's clock."""
    fix, _ = decode_fix(Tpv(mode=3, lat=51.5, lon=-0.1, time=NOW + off), NOW)
    assert fix is not None
    assert (fix.gnss_time is not None) == (abs(off) <= timedelta(days=1))
