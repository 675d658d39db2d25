"""Durations in buckets."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.durations import BOUNDS_S, Durations

seconds = st.lists(st.floats(-1, 200, allow_nan=False) | st.sampled_from(BOUNDS_S), max_size=50)


@given(noted=seconds)
def test_each_bucket_holds_all_that_took_at_most_so_long(noted: list[float]) -> None:
    """As Prometheus wants it: each bucket counts every duration up to and with its bound, the last one all of them."""
    durations = Durations()
    for one in noted:
        durations.note(one)
    expected = [(str(bound), float(sum(one <= bound for one in noted))) for bound in BOUNDS_S]
    assert [*expected, ("+Inf", float(len(noted)))] == durations.buckets()
    assert len(noted) == durations.count
    assert durations.sum_s == sum(max(0.0, one) for one in noted)
