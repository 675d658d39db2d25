"""Whose tiles the board's map stands on: the site's own, from a tile server or a PMTiles file, or none.

`DATA/map.toml` says so, one of:

    kind = "raster"                                     # or "vector"
    url = "http://127.0.0.1:8080/tiles/{z}/{x}/{y}.png"

    kind = "pmtiles"
    file = "kent.pmtiles"                               # in the data folder, or a whole path

    attribution = "© Crown copyright"                   # shown on the map
    night = true                                        # pictures that are dark already: the map does not dim them

Without it the map shows the outline of the land alone. Nothing is ever fetched from elsewhere that this does not name.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response
from msgspec import Meta

from cloud.api.schemas import answers, reply
from cloud.errors import Fatal
from wire.strict import convert, read_toml

Kind = Literal["raster", "vector", "pmtiles"]
Template = Annotated[
    str,
    Meta(
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!-~]*\Z",
        description="http://HOST[:PORT]/..., with {z}, {x} and {y}",
    ),
]

FILE_ROUTE = "/v1/map/tiles.pmtiles"


class MapFile(msgspec.Struct, frozen=True, kw_only=True):
    """`map.toml` as it is written."""

    kind: Kind
    url: Template | None = None
    file: str | None = None
    attribution: Annotated[str, Meta(max_length=200, description="at most 200 characters")] = ""
    night: bool = False


class Tiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where the map's tiles are."""

    kind: Kind
    url: str
    """A template with `{z}`, `{x}` and `{y}`; of a `pmtiles` file its address, which answers to ranges."""
    attribution: str
    night: bool
    """Whether pictures are dark already."""


class MapView(msgspec.Struct, frozen=True, kw_only=True):
    """What the map stands on."""

    tiles: Tiles | None
    """Null where there is nothing but the outline of the land."""


class Basemap(msgspec.Struct, frozen=True, kw_only=True):
    """What `map.toml` asks for, checked."""

    tiles: Tiles
    file: Path | None
    origin: str | None
    """Of a tile server: what the page may fetch from beside its own."""


BODIES: list[type[msgspec.Struct]] = [MapView, Tiles]
"""What the route answers with."""


def read_basemap(data: Path) -> Basemap | None:
    """Read `map.toml` in the data folder. None where there is none; raises `Fatal` where it can't be used."""
    path = data / "map.toml"
    try:
        text = path.read_text(encoding="utf-8")
        told = convert(read_toml(text), MapFile)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Fatal(f"{path}: cannot be read: {error}") from error
    if isinstance(told, tuple):
        raise Fatal(f"{path}: {'; '.join(map(str, told))}")
    if told.kind == "pmtiles":
        return _of_file(path, told)
    if told.url is None or told.file is not None or any(part not in told.url for part in ("{z}", "{x}", "{y}")):
        raise Fatal(f"{path}: {told.kind} tiles want a url with {{z}}, {{x}} and {{y}} in it, and no file")
    parts = urlsplit(told.url)
    return Basemap(tiles=_tiles(told, told.url), file=None, origin=f"{parts.scheme}://{parts.netloc}")


def _of_file(path: Path, told: MapFile) -> Basemap:
    if told.file is None or told.url is not None:
        raise Fatal(f"{path}: pmtiles want a file, and no url")
    file = path.parent / told.file
    if not file.is_file():
        raise Fatal(f"{path}: file: there is no {file}")
    return Basemap(tiles=_tiles(told, FILE_ROUTE.removeprefix("/")), file=file, origin=None)


def _tiles(told: MapFile, url: str) -> Tiles:
    return Tiles(kind=told.kind, url=url, attribution=told.attribution, night=told.night)


def router(basemap: Basemap | None) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["board"])

    @routes.get("/v1/map", responses=answers(MapView, "What the map stands on."))
    async def tell_map() -> Response:
        """Tell whose tiles the board's map stands on."""
        return reply(MapView(tiles=None if basemap is None else basemap.tiles))

    @routes.get(FILE_ROUTE, include_in_schema=False)
    async def send_tiles() -> Response:
        if basemap is None or basemap.file is None:
            raise HTTPException(404)
        return FileResponse(basemap.file, media_type="application/vnd.pmtiles")

    return routes
