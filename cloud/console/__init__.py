"""The control-room page: plain ES modules, served as they are written, with nothing from elsewhere.

The page is served at `/` and its parts under `/console/...`. It reads the feed at `v1/feed` of the same origin.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

FILES: Final[Traversable] = files(__name__)
"""The folder with the page's files as they are shipped."""

PAGE: Final = "board.html"

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'"
)
"""The Content-Security-Policy. Trusted types make the browser itself refuse markup made from data."""

HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def _content_type(name: str) -> str | None:
    """The type a file is served as, or None for a file that is not part of the page."""
    return CONTENT_TYPES.get(f".{name.rpartition('.')[2]}")


def read_parts(folder: Traversable = FILES, prefix: str = "") -> dict[str, tuple[bytes, str]]:
    """Every file of the page by its path below `/console/`, with its bytes and its content type."""
    parts: dict[str, tuple[bytes, str]] = {}
    for entry in folder.iterdir():
        content_type = _content_type(entry.name)
        if entry.is_dir():
            parts |= read_parts(entry, f"{prefix}{entry.name}/")
        elif content_type is not None:
            parts[prefix + entry.name] = (entry.read_bytes(), content_type)
    return parts


def router() -> APIRouter:
    """Routes for `/` and `/console/...`. Files are read once, here: a request never names a path on disk."""
    parts = read_parts()
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def page() -> Response:
        return _answer(*parts[PAGE])

    @routes.get("/console/{path:path}")
    async def part(path: str) -> Response:
        if path not in parts:
            raise HTTPException(404)
        return _answer(*parts[path])

    return routes


def _answer(content: bytes, content_type: str) -> Response:
    return Response(content, media_type=content_type, headers=HEADERS)
