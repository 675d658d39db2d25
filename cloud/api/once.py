"""Answers a request that comes again as it was answered the first time, by the key that its client gives it.

It holds within the process: a client that is not answered because the process ended looks before it asks again.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import reply

HEADER = "Idempotency-Key"
KEY_MAX = 200
KEYS_KEPT = 10_000
"""Keys that are remembered. Past it the oldest is forgotten."""


class Once:
    """Remembers what was asked under each key, and what came of it where something was changed."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self._asked: dict[str, tuple[bytes, asyncio.Task[Response]]] = {}

    async def answer(
        self, request: Request, body: bytes, work: Callable[[], Coroutine[Any, Any, Response]]
    ) -> Response:
        """Do `work`, unless it was done under the request's key. It goes on to its end although the client goes away.

        The same key for something else is a 409. What was refused changed nothing, and is looked at anew.
        """
        key = request.headers.get(HEADER)
        if key is None:
            return await asyncio.shield(asyncio.ensure_future(work()))
        if not 0 < len(key) <= KEY_MAX:
            return reply(Problem(f"{HEADER} must have 1 to {KEY_MAX} characters"), 422)
        what = hashlib.sha256(request.url.path.encode() + b"\n" + body).digest()
        known = self._asked.get(key)
        if known is not None and known[0] != what:
            return reply(
                Problem(f"something else was asked under this {HEADER}: give this request one of its own"), 409
            )
        task = self._begin(key, what, work()) if known is None else known[1]
        return await asyncio.shield(task)

    def _begin(self, key: str, what: bytes, work: Coroutine[Any, Any, Response]) -> asyncio.Task[Response]:
        task = asyncio.ensure_future(work)
        self._asked[key] = what, task
        task.add_done_callback(lambda done: self._forget_refused(key, done))
        while len(self._asked) > KEYS_KEPT:
            del self._asked[next(iter(self._asked))]
        return task

    def _forget_refused(self, key: str, done: asyncio.Task[Response]) -> None:
        if done.cancelled() or done.exception() is not None or done.result().status_code >= 300:
            self._asked.pop(key, None)
