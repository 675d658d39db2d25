"""Percentiles of measured times."""

from collections.abc import Sequence


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """Give the value below which `share` of the values lie: the nearest rank, never interpolated."""
    rank = max(0, min(len(sorted_values) - 1, round(share * len(sorted_values) + 0.5) - 1))
    return sorted_values[rank]


def in_ms(seconds: Sequence[float], share: float) -> float:
    """Give a percentile of times in seconds as milliseconds."""
    return round(percentile(sorted(seconds), share) * 1000, 2)
