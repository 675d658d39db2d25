"""The control-room page: plain ES modules, served as they are written, with nothing from elsewhere.

The board is served at `/`, with `?at=MOMENT` the board as it was, the figures at `/figures`, who shares what with whom
at `/agreements`, rooms side by side at `/rooms`, how the devices fare at `/devices`, and their parts under
`/console/...`. The board reads the feed at `v1/feed` of the same origin.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

FILES: Final[Traversable] = files(__name__)
"""The folder with the page's files as they are shipped."""

PAGE: Final = "board.html"
REPLAY: Final = "replay.html"
FIGURES: Final = "figures.html"
AGREEMENTS: Final = "agreements.html"
ROOMS: Final = "rooms.html"
DEVICES: Final = "devices.html"

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'self'; "
    "worker-src 'self'; require-trusted-types-for 'script'; trusted-types default"
)
"""The Content-Security-Policy. Trusted types make the browser itself refuse markup made from data. The one policy that
may be made, `js/map/trusted.js`, lets two vendored scripts be named by text and refuses everything else."""

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
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
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


def policy(tiles_origin: str | None = None) -> str:
    """Give the policy, with leave to fetch the map's tiles from `tiles_origin` where the site has a tile server."""
    return POLICY if tiles_origin is None else f"{POLICY}; connect-src 'self' {tiles_origin}"


def router(tiles_origin: str | None = None) -> APIRouter:
    """Routes for `/` and `/console/...`. Files are read once, here: a request never names a path on disk."""
    parts = read_parts()
    headers = {**HEADERS, "Content-Security-Policy": policy(tiles_origin)}
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def page(at: str | None = None) -> Response:
        return _answer(*parts[PAGE if at is None else REPLAY], headers)

    @routes.get("/figures")
    async def figures() -> Response:
        return _answer(*parts[FIGURES], headers)

    @routes.get("/agreements")
    async def agreements() -> Response:
        return _answer(*parts[AGREEMENTS], headers)

    @routes.get("/rooms")
    async def rooms() -> Response:
        return _answer(*parts[ROOMS], headers)

    @routes.get("/devices")
    async def devices() -> Response:
        return _answer(*parts[DEVICES], headers)

    @routes.get("/console/{path:path}")
    async def part(path: str) -> Response:
        if path not in parts:
            raise HTTPException(404)
        return _answer(*parts[path], headers)

    return routes


def _answer(content: bytes, content_type: str, headers: dict[str, str]) -> Response:
    return Response(content, media_type=content_type, headers=headers)
