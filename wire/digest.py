"""The digest chained over a queue's events: how a device and the cloud know that they mean the same bytes."""

from hashlib import sha256

DIGEST_HEX_LENGTH = 64


def genesis(stream: str, queue: str) -> bytes:
    """Give the digest before sequence 1 of a queue. It differs by stream and queue, so that no two chains agree."""
    return sha256(f"watchroom/1/{stream}/{queue}".encode()).digest()


def extend(digest: bytes, event: bytes) -> bytes:
    """Give the digest after one more event. `event` is that event's own bytes, as they travel."""
    return sha256(digest + event).digest()
