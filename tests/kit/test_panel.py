"""The status panels: faults that are put into them are found, and their drawings are those on the disk, at 1:1."""

import re

import pytest

from edge_agent.config.profiles import Profile, parse_profile
from kit.panel import Panel, panel_problems, panels, parse_panel
from kit.panel.faces import face
from kit.panel.letters import CAPITAL, LETTER_MM_MIN, SIZE_MM, width_mm
from kit.render import GENERATED
from tests.kit.pinmaps import FOLDERS, pinmap_of
from tests.tidy.sources import ROOT

PROFILES = sorted((ROOT / "firmware_configs" / "profiles").glob("*.toml"))
SEEDED = [
    pytest.param("vehicle", 'button = "b6"', 'button = "b7"', "signal 'button_6' is button 'b6', which has no place"),
    pytest.param("vehicle", 'button = "b6"', 'button = "b7"', "'b7' has a place, and is no button of vehicle-a"),
    pytest.param("vehicle", 'button = "sos"', 'button = "b1"', "'b1' has its place at spot[0] and at spot[6]"),
    pytest.param(
        "vehicle", "x_mm = 96", "x_mm = 80", "button 'b1' and button 'b2' stand 16 mm apart, edge to edge; expected 19"
    ),
    pytest.param("vehicle", "x_mm = 96", "x_mm = 80", "the label of 'b1' lies over the label of 'b2'"),
    pytest.param("vehicle", "x_mm = 34", "x_mm = 12", "button 'b1' reaches over the edge of the panel"),
    pytest.param("vehicle", "x_mm = 34", "x_mm = 20", "button 'b1' stands behind the panel in the strip of 8 mm"),
    pytest.param("vehicle", "x_mm = 6\ny_mm = 6\n", "x_mm = 20\ny_mm = 12\n", "the label of 'b1' lies over fixing 1"),
    pytest.param("vehicle", "y_mm = 40", "y_mm = 30", "the label of 'b1' reaches over the edge of the panel"),
    pytest.param("vehicle", "x_mm = 252", "x_mm = 257", "fixing 2, 4.3 mm wide, is not all inside the outline"),
    pytest.param("vehicle", "x_mm = 252", "x_mm = 254", "fixing 2 leaves less than 3 mm to the edge"),
    pytest.param("vehicle", "x_mm = 252", "x_mm = 11", "fixing 1 and fixing 2 leave 0.7 mm between them"),
    pytest.param(
        "vehicle",
        "body_depth_mm = 55",
        "body_depth_mm = 70",
        "key.body_depth_mm: goes 70 mm back, and behind the panel are 65 mm",
    ),
    pytest.param("vehicle", "face_mm = 30", "face_mm = 18", "a face of 18 mm is too small for a gloved finger"),
    pytest.param("vehicle", "width_mm = 258", "width_mm = 262", "the panel is 262 mm, and A4 has 297 mm less 36 mm"),
    pytest.param("vehicle", "height_mm = 122", "height_mm = 128", "the panel is 128 mm, and A4 has 210 mm less 83 mm"),
    pytest.param("vehicle", "y_mm = 96\n", "y_mm = 90\n", "button 'sos' and 'Plug of the cable' take the same room"),
    pytest.param("vehicle", "width_mm = 48", "width_mm = 46", "'REFRESHMENT' is 36.5 mm wide, and the label of 'b5'"),
    pytest.param("vehicle", "height_mm = 14", "height_mm = 13", "2 lines are 9.66 mm high, and a label has 9 mm"),
    pytest.param("vehicle", "[guarded]", "[[keep_out]]", "keep_out[0].title: is missing"),
    pytest.param("vehicle", "[sheet]", "[sheet", "the file: is not TOML"),
]


def text_of(device: str) -> str:
    """The panel as it stands."""
    return (FOLDERS[device] / "panel.toml").read_text("utf-8")


def profiles_of(device: str) -> list[Profile]:
    """The profiles that are built on its board."""
    found = [parse_profile(path.read_text("utf-8")) for path in PROFILES]
    named = [each for each in found if isinstance(each, Profile)]
    assert len(named) == len(found)
    return [each for each in named if each.profile.board == pinmap_of(device).board.name]


def faults(device: str, text: str, profiles: list[Profile] | None = None) -> list[str]:
    """Every fault of a panel, a line each."""
    found = parse_panel(text)
    if isinstance(found, Panel):
        found = panel_problems(found, pinmap_of(device), profiles_of(device) if profiles is None else profiles)
    return [str(problem) for problem in found]


def panel_of(device: str) -> Panel:
    """The panel, of the right shape."""
    found = parse_panel(text_of(device))
    assert isinstance(found, Panel), found
    return found


def with_legend(device: str, old: str, new: str) -> list[Profile]:
    """The profiles of a device, with one thing changed in one of them."""
    texts = [path.read_text("utf-8") for path in PROFILES]
    changed = next(text for text in texts if old in text and f'board = "{device}-a"' in text)
    found = parse_profile(changed.replace(old, new, 1))
    assert isinstance(found, Profile), found
    return [found]


@pytest.mark.parametrize("device", FOLDERS)
def test_a_panel_as_it_stands_has_no_fault(device: str) -> None:
    """So a fault below is that which was put in; and each device has at least one profile to write on it."""
    assert faults(device, text_of(device)) == []
    assert profiles_of(device)


@pytest.mark.parametrize(("device", "old", "new", "says"), SEEDED)
def test_a_seeded_fault_of_a_panel_is_found(device: str, old: str, new: str, says: str) -> None:
    """One change to the panel draws a line that says what it did, and what would be right."""
    text = text_of(device)
    assert old in text
    found = [line for line in faults(device, text.replace(old, new, 1)) if says in line]
    assert found and all("\n" not in line and "expected " in line for line in found)


def test_an_emergency_button_needs_its_guard() -> None:
    """Without [guarded] the emergency button would be drawn as a status button, so that is a fault."""
    text = text_of("vehicle")
    begin, end = text.index("[guarded]"), text.index("[[hole]]")
    found = faults("vehicle", text[:begin] + text[end:])
    assert any(line.startswith("guarded: is missing, and signal 'emergency' is an emergency button") for line in found)


def test_a_profile_and_its_panel_have_the_same_buttons() -> None:
    """A button without a legend and a legend without a button are both told, each with the profile's name."""
    found = faults("vehicle", text_of("vehicle"), with_legend("vehicle", 'name = "b6"', 'name = "b7"'))
    assert any("has no legend for button 'b6'" in line for line in found)
    assert any("has a legend for 'b7', which is no status button of the panel" in line for line in found)
    assert any(
        "has a legend for 'sos'" in line
        for line in faults("vehicle", text_of("vehicle"), with_legend("vehicle", 'name = "b6"', 'name = "sos"'))
    )


def test_a_legend_that_is_too_long_is_told_in_millimetres() -> None:
    """What a profile may say at most is wider than a label: the fault names the words and both widths."""
    found = faults("vehicle", text_of("vehicle"), with_legend("vehicle", "REFRESHMENT", "WWWWWWWWWWW"))
    assert any("'WWWWWWWWWWW' is 49.8 mm wide, and the label of 'b5' has 38 mm" in line for line in found)


def test_letters_can_be_read_at_arms_length() -> None:
    """The capitals of a legend are no lower than what is legible there, and wider words are wider."""
    assert SIZE_MM * CAPITAL >= LETTER_MM_MIN
    assert width_mm("WW") > width_mm("II") > 0


@pytest.mark.parametrize("device", FOLDERS)
def test_the_panels_have_not_drifted(device: str) -> None:
    """The drawings on the disk are byte for byte those that panel.toml, the pin map and the profiles give."""
    there = {path.name: path.read_text("utf-8") for path in (FOLDERS[device] / GENERATED).glob("panel-*.svg")}
    assert there == panels(panel_of(device), pinmap_of(device), profiles_of(device))


@pytest.mark.parametrize("device", FOLDERS)
def test_a_panel_is_drawn_at_its_size(device: str) -> None:
    """A unit of each drawing is a millimetre, and the outline is as wide and high as panel.toml says."""
    size = panel_of(device).sheet
    for drawn in panels(panel_of(device), pinmap_of(device), profiles_of(device)).values():
        assert 'width="297mm" height="210mm" viewBox="0 0 297 210"' in drawn
        assert f'width="{size.width_mm:g}" height="{size.height_mm:g}" rx="{size.corner_mm:g}" id="outline"' in drawn


@pytest.mark.parametrize("device", FOLDERS)
def test_every_legend_is_on_its_panel(device: str) -> None:
    """Each line of each profile's legends is drawn, held to its width, and each service stands by its letter too."""
    for profile in profiles_of(device):
        drawn = face(panel_of(device), pinmap_of(device), profile)
        for button in profile.button:
            for words in button.legend:
                assert f'textLength="{width_mm(words):.2f}'.rstrip("0") in drawn and f">{words}<" in drawn
        letters = re.findall(r'fill="#fff">(.)</text>', drawn)
        assert len([letter for letter in letters if letter in "FPA"]) == 6
