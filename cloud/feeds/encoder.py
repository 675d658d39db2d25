"""Encodes what partners receive, and asks again whether they may: the last step before bytes leave. Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from cloud.feeds.views import Shown
from cloud.fleet.clocks import Moment
from cloud.sharing.view import leaks
from wire.partner import PartnerRecord

_encode = msgspec.json.Encoder().encode


class Encoder:
    """Encodes each record once for everybody who may see the same of it, and asks again whether they may."""

    def __init__(self) -> None:
        """Nothing was encoded yet."""
        self._moment: Moment | None = None
        self._made: dict[object, tuple[PartnerRecord, msgspec.Raw]] = {}
        """By the record itself and what is opened of it: views give the same one to everybody who may see the same."""
        self.held_back = 0
        """Records that would have told what no agreement opens: a fault of ours, and none of them left."""

    def encode(self, shown: Iterable[Shown], now: Moment) -> tuple[msgspec.Raw, ...]:
        """Encode records as they are at `now`, without those that tell more than their grants open."""
        if now != self._moment:
            self._moment, self._made = now, {}
        encoded = []
        for one in shown:
            opened = one.grants.fields, one.grants.precision_m, one.grants.delay_s, one.grants.own
            made = self._made.get((id(one.record), opened))
            if made is None:
                if not self._may_leave(one):
                    continue
                made = self._made[id(one.record), opened] = (one.record, msgspec.Raw(_encode(one.record)))
            encoded.append(made[1] if one.record.agreements == one.grants.agreements else _naming(made[1], one))
        return tuple(encoded)

    def checked(self, shown: Iterable[Shown]) -> Iterator[Shown]:
        """Give records, for another format, without those that tell more than their grants open."""
        return (one for one in shown if self._may_leave(one))

    def _may_leave(self, one: Shown) -> bool:
        told_too_much = any(leaks(one.record, one.grants))
        self.held_back += told_too_much
        return not told_too_much


def _naming(raw: msgspec.Raw, one: Shown) -> msgspec.Raw:
    """Name a partner's own agreements in a record that was encoded for all who may see the same, and names none.

    No text before it can hold these bytes: a quotation mark within one is written with a backslash.
    """
    return msgspec.Raw(bytes(raw).replace(_NONE_NAMED, b'"agreements":' + _encode(one.grants.agreements), 1))


_NONE_NAMED = b'"agreements":[]'
