"""Checks any server, and any consumer, of the feed against the published schemas and promises.

server under test ◀─GET──── asking ─▶ feed, units, formats ─▶ findings
consumer under test ─GET───▶ stage ◀─ scenes
                    ─PUT /view▶       consumer ─▶ findings

It knows the wire and nothing else of Watchroom, so that it tells of others what it would tell of us.
"""

from cloud.conformance.consumer import check_consumer
from cloud.conformance.server import Subject, check_server

__all__ = ["Subject", "check_consumer", "check_server"]
