"""The streams of each device, in the order in which they came. Pure."""

from collections import Counter
from collections.abc import Iterable

from cloud.directory import Device
from cloud.ingest.judge import is_enrolled
from cloud.ingest.marks import Mark
from wire import codec
from wire.messages import Death, UpMessage

STREAMS_MAX = 256
"""Streams of one enrolment. A device mints one when its outbox is damaged, put back or forked: more is a fault."""


class Streams:
    """Gives each stream its ordinal: one not seen before supersedes all of its device that were."""

    def __init__(self, marks: Iterable[Mark], counts: Counter[str]) -> None:
        """Go on from the committed `marks`. What comes new is counted as `streams`."""
        self._counts = counts
        self._streams: dict[str, tuple[tuple[str, int], ...]] = {}
        """Of each device: its streams, each with its ordinal."""
        for mark in marks:
            if mark.stream not in self.known(mark.device):
                self._streams[mark.device] = (*self._streams.get(mark.device, ()), (mark.stream, mark.ordinal))

    def known(self, device: str) -> dict[str, int]:
        """Give the streams of a device, each with its ordinal."""
        return dict(self._streams.get(device, ()))

    def find(self, device: str, stream: str) -> tuple[str, int]:
        """Give a stream's ordinal, and its name as it is kept: one text, however many messages bring their own."""
        known = self._streams.get(device, ())
        for each in known:
            if each[0] == stream:
                return each
        added = stream, max((ordinal for _, ordinal in known), default=0) + 1
        self._streams[device] = (*known, added)
        self._counts["streams"] += 1
        return added

    def objection(self, device: Device, message: UpMessage | codec.Rejected) -> str:
        """Bound what one device can make us remember: each stream is remembered for good."""
        known = self.known(device.id) if len(self._streams.get(device.id, ())) >= STREAMS_MAX else {}
        if not known or isinstance(message, codec.Rejected | Death) or message.stream in known:
            return ""
        same = sum(is_enrolled(stream, device.enrolment) for stream in known)
        return "too_many_streams" if same >= STREAMS_MAX else ""
