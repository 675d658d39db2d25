"""What the device sends next, and when: the rules of the link, without the link.

Everything goes at QoS 0, because the cloud's settle is the acknowledgement. A queue has at most one envelope in
flight; it is sent again, backing off, until it is settled. Out go first what is unsettled of the status queue, then
the newest committed track record of each kind, then history in batches that never delay the other two. An emergency
goes before all of them, at once and on its own, and again until its queue has brought it.
"""

import math
from typing import Literal

import msgspec

from wire.events import Queue
from wire.messages import Settle

ANSWER_WAIT_S = 1.0
"""How long unsettled statuses wait for the first answer on a connection, so that their times can be proven.

A heartbeat with the answer's echo goes out before them and lets the cloud map this device's clock. One round trip;
where no answer comes (an ingest that is down) they go out all the same."""
HISTORY_GAP_S = 0.5
"""Between two history batches while more than one batch is waiting."""
HISTORY_IDLE_S = 15.0
"""How long a few track records may wait for more before they travel as history."""
RETRY_MAX_S = 20.0

Send = Literal["emergency", "heartbeat", "status", "live", "history"]


class DeliveryRules(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds."""

    heartbeat_s: float
    settle_timeout_s: float


class InFlight(msgspec.Struct, frozen=True):
    """An envelope that is not settled yet: its last sequence, when it goes again, and how often it went."""

    last: int
    again_s: float
    sent: int


class Answer(msgspec.Struct, frozen=True):
    """The newest id from the cloud, when it came, and the owner term that it came under."""

    id: str
    at_s: float
    owner_term: int


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where delivery stands. `answer` survives a connection: an old echo is honest, it says how long it was held."""

    rules: DeliveryRules
    connected: bool = False
    answered: bool = False
    """Whether the cloud answered on this connection."""
    connected_s: float = 0.0
    answer: Answer | None = None
    heartbeat_s: float = math.inf
    """When the next heartbeat is due."""
    status: InFlight | None = None
    track: InFlight | None = None
    emergency: InFlight | None = None
    """The newest emergency that was sent ahead of its queue."""
    history_s: float = 0.0
    """The earliest moment of the next history batch."""
    hold_s: float = -math.inf
    """Envelopes wait until then: a heartbeat that answers the cloud goes before them and proves their times."""
    live: bool = False
    """Whether a track record was committed that has not gone out live."""


class Waiting(msgspec.Struct, frozen=True):
    """What the outbox holds: counts of unsettled events."""

    status: int
    track: int
    emergency: int = 0
    """The sequence of the newest unsettled emergency; 0 for none."""


def on_connected(delivery: Delivery, now_s: float) -> Delivery:
    """Begin a connection: its birth has been sent, and nothing sent before it counts as in flight."""
    return msgspec.structs.replace(
        delivery,
        connected=True,
        answered=False,
        connected_s=now_s,
        heartbeat_s=now_s + delivery.rules.heartbeat_s,
        status=None,
        track=None,
        emergency=None,
        hold_s=-math.inf,
        live=True,
    )


def on_disconnected(delivery: Delivery) -> Delivery:
    """End a connection."""
    return msgspec.structs.replace(delivery, connected=False, answered=False)


def on_answer(delivery: Delivery, answer: Answer, delay_s: float = 0.0) -> Delivery:
    """Take an id from the cloud. The first on a connection, or a new owner's, is answered with a heartbeat.

    A new owner gets what is unsettled right after it: what the last one was sent may be lost with it. `delay_s`
    spreads the answers to a greeting that went to many devices at once.
    """
    known = delivery.answer
    if known is not None and answer.owner_term < known.owner_term:
        return delivery
    new_owner = known is None or answer.owner_term > known.owner_term
    changed = msgspec.structs.replace(delivery, answer=answer, answered=True)
    if new_owner or not delivery.answered:
        heartbeat_s = min(delivery.heartbeat_s, answer.at_s + delay_s)
        changed = msgspec.structs.replace(changed, heartbeat_s=heartbeat_s, hold_s=heartbeat_s)
    return msgspec.structs.replace(changed, status=None, track=None) if new_owner else changed


def is_current(delivery: Delivery, owner_term: int) -> bool:
    """Tell whether a word from the cloud comes from the newest owner known: a paused old one must not speak again."""
    return delivery.answer is None or owner_term >= delivery.answer.owner_term


def on_minted(delivery: Delivery) -> Delivery:
    """Go on in a new stream: nothing of it is in flight, and the cloud hears of it at once."""
    return msgspec.structs.replace(delivery, status=None, track=None, heartbeat_s=-math.inf)


def on_settled(delivery: Delivery, queue: Queue, through: int) -> Delivery:
    """Take the cloud's word that a queue's events up to `through` have ended: the next envelope may go.

    A heartbeat follows a status at once: it vouches for that status, which is not confirmed before.
    """
    flying = delivery.status if queue == "status" else delivery.track
    if flying is None or through < flying.last:
        return delivery
    landed = _fly(delivery, queue, None)
    return msgspec.structs.replace(landed, heartbeat_s=-math.inf) if queue == "status" else landed


def on_committed(delivery: Delivery, queue: Queue, now_s: float) -> Delivery:
    """Note that events were committed to a queue. A new press waits out no long back-off and no spread greeting."""
    if queue == "track":
        return msgspec.structs.replace(delivery, live=True)
    if delivery.hold_s > now_s:
        delivery = msgspec.structs.replace(delivery, heartbeat_s=min(delivery.heartbeat_s, now_s), hold_s=now_s)
    if delivery.status is None:
        return delivery
    again_s = min(delivery.status.again_s, now_s + delivery.rules.settle_timeout_s)
    return _fly(delivery, "status", msgspec.structs.replace(delivery.status, again_s=again_s))


def on_sent(delivery: Delivery, send: Send, now_s: float, last: int = 0) -> Delivery:
    """Note that something went out; `last` is the last sequence of an envelope that waits for its settle.

    It is 0 where the queue had been settled empty meanwhile: nothing went, and nothing is waited for.
    """
    match send:
        case "emergency":
            before = delivery.emergency
            again = _again(delivery, before if before is not None and before.last == last else None, last, now_s)
            return msgspec.structs.replace(delivery, emergency=again)
        case "heartbeat":
            return msgspec.structs.replace(delivery, heartbeat_s=now_s + delivery.rules.heartbeat_s)
        case "live":
            return msgspec.structs.replace(delivery, live=False)
        case "status":
            return _fly(delivery, "status", _again(delivery, delivery.status, last, now_s))
        case "history":
            flown = _fly(delivery, "track", _again(delivery, delivery.track, last, now_s))
            return msgspec.structs.replace(flown, history_s=now_s + HISTORY_GAP_S)


def due(delivery: Delivery, waiting: Waiting, now_s: float, batch_max: int) -> Send | None:
    """Name what to send now, most urgent first; None where nothing is due before `next_s`."""
    if not delivery.connected:
        return None
    if now_s >= _emergency_s(delivery, waiting):
        return "emergency"
    if now_s >= delivery.heartbeat_s:
        return "heartbeat"
    if waiting.status and now_s >= _status_s(delivery):
        return "status"
    if delivery.live:
        return "live"
    if waiting.track and now_s >= _history_s(delivery, waiting, batch_max):
        return "history"
    return None


def next_s(delivery: Delivery, waiting: Waiting, batch_max: int) -> float:
    """Give the moment at which something will be due if nothing happens before."""
    if not delivery.connected:
        return math.inf
    moments = [_emergency_s(delivery, waiting), delivery.heartbeat_s, -math.inf if delivery.live else math.inf]
    if waiting.status:
        moments.append(_status_s(delivery))
    if waiting.track:
        moments.append(_history_s(delivery, waiting, batch_max))
    return min(moments)


def echo_of(delivery: Delivery, now_s: float) -> tuple[str, int] | None:
    """Give the newest id held and for how many whole milliseconds, rounded down: an echo never claims to be fresher."""
    if delivery.answer is None:
        return None
    return delivery.answer.id, int((now_s - delivery.answer.at_s) * 1000)


def answer_of(settle: Settle, now_s: float) -> Answer:
    """Read the answer out of a settle."""
    return Answer(settle.id, now_s, settle.owner_term)


def _emergency_s(delivery: Delivery, waiting: Waiting) -> float:
    if not waiting.emergency:
        return math.inf
    sent = delivery.emergency
    return sent.again_s if sent is not None and sent.last >= waiting.emergency else -math.inf


def _status_s(delivery: Delivery) -> float:
    if delivery.status is not None:
        return delivery.status.again_s
    wait_s = 0.0 if delivery.answered else ANSWER_WAIT_S
    return max(delivery.connected_s + wait_s, delivery.hold_s)


def _history_s(delivery: Delivery, waiting: Waiting, batch_max: int) -> float:
    if delivery.track is not None:
        return delivery.track.again_s
    if not delivery.answered:
        return math.inf
    idle_s = 0.0 if waiting.track >= batch_max else HISTORY_IDLE_S - HISTORY_GAP_S
    return max(delivery.history_s + idle_s, delivery.hold_s)


def _again(delivery: Delivery, flying: InFlight | None, last: int, now_s: float) -> InFlight | None:
    if last == 0:
        return None
    sent = flying.sent + 1 if flying is not None else 1
    wait_s = min(RETRY_MAX_S, delivery.rules.settle_timeout_s * 2 ** min(sent - 1, 10))
    return InFlight(last, now_s + wait_s, sent)


def _fly(delivery: Delivery, queue: Queue, flying: InFlight | None) -> Delivery:
    if queue == "status":
        return msgspec.structs.replace(delivery, status=flying)
    return msgspec.structs.replace(delivery, track=flying)
