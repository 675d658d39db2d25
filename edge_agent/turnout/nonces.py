"""The nonces that this device minted for commands: proof that a command was made lately, for this boot. Pure."""

from collections.abc import Mapping
from itertools import islice

import msgspec

NONCE_HOLDS_S = 900.0
"""A command may quote a nonce for this long after its minting."""
NONCES_MAX = 4_096
"""Past this many the oldest is forgotten: one a second makes 900."""


class Nonces(msgspec.Struct, frozen=True):
    """When each nonce that still holds was minted, oldest first. Kept in memory alone: a restart voids them all."""

    minted: Mapping[str, float] = {}


def mint(nonces: Nonces, word: str, now_s: float) -> Nonces:
    """Remember a new nonce, and forget those that hold no more."""
    held = {one: at_s for one, at_s in nonces.minted.items() if now_s - at_s < NONCE_HOLDS_S}
    held[word] = now_s
    return Nonces(dict(islice(held.items(), max(0, len(held) - NONCES_MAX), None)))


def check(nonces: Nonces, word: str, now_s: float) -> float | None:
    """Tell when a nonce was minted; None for one that this boot never minted, or that holds no more."""
    minted_s = nonces.minted.get(word)
    return minted_s if minted_s is not None and now_s - minted_s < NONCE_HOLDS_S else None
