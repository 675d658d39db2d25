"""Files that no parser likes: each is an error like any other, and none ends the service that goes by the folder."""

import os
from pathlib import Path

import pytest

from cloud.api.map import read_basemap
from cloud.directory import load
from cloud.directory.folder import DirectoryInvalid
from cloud.errors import Fatal
from tests.cloud.directory.shire import AREA_FILE, write_shire
from tests.cloud.directory.test_reload import Lab, run
from tests.waiting import eventually

DEEP = "x = " + "[" * 5_000 + "]" * 5_000
DEEP_KEYS = ".".join("a" * 5_000) + " = 1"
LONG = "x = " + "9" * 5_000
LONG_ROW = "[[unit]]\ntier_min = 0x" + "f" * 5_000
RINGS = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": "zz", "name": "%s"}, '
    '"geometry": {"type": "Polygon", "coordinates": [[[0, 0, %s], [0, 1], [1, 1], [0, 0]]]}}]}'
)


def write(folder: Path, name: str | bytes, text: str) -> None:
    """Write a file of a name in any encoding."""
    Path(folder / os.fsdecode(name)).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("x.toml", DEEP, "x.toml: is not TOML: it is nested too deeply"),
        ("x.toml", DEEP_KEYS, "x.toml: is not TOML"),
        ("x.toml", LONG, "x.toml: is not TOML"),
        ("x.toml", LONG_ROW, "x.toml: unit[0].tier_min: is beyond all bounds"),
        (b"\xfcnits.toml", "", "has a name that is not in UTF-8"),
        (b"areas/\xfc.geojson", RINGS % ("Z", 1), "has a name that is not in UTF-8"),
        ("schemes/x.toml", DEEP, "x.toml: is not TOML: it is nested too deeply"),
        ("schemes/x.toml", LONG, "x.toml: is not TOML"),
        ("areas/x.geojson", RINGS % ("Z", "9" * 400), "is outside the world"),
        ("areas/x.geojson", RINGS % ("Z", "1e999"), "is outside the world"),
        ("areas/x.geojson", RINGS % ("\\ud800", 1), "features[0].properties.name"),
    ],
    ids=["deep", "keys", "long", "row", "name", "area-name", "scheme", "scheme-long", "height", "infinite", "half"],
)
def test_what_no_parser_likes_is_an_error_like_any_other(tmp_path: Path, name: str, text: str, told: str) -> None:
    """Depth, digits, names in another encoding and half characters are told in words, beside everything else."""
    folder = write_shire(tmp_path)
    (folder / "schemes").mkdir(exist_ok=True)
    write(folder, name, text)
    with pytest.raises(DirectoryInvalid) as refused:
        load(folder)
    assert told in str(refused.value)


def test_an_area_may_have_heights_for_some_of_its_positions(tmp_path: Path) -> None:
    """As programs that draw areas write them: the height is left out where ground is reckoned with."""
    folder = write_shire(tmp_path)
    write(folder, f"{Path(AREA_FILE).parent}/x.geojson", RINGS % ("Z", 12.5))
    assert load(folder).areas["zz"].holds(0.75, 0.25)


def test_a_service_that_runs_outlives_them(tmp_path: Path) -> None:
    """The old directory stays in force, health says so, and the next right file heals it."""

    async def scenario(lab: Lab) -> None:
        before = lab.version
        write(lab.folder, "x.toml", DEEP)
        await eventually(lambda: lab.reloader.trouble, what="trouble")
        assert before == lab.version
        (lab.folder / "x.toml").unlink()
        await eventually(lambda: not lab.reloader.trouble, what="no trouble")

    run(tmp_path, scenario)


@pytest.mark.parametrize("text", [DEEP, LONG], ids=["deep", "long"])
def test_a_map_of_the_kind_is_refused_in_words(tmp_path: Path, text: str) -> None:
    """`map.toml` too: one line, and no traceback."""
    write(tmp_path, "map.toml", text)
    with pytest.raises(Fatal, match="cannot be read"):
        read_basemap(tmp_path)
