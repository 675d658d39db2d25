"""A client of the cloud's HTTP API on this machine: one request a connection, JSON both ways."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

ANSWER_BYTES_MAX = 2**20


async def ask(port: int, method: str, path: str, body: Mapping[str, Any]) -> int:
    """Send a request and return the status code. Raises OSError where nobody answers."""
    content = msgspec.json.encode(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=ANSWER_BYTES_MAX)
    try:
        writer.write(head.encode() + content)
        answer = await reader.readline()
        await reader.read()
    finally:
        writer.close()
    words = answer.split()
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionResetError(f"no answer to {method} {path}")
    return int(words[1])
