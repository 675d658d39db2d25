"""What becomes of a command: taken in, answered again, refused as stale, or ended where it stands. Pure.

The rule is the architecture's decision 17: fresh by a nonce of this boot, ordered by its revision, journaled.
"""

import msgspec

from edge_agent.station.words import Call, Journaled
from wire.events import Outcome
from wire.messages import Command


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal holds of an order."""

    newest: int
    """The newest revision."""
    recorded: bool
    """Whether the revision that is asked about is among them."""
    live: bool
    """Whether the station still has the order in hand."""


class TakeIn(msgspec.Struct, frozen=True):
    """Fresh and new: the station's to act on."""

    call: Call


class TellAgain(msgspec.Struct, frozen=True):
    """Known: the journal's receipts of this revision are told once more."""

    order: str
    revision: int


class Stale(msgspec.Struct, frozen=True):
    """Its nonce is not of this boot, or too old: refused with a fresh one, and never journaled."""

    order: str
    revision: int


class End(msgspec.Struct, frozen=True):
    """Over at once, and journaled as that: nothing of it may be done later."""

    row: Journaled


Verdict = TakeIn | TellAgain | Stale | End


def judge(command: Command, known: Known | None, minted_s: float | None, now_s: float) -> Verdict:
    """Judge a command that came in at `now_s`. `minted_s` is when its nonce was minted, None for an unknown one.

    - A revision that is journaled is answered from the journal, whatever it quotes.
    - A lower one that never came ends as refused, `superseded`: its cancel has overtaken it.
    - A cancel of what the station does not have in hand ends as done: the tombstone that refuses the order itself,
      should it come later. A cancel counts even where it has expired: it only ever ends things.
    """
    if known is not None and known.recorded:
        return TellAgain(command.order, command.revision)
    if minted_s is None:
        return Stale(command.order, command.revision)
    call = to_call(command, minted_s, now_s)
    if known is not None and command.revision < known.newest:
        return _end(call, "refused", "superseded")
    if command.action == "cancel":
        live = known is not None and known.live
        return TakeIn(call) if live else _end(call, "done", "not_in_hand" if known else "unknown_order")
    return _end(call, "expired", "") if now_s >= call.expires_s else TakeIn(call)


def to_call(command: Command, minted_s: float, now_s: float) -> Call:
    """Make the call of a command that came in at `now_s`. It expires so long after the minting of its nonce."""
    return Call(
        order=command.order,
        revision=command.revision,
        action=command.action,
        mode=command.mode,
        priority=command.priority,
        units=tuple(command.units),
        open_doors=command.open_doors,
        received_s=now_s,
        expires_s=minted_s + command.expires_ms / 1000,
    )


def _end(call: Call, outcome: Outcome, reason: str) -> End:
    return End(Journaled(order=call.order, revision=call.revision, outcome=outcome, reason=reason, call=call))
