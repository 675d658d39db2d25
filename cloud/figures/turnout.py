"""How long crews take from the alert until they acknowledge, and until they are on their way."""

from collections import Counter
from collections.abc import Iterable

from cloud.figures.words import Call, ModeCount, Percentiles, Turnout
from wire.events import Mode

_SECOND_US = 1_000_000


def count_turnout(calls: Iterable[Call]) -> Turnout:
    """Count calls. One that was not live is left out; one that was answered before its alert is unclear."""
    left_out: Counter[Mode] = Counter()
    acknowledged: list[int] = []
    mobile: list[int] = []
    counted = unclear = 0
    for call in calls:
        if call.mode != "live":
            left_out[call.mode] += 1
            continue
        counted += 1
        answers = [at_us for at_us in (call.acknowledged_us, call.mobile_us) if at_us is not None]
        if call.alerted_us is None or any(at_us < call.alerted_us for at_us in answers):
            unclear += 1
            continue
        if call.acknowledged_us is not None:
            acknowledged.append(call.acknowledged_us - call.alerted_us)
        if call.mobile_us is not None:
            mobile.append(call.mobile_us - call.alerted_us)
    return Turnout(
        calls=counted,
        acknowledged=percentiles(acknowledged),
        mobile=percentiles(mobile),
        unclear=unclear,
        left_out=tuple(ModeCount(mode=mode, calls=number) for mode, number in sorted(left_out.items())),
    )


def percentiles(durations_us: list[int]) -> Percentiles:
    """Give the percentiles of durations, in seconds."""
    ordered = sorted(durations_us)
    if not ordered:
        return Percentiles(n=0)
    p50_s, p90_s, p95_s = (ordered[-(-percent * len(ordered) // 100) - 1] / _SECOND_US for percent in (50, 90, 95))
    return Percentiles(n=len(ordered), p50_s=p50_s, p90_s=p90_s, p95_s=p95_s)
