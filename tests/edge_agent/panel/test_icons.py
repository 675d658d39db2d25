"""The drawing on a status button goes with what the code means."""

from importlib.resources import files
from typing import get_args

import pytest

from edge_agent.panel.icons import icon_of
from edge_agent.panel.port import Icon
from wire.scheme import parse_scheme

SCHEMES = [entry for entry in files("wire.schemes").iterdir() if entry.name.endswith(".toml")]


@pytest.mark.parametrize(
    ("scheme", "code", "icon"),
    [
        ("uk-fire-gd92", "1", "mobile"),
        ("uk-fire-gd92", "2", "scene"),
        ("uk-fire-gd92", "4", "base"),
        ("uk-fire-gd92", "5", "unavailable"),
        ("uk-police-state", "2", "available"),
        ("uk-police-state", "4", "break"),
        ("uk-police-state", "8", "unavailable"),
        ("uk-ambulance", "at_hospital", "hospital"),
        ("uk-ambulance", "leaving_scene", "mobile"),
        ("uk-ambulance", "clearing", "other"),
        ("uk-ambulance", "vor", "unavailable"),
        ("uk-police-state", "1", "other"),
        ("uk-police-state", "11", "unavailable"),
        ("de-bos-fms", "5", "speech"),
        ("de-bos-fms", "7", "patient"),
    ],
)
def test_a_code_has_the_drawing_of_its_meaning(scheme: str, code: str, icon: Icon) -> None:
    """A crew reads the drawing before the word, so it says the same."""
    row = parse_scheme(files("wire.schemes").joinpath(f"{scheme}.toml").read_text()).code(code)
    assert row is not None
    assert icon_of(row) == icon


@pytest.mark.parametrize("entry", SCHEMES, ids=lambda entry: entry.name)
def test_a_status_that_bars_a_unit_never_looks_available(entry: object) -> None:
    """No code that makes a unit unavailable has the drawing of one that can be sent."""
    text = next(one for one in SCHEMES if one is entry).read_text()
    for row in parse_scheme(text).codes:
        assert icon_of(row) in get_args(Icon)
        if row.availability == "NotAvailable":
            assert icon_of(row) not in ("available", "base")


def test_every_drawing_is_drawn() -> None:
    """The page has a drawing for each of the names."""
    drawn = files("edge_agent.panel").joinpath("js/icons.js").read_text()
    assert [name for name in get_args(Icon) if f"\n  {name}: " not in drawn] == []
