"""The packages that go along with a tree: each is for the device, and the list names each by its hash."""

import hashlib
from pathlib import Path

import pytest

from edge_agent.image.packages import DEBIAN, LIST, WHEELS, PackagesUnfit, add_packages, debian_problems, wheel_problems

AGENT = "watchroom-0.1.0-py3-none-any.whl"
FIT = (
    AGENT,
    "msgspec-0.22.0-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
    "typing_extensions-4.15.0-py2.py3-none-any.whl",
    "cryptography-48.0.0-cp39-abi3-manylinux_2_28_aarch64.whl",
)


def test_what_fits_goes_along(tmp_path: Path) -> None:
    """Every wheel and Debian package is in the tree, and pip's list has each wheel's version and hash."""
    folder, part = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in (*FIT, "gpsd_3.22-4.1_arm64.deb", "gpsd-clients_3.22-4.1_all.deb"):
        (folder / name).write_bytes(name.encode())
    assert add_packages(folder, part) == 6
    assert {path.name for path in (part / DEBIAN).iterdir()} == {path.name for path in folder.glob("*.deb")}
    lines = (part / WHEELS / LIST).read_text("utf-8").splitlines()
    assert f"watchroom==0.1.0 --hash=sha256:{hashlib.sha256(AGENT.encode()).hexdigest()}" in lines
    assert len(lines) == len(FIT) and any(line.startswith("typing-extensions==4.15.0 ") for line in lines)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (FIT[1:], "wheels: has no wheel of watchroom; expected one: "),
        ((*FIT, "watchroom-0.2.0-py3-none-any.whl"), "wheels: has 2 wheels of watchroom; expected one: "),
        ((AGENT, "msgspec-0.22.0-cp311-cp311-manylinux_2_17_x86_64.whl"), "is for manylinux_2_17_x86_64; expected one"),
        ((AGENT, "msgspec-0.22.0-cp312-cp312-manylinux_2_17_aarch64.whl"), "is for cp312; expected one for cp311"),
        (
            (*FIT, "msgspec-0.23.0-cp311-cp311-manylinux_2_17_aarch64.whl"),
            "msgspec is there twice",
        ),
        ((AGENT, "notes.whl"), "notes.whl: is not named as a wheel is"),
    ],
)
def test_what_is_not_for_the_device_is_told(names: tuple[str, ...], said: str) -> None:
    """A wheel of another machine or another Python, twice, missing or no wheel at all, is told by its name."""
    found = [str(problem) for problem in wheel_problems(list(names))]
    assert len([line for line in found if said in line]) == 1, found


def test_a_package_of_another_machine_is_told() -> None:
    """A Debian package for a PC is refused; one for all machines is taken."""
    found = [str(problem) for problem in debian_problems(["gpsd_3.22-4.1_amd64.deb", "tzdata_2026_all.deb"])]
    assert found == ["gpsd_3.22-4.1_amd64.deb: is for amd64; expected one for arm64, or for all"]


def test_nothing_is_copied_where_one_is_unfit(tmp_path: Path) -> None:
    """One wrong wheel is enough to refuse, with the folder's name in the line."""
    (tmp_path / "msgspec-0.22.0-cp311-cp311-win_amd64.whl").touch()
    with pytest.raises(PackagesUnfit, match=r"win_amd64; expected one for aarch64"):
        add_packages(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
