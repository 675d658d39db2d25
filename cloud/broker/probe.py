"""Asks a broker whether it takes MQTT connections."""

import asyncio

CONNECT = bytes.fromhex("10 13 0004 4d515454 04 02 000a 0007 77722d70696e67".replace(" ", ""))
"""MQTT 3.1.1 CONNECT: a clean session, keep-alive of 10 s, client id `wr-ping` (section 3.1 of the standard)."""
CONNACK = bytes.fromhex("20020000")
"""Accepted, no session present (section 3.2)."""
DISCONNECT = bytes.fromhex("e000")


async def answers_connect(host: str, port: int, *, timeout_s: float) -> bool:
    """Whether the broker at `host`, `port` accepts a connection within `timeout_s` seconds."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _connect(host, port)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def _connect(host: str, port: int) -> bool:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(CONNECT)
        answer = await reader.readexactly(len(CONNACK))
        writer.write(DISCONNECT)
        return answer == CONNACK
    finally:
        writer.close()
        await writer.wait_closed()
