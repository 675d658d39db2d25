"""What a device's last heartbeat means for the status that the cloud holds of it. Pure."""

from cloud.fleet.basis import Vouch
from cloud.fleet.heads import Head
from cloud.fleet.link import Link


def vouch_for(head: Head | None, link: Link | None, unit: str, through: int, *, spoken_since: bool = False) -> Vouch:
    """Compare a device's head with the status that the device names as the unit's current one.

    `through` is the status queue's watermark of the stream that the device speaks in now.

    | the heartbeat names | it means |
    |---|---|
    | the head, by its place or by the one it was carried from | `stored` (`refused` where the code is another) |
    | an earlier status, and had not counted the head yet | `stored`: the head came after the heartbeat |
    | the same, and was certainly sent after the head had come (`spoken_since`) | `other`: an older copy of the card |
    | one of its own stream that has not ended yet | `catching_up` |
    | one of the head's stream, after the head, that has ended | `refused`, or lost |
    | any other, so one carried from before the head | `other` |
    """
    if link is None or link.vitals is None:
        return "unsaid"
    vitals = link.vitals
    named = next((one for one in vitals.current if one.unit == unit), None)
    if named is None:
        return "stored" if head is None else "not_held"
    if head is not None and head.is_at(named.stream, named.seq):
        return "stored" if (named.scheme, named.code) == (head.scheme, head.code) else "refused"
    counted = max(named.seq, vitals.last_seq.status)
    if head is not None and named.stream == vitals.stream == head.stream and counted < head.seq:
        return "other" if spoken_since else "stored"
    if named.stream == vitals.stream and named.seq > through:
        return "catching_up"
    return "refused" if head is None or (named.stream == head.stream and named.seq > head.seq) else "other"
