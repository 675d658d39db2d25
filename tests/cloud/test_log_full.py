"""A log that can't be written ends nothing."""

import contextlib

import pytest
import structlog

from cloud.cli import log_to


def test_a_full_disk_under_the_log_ends_nothing() -> None:
    """Whoever logs to a disk without room goes on, where a plain logger would fail."""
    with contextlib.suppress(OSError), open("/dev/full", "w", encoding="utf-8") as full:
        logger = log_to(full)()
        logger.msg("no room for this")
        logger.msg("nor for this")
        with pytest.raises(OSError, match="No space"):
            structlog.PrintLogger(full).msg("nor for this")
