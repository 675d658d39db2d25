"""A layout is taken whole or refused with everything that is wrong with it."""

from pathlib import Path

from edge_agent.station.layout import PointKind, check_points, parse_layout
from edge_agent.station.parts import Layout
from tests.edge_agent.station.lab import LAYOUT, TEXT
from tests.tidy.sources import ROOT

EXAMPLE = Path(ROOT) / "docs" / "station.example.toml"


def paths(text: str) -> set[str]:
    """Where a layout's problems are."""
    found = parse_layout(text)
    assert isinstance(found, tuple)
    return {problem.path for problem in found}


def test_the_example_is_a_layout() -> None:
    """The commented example parses, night and all."""
    found = parse_layout(EXAMPLE.read_text("utf-8"))
    assert isinstance(found, Layout)
    assert found.night is not None and found.night.start == "22:00"


def test_every_problem_is_told_at_once() -> None:
    """A wrong shape in one table hides neither another table's nor a meaning that is wrong elsewhere."""
    wrong = TEXT.replace('services = ["fire"] }},'.replace("}}", "}"), "services = [] },", 1)
    wrong = wrong.replace('unit = "fire-1", output', 'unit = "fire-1", colour = "red", output')
    wrong = wrong.replace("needs_mains = true\n", 'output2 = "x"\n').replace('zone = "bays"', 'zone = "bay"')
    wrong = wrong.replace("{ level = 60, after_s = 3 }", "{ level = 60, after_s = 0 }")
    assert {"zone[0].services", "indicator[0].colour", "door[1].output2", "sounder[0].ramp"} <= paths(wrong)


def test_a_zone_needs_an_owner() -> None:
    """A zone that no service owns would never be alerted: refused."""
    assert paths(TEXT.replace('services = ["police"] }', "services = [] }", 1)) == {"zone[1].services"}


def test_references_and_ids_are_checked() -> None:
    """A zone or door that isn't there, and an id or output that stands twice, are told with their paths."""
    assert paths(TEXT.replace('zone = "police"', 'zone = "polic"')) == {"sounder[1].zone"}
    assert paths(TEXT.replace('doors = ["fire", "police"]', 'doors = ["fire", "x"]')) == {"exit_signal[0].doors[1]"}
    assert paths(
        TEXT.replace(
            'id = "mess", zone = "mess", output = "io.l-mess"', 'id = "fire", zone = "mess", output = "io.l-mess"'
        )
    ) == {"light[1].id"}
    assert paths(TEXT.replace('"io.l-mess"', '"io.l-fire"')) == {"light[1].output"}


def test_what_could_never_work_is_refused() -> None:
    """A door that nothing opens, sounding past the reset, and a tone without tones."""
    assert paths(
        TEXT.replace("needs_mains = true\n", "opens_on_acknowledge = false\n").replace(
            "opens_from_control = true\n", ""
        )
    ) == {"door[1]"}
    assert paths(TEXT.replace("sound_s = 30.0", "sound_s = 61")) == {"station.sound_s"}
    assert paths(TEXT.replace('tone_output = "io.tone",', "")) == {"sounder[0]"}
    assert paths(TEXT.replace("[[door]]", "[[door]]\npulse_s = 6.0", 1)) == {"door[0].pulse_s"}


def test_points_are_slave_and_point() -> None:
    """A point without its slave is refused by its shape."""
    assert paths(TEXT.replace('"io.cooker"', '"cooker"')) == {"cooker[0].output"}


def test_outputs_must_be_writable_and_proofs_must_exist() -> None:
    """Against the register maps: what can't be written, isn't there, or is of another kind is told."""
    bools = [point for point in sorted(_points()) if point not in ("io.tone", "io.level")]
    parts = (*LAYOUT.sounders, *LAYOUT.lights, *LAYOUT.cookers, *LAYOUT.indicators, *LAYOUT.exit_signals)
    proving = {each.proof for each in parts} | {each.open_input for each in LAYOUT.doors}
    proving |= {each.closed_input for each in LAYOUT.doors}
    known = {point: PointKind(kind="bool", writable=point not in proving) for point in bools}
    known |= {point: PointKind(kind="number", writable=True) for point in ("io.tone", "io.level")}
    assert check_points(LAYOUT, known) == ()
    known["io.cooker"] = PointKind(kind="bool")
    known["io.tone"] = PointKind(kind="bool", writable=True)
    del known["io.l-mess-on"]
    found = {problem.path: problem for problem in check_points(LAYOUT, known)}
    assert set(found) == {"cooker[0].output", "sounder[0].tone_output", "light[1].proof"}
    assert "not writable" in found["cooker[0].output"].problem


def test_a_proof_shows_one_part_and_is_no_output() -> None:
    """One input for two parts would confirm the one by the other, and an output confirms only what was asked for."""
    assert paths(TEXT.replace('"io.l-mess-on"', '"io.l-fire-on"')) == {"light[1].proof"}
    known = {point: PointKind(kind="bool", writable=point != "io.tone") for point in _points()}
    told = {problem.path for problem in check_points(LAYOUT, known) if "is an output" in problem.problem}
    assert "light[1].proof" in told and "light[1].output" not in told


def _points() -> set[str]:
    """Every point that the lab's layout names."""
    return {word.strip('",') for word in TEXT.replace("{", " ").split() if word.startswith('"io.')}
