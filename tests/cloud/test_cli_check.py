"""`watchroom check`: a person sees what a directory holds, or everything that is wrong with it."""

import re
from pathlib import Path

import pytest

from cloud.directory import load
from cloud.directory.telling import as_summary
from tests.cloud.directory.shire import write_shire
from tests.cloud.process import COMMAND, python

BETWEEN = "1 kfrs to kp"
SHARING = """
[[agreement]]
id = "fire-to-police"
owner = "kfrs"
partner = "kp"
purpose = "who can come"
fields = ["status"]
[[partner]]
organisation = "kp"
token_sha256 = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shire as files."""
    return write_shire(tmp_path / "shire")


def test_a_right_directory_is_summed_up(folder: Path) -> None:
    """Exit code 0, and a line for each kind of row with how many there are; of agreements, between whom."""
    (folder / "sharing.toml").write_text(SHARING, encoding="utf-8")
    answer = python(COMMAND, "check", str(folder))
    assert (0, "") == (answer.returncode, answer.stderr)
    assert as_summary(load(folder)) + "\n" == answer.stdout
    said = dict(re.findall(r"^(\w[\w ]*?) +(\d+)", answer.stdout, re.MULTILINE))
    assert {
        "organisations": "2",
        "bases": "3",
        "vehicles": "3",
        "units": "4",
        "devices": "6",
        "shifts": "2",
        "areas": "2",
        "control rooms": "1",
        "agreements": "1",
        "covers": "0",
        "partners": "1",
        "schemes": "6",
    } == said
    words = (
        "1 spare",
        "2 fire, 2 police",
        "1 covert",
        "1 parts of others",
        "2 that share a crew",
        "no errors",
        BETWEEN,
    )
    assert [] == [word for word in words if word not in answer.stdout]


def test_every_error_is_told_under_its_file(folder: Path) -> None:
    """Exit code 1; each file once, with its errors below it, and at the end how many there are."""
    for file, old, new in (
        ("units.toml", "minimum_crew = 4", "minimum_crew = 6"),
        ("units.toml", 'shift = "days"', 'shift = "day"'),
        ("areas/weald.geojson", '"service": "fire"', '"service": "police"'),
    ):
        path = folder / file
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    answer = python(COMMAND, "check", str(folder))
    assert (1, "") == (answer.returncode, answer.stderr)
    assert [
        "units.toml",
        "  unit[2].shift: 'day' is no known shift (did you mean 'days'?); expected the id of a shift",
        "  unit[0].minimum_crew: is 6; expected at most preferred_crew, which is 5",
        "",
        "areas/weald.geojson",
        "  features[0].properties.service: is 'police', and 'kfrs' is 'fire'; "
        "expected its organisation's service, or none",
        "",
        f"3 errors in {folder}: nothing of it can be used",
    ] == answer.stdout.splitlines()


def test_a_folder_that_is_none_is_one_error_with_what_to_do(tmp_path: Path) -> None:
    """A wrong path, and a folder without files, say so in two lines and no traceback."""
    for folder, words in ((tmp_path / "none", "No such file"), (tmp_path, "has no *.toml")):
        answer = python(COMMAND, "check", str(folder))
        assert (1, "") == (answer.returncode, answer.stderr)
        name, why, _, count = answer.stdout.splitlines()
        assert (str(folder), True) == (name, words in why and "docs/directory.example" in why)
        assert f"1 error in {folder}: nothing of it can be used" == count


def test_help_says_what_check_reads_and_how_it_ends() -> None:
    """What is read, what a line looks like, and the exit code."""
    answer = python(COMMAND, "check", "--help")
    text = " ".join(re.sub("[│╭╮╰╯─]", " ", answer.stdout).split())
    words = ("*.toml", "areas/*.geojson", "FOLDER", "--directory", "Exits with 1", "changes nothing", "counted from 0")
    assert (0, []) == (answer.returncode, [word for word in words if word not in text])
