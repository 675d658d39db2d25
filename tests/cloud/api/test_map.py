"""Whose tiles the map stands on, and what the page may fetch for them."""

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cloud import console
from cloud.api.map import Basemap, read_basemap, router
from cloud.errors import Fatal

RASTER = 'kind = "raster"\nurl = "http://tiles.example:8080/{z}/{x}/{y}.png"\nattribution = "Ours"\n'


def basemap(folder: Path, text: str) -> Basemap | None:
    """What `map.toml` with this text asks for."""
    (folder / "map.toml").write_text(text, encoding="utf-8")
    return read_basemap(folder)


def ask(told: Basemap | None, path: str, **headers: str) -> httpx.Response:
    """The answer to one request."""
    app = FastAPI()
    app.include_router(router(told))

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(get())


def test_without_a_file_there_are_no_tiles(tmp_path: Path) -> None:
    """A site that says nothing gets the outline of the land, and the page may fetch from its own server alone."""
    assert read_basemap(tmp_path) is None
    assert ask(None, "/v1/map").json() == {"tiles": None}
    assert ask(None, "/v1/map/tiles.pmtiles").status_code == 404
    assert "connect-src" not in console.policy(None)


def test_a_tile_server_is_told_and_may_be_fetched_from(tmp_path: Path) -> None:
    """The page is told the server's address, and its policy lets it fetch from there and nowhere else."""
    told = basemap(tmp_path, RASTER)
    assert told is not None
    tiles = ask(told, "/v1/map").json()["tiles"]
    assert tiles == {
        "kind": "raster",
        "url": "http://tiles.example:8080/{z}/{x}/{y}.png",
        "attribution": "Ours",
        "night": False,
    }
    assert console.policy(told.origin).endswith("; connect-src 'self' http://tiles.example:8080")


def test_a_file_answers_to_ranges(tmp_path: Path) -> None:
    """A PMTiles file of the data folder is served in the pieces that are asked for."""
    (tmp_path / "kent.pmtiles").write_bytes(bytes(range(200)))
    told = basemap(tmp_path, 'kind = "pmtiles"\nfile = "kent.pmtiles"\n')
    assert told is not None and told.origin is None
    url = ask(told, "/v1/map").json()["tiles"]["url"]
    answer = ask(told, f"/{url}", range="bytes=10-19")
    assert (answer.status_code, answer.content) == (206, bytes(range(10, 20)))
    assert answer.headers["content-range"] == "bytes 10-19/200"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind = ", "cannot be read"),
        ('kind = "raster"', "want a url"),
        (RASTER + "speed = 1", "speed: unknown key"),
        (RASTER.replace("{z}", "{q}"), "want a url with {z}"),
        (RASTER.replace("http://tiles.example:8080/", "https://x 'unsafe-eval' *; script-src/"), "url: is "),
        (RASTER.replace("http:", "javascript:"), "url: is "),
        ('kind = "pmtiles"\nfile = "none.pmtiles"', "there is no"),
        ('kind = "pmtiles"\nfile = "a"\nurl = "http://a/"', "want a file, and no url"),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, text: str, said: str) -> None:
    """What can't be used is refused in one line, also an address that would widen the page's policy."""
    with pytest.raises(Fatal) as refused:
        basemap(tmp_path, text)
    assert said in str(refused.value) and "map.toml" in str(refused.value) and "\n" not in str(refused.value)
