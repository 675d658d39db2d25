"""One agent to a folder, and a folder that can be written: anything else is said in one line."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.errors import Fatal
from edge_agent.outbox import OutboxKeeper
from tests.edge_agent.outbox.lab import keeper, press


def refusal(folder: Path) -> str:
    """The line with which a keeper refuses a folder."""
    with pytest.raises(Fatal) as refused:
        keeper(folder)
    line = str(refused.value)
    assert "\n" not in line and str(folder) in line and "state_dir" in line
    return line


def test_a_second_agent_is_refused(tmp_path: Path) -> None:
    """Two agents never write one outbox; the second is told to stop the first, and leaves it working."""
    first = keeper(tmp_path)
    assert "another agent is using" in refusal(tmp_path)
    assert 1 == len(asyncio.run(first.append("status", [press()])))
    asyncio.run(first.close())


def test_the_folder_is_free_again_after_a_close(tmp_path: Path) -> None:
    """A restart in the same process or another finds the folder free, and the same stream in it."""
    streams = []
    for _ in range(2):
        found: OutboxKeeper = keeper(tmp_path / "made" / "here")
        streams.append(found.stream)
        asyncio.run(found.close())
    assert 1 == len(set(streams))


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Where the folder cannot be made, the line says why and what to change."""
    (tmp_path / "state").write_text("")
    assert "cannot write to" in refusal(tmp_path / "state")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """Where the outbox itself cannot be opened, that too is one line, and the folder's lock is given back."""
    (tmp_path / "outbox.db").mkdir()
    assert "cannot keep" in refusal(tmp_path)
    (tmp_path / "outbox.db").rmdir()
    asyncio.run(keeper(tmp_path).close())


def test_a_disk_that_is_read_only_is_refused(read_only_disk: Path) -> None:
    """A card that came up read-only: the line names that."""
    assert "Read-only file system" in refusal(read_only_disk)
