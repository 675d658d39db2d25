"""How the page's files are served."""

import re
from http.client import HTTPConnection, HTTPResponse
from importlib.resources.abc import Traversable

import pytest

from cloud import console
from tests.browser.feed_source import FeedSource


def get(source: FeedSource, path: str) -> HTTPResponse:
    """The server's answer to a request for exactly this path."""
    connection = HTTPConnection("127.0.0.1", source.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_types_and_headers(source: FeedSource) -> None:
    """Each file of the page is served with its type, unsniffed, checked for freshness, and under the policy."""
    for path, content_type in (
        ("/", "text/html; charset=utf-8"),
        ("/console/board.css", "text/css; charset=utf-8"),
        ("/console/js/board.js", "text/javascript; charset=utf-8"),
        ("/console/mark.svg", "image/svg+xml"),
    ):
        answer = get(source, path)
        assert answer.status == 200
        assert answer.headers["content-type"] == content_type
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (answer.headers["content-security-policy"] or "").startswith("default-src 'self';")


@pytest.mark.parametrize("path", ["__init__.py", "js", "js/", "../clock.py", "%2e%2e/clock.py", "js/../__init__.py"])
def test_only_the_page_is_served(source: FeedSource, path: str) -> None:
    """Nothing but the page's own files can be asked for."""
    assert get(source, f"/console/{path}").status == 404


def sources(folder: Traversable = console.FILES) -> list[Traversable]:
    """Every file of the page that is ours; what others wrote is held by its hash."""
    own = [entry for entry in folder.iterdir() if entry.is_dir() and entry.name != "vendor"]
    inside = [found for entry in own for found in sources(entry)]
    return inside + [entry for entry in folder.iterdir() if entry.name.endswith((".js", ".html", ".css"))]


def test_nothing_from_elsewhere() -> None:
    """The page names no other origin and builds no markup from text."""
    forbidden = re.compile(r"https?://|//cdn|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(")
    assert len(sources()) > 10
    found = {entry.name: forbidden.findall(entry.read_text()) for entry in sources()}
    assert {name: hits for name, hits in found.items() if hits} == {}
