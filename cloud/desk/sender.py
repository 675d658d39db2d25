"""Sends each order to its devices, again and again until each has answered or the order has expired."""

import math
from collections.abc import Iterator

from cloud.desk.ports import Minted, Ports
from cloud.directory import InForce
from cloud.dispatch import Order
from cloud.dispatch.commands import is_pending, make_command, until_s
from wire import codec, topics

AGAIN_S = (0.3, 1.0)
"""How long after the first, and after each further one, a command is sent again."""
NONCE_S = 840.0
"""A device remembers its nonces for 15 minutes; one that was minted so long ago that it may be forgotten is not
quoted."""
REFUSED_EARLIER_S = 5.0
"""By how much a nonce that came with a refusal may seem older than the refused one: a device's clock is not exact."""
EXPIRES_MAX_MS = 86_400_000

_Key = tuple[str, str, int]


class Sender:
    """When each command was last sent, and with which nonce to send it next."""

    def __init__(self, in_force: InForce, ports: Ports, owner_term: int) -> None:
        """Nothing was sent yet."""
        self._in_force, self._ports, self._owner_term = in_force, ports, owner_term
        self._due_s: dict[_Key, tuple[int, float]] = {}
        self._renewed: dict[str, tuple[Minted, Minted | None]] = {}
        """What a device gave instead of a nonce that it did not know, and that one."""

    def send_due(self, order: Order, now_s: float) -> Iterator[str]:
        """Send an order to each device for which it is time. Gives those devices that a broker was there for.

        A device that the directory knows no longer, or that was revoked since, is sent nothing.
        """
        for delivery in order.deliveries:
            key = (order.id, delivery.device, order.revision)
            if not is_pending(order, delivery, now_s):
                self._due_s.pop(key, None)
                continue
            times, due_s = self._due_s.get(key, (0, now_s))
            minted = self._nonce(delivery.device, now_s)
            known = self._in_force.directory.devices.get(delivery.device)
            if now_s < due_s or minted is None or known is None or known.revoked:
                continue
            expires_ms = min(EXPIRES_MAX_MS, int((until_s(order) - minted.by_s) * 1000))
            command = make_command(order, delivery, minted.nonce, expires_ms, self._owner_term)
            topic = topics.down(known.organisation, delivery.device, "command")
            if self._ports.publish(topic, codec.encode(command)):
                self._due_s[key] = (times + 1, now_s + AGAIN_S[min(times, len(AGAIN_S) - 1)])
                yield delivery.device

    def renew(self, order: Order, minted: Minted, device: str, now_s: float) -> None:
        """Take the nonce that a device gave with a refusal of an order, and send the order again.

        At once, but for a device that goes on refusing: it makes no storm.
        """
        self._renewed[device] = minted, self._ports.nonce_of(device)
        key = (order.id, device, order.revision)
        times, due_s = self._due_s.get(key, (0, now_s))
        self._due_s[key] = times, now_s if times <= len(AGAIN_S) else due_s

    def forget(self, order: Order) -> None:
        """Forget an order that is over."""
        for delivery in order.deliveries:
            for revision in range(1, order.revision + 1):
                self._due_s.pop((order.id, delivery.device, revision), None)

    def _nonce(self, device: str, now_s: float) -> Minted | None:
        """Give the newest word of a device: what came with a refusal, until a heartbeat brings another."""
        newest = self._ports.nonce_of(device)
        renewed, refused = self._renewed.get(device, (None, None))
        if renewed is not None and newest == refused:
            earliest_s = -math.inf if newest is None else newest.by_s - REFUSED_EARLIER_S
            newest = renewed if renewed.by_s >= earliest_s else newest
        return newest if newest is not None and now_s - newest.by_s < NONCE_S else None
