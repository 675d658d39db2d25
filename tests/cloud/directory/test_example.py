"""The example that a newcomer copies."""

from pathlib import Path

from cloud.directory import load

EXAMPLE = Path(__file__).parents[3] / "docs" / "directory.example"


def test_the_example_is_right_and_fits_the_example_device() -> None:
    """The documented directory loads as it stands, and its device is the one of the documented device.toml."""
    directory = load(EXAMPLE)
    unit = directory.carried_by("veh-0001")
    assert unit is not None
    device = (EXAMPLE.parent / "device.example.toml").read_text(encoding="utf-8")
    assert all(f'"{word}"' in device for word in ("veh-0001", "kfrs", "E0001", unit.id, unit.scheme))
