"""The map as a test looks at it: by what stands on it in words, and by the colours of its pixels."""

import base64
from collections.abc import Iterator

import msgspec
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.county import unit
from tests.browser.feed_source import FeedSource
from wire.feed import FeedRecord

SOFTWARE_GRAPHICS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
AVAILABLE, CONDITIONAL, COMMITTED, RED = (63, 179, 127), (217, 163, 43), (90, 155, 213), (229, 72, 77)
HALO = (242, 245, 247)
LAT, LON = 51.2, 0.7
"""In the middle of the land: nothing but units is bright there."""

COUNT = """async ([png, colour, near]) => {
  const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const pen = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  pen.drawImage(picture, 0, 0);
  const { data } = pen.getImageData(0, 0, picture.width, picture.height);
  const away = [];
  for (let at = 0; at < data.length; at += 4) {
    if (colour.every((part, index) => Math.abs(data[at + index] - part) <= near)) {
      const x = (at / 4) % picture.width - picture.width / 2;
      const y = Math.floor(at / 4 / picture.width) - picture.height / 2;
      away.push(Math.hypot(x, y));
    }
  }
  return away;
}"""


class Eye:
    """Looks at the middle of the map: a unit that is alone on it stands there."""

    def __init__(self, page: Page, browser: Browser) -> None:
        """Look at the map of `page`."""
        self._page = page
        self._blank = browser.new_page()

    def away_px(self, colour: tuple[int, int, int], near: int = 40) -> list[float]:
        """How far from the map's middle each pixel of about this colour is."""
        box = self._page.locator(".map-ground").bounding_box()
        assert box is not None
        side = min(box["width"], box["height"]) - 130
        x, y = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2
        shot = self._page.screenshot(clip={"x": x, "y": y, "width": side, "height": side})
        found: list[float] = self._blank.evaluate(COUNT, [base64.b64encode(shot).decode(), list(colour), near])
        return found

    def close(self) -> None:
        """Look no more."""
        self._blank.close()


def placed(number: int = 1, *, age_s: float | None = 1.0, is_fresh: bool = True, **changed: object) -> FeedRecord:
    """A unit at the place that tests look at, at rest there `age_s` seconds ago."""
    record = unit(number, f"P14{number}")
    assert record.position is not None
    place = msgspec.structs.replace(record.position, lat=LAT, lon=LON, speed_mps=0.0, accuracy_m=4.0, age_s=age_s)
    ages = msgspec.structs.replace(record.ages, position_s=age_s)
    return msgspec.structs.replace(record, position=place, ages=ages, position_fresh=is_fresh, **changed)


def open_map(page: Page, source: FeedSource) -> Locator:
    """Open the board with its map, and wait until both are there. Gives the map."""
    page.goto(f"{source.url}?map")
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    expect(page.locator("#map")).to_have_attribute("data-state", "ready")
    expect(page.locator(".map-foot")).to_contain_text(f"of {len(source.held)} units")
    return page.locator("#map")


def tile_file(png: bytes) -> bytes:
    """A PMTiles file, version 3, that holds one picture for the whole world: see the format's own specification."""
    directory = bytes(_varints([1, 0, 1, len(png), 1]))
    metadata = b"{}"
    root = 127
    beyond = root + len(directory)
    whole = [root, len(directory), beyond, len(metadata), beyond + len(metadata), 0, beyond + len(metadata), len(png)]
    head = b"PMTiles\x03" + b"".join(number.to_bytes(8, "little") for number in [*whole, 1, 1, 1])
    plain, is_png = 1, 2
    head += bytes([1, plain, plain, is_png, 0, 0])
    corners = [-180, -85, 180, 85]
    head += b"".join((part * 10_000_000).to_bytes(4, "little", signed=True) for part in corners)
    head += bytes([0]) + bytes(8)
    assert len(head) == root
    return head + directory + metadata + png


def _varints(numbers: list[int]) -> Iterator[int]:
    for number in numbers:
        left = number
        while left > 127:
            yield left & 127 | 128
            left >>= 7
        yield left
