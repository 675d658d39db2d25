"""What the page's server answers, and whom."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from importlib.resources.abc import Traversable

import msgspec
import pytest

from edge_agent.clock import SystemClock
from edge_agent.panel import PanelPage, PanelServer
from edge_agent.panel.files import FILES
from edge_agent.panel.port import Answer, PressForm
from edge_agent.panel.routes import BODY_BYTES_MAX, LISTENERS_MAX
from tests.edge_agent.panel.stand import Served, Stand, serving
from tests.waiting import eventually, wait_until

JSON = {"Content-Type": "application/json"}
PRESS = {"unit": "a14p1", "code": "1"}


@pytest.fixture
def served() -> Iterator[Served]:
    """A station's page, being served."""
    with serving(Stand()) as served:
        wait_until(lambda: answers(served.stand.number), what="the page is served")
        yield served


def answers(number: int) -> bool:
    """Whether somebody answers on this port."""
    with closing(HTTPConnection("127.0.0.1", number, timeout=10)) as connection:
        try:
            connection.request("GET", "/panel/mark.svg", headers={"Connection": "close"})
            with connection.getresponse() as answer:
                return bool(answer.read())
        except OSError:
            return False


def ask(
    served: Served, method: str, path: str, *, body: object = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    """The server's answer to exactly this."""
    connection = HTTPConnection("127.0.0.1", served.stand.number, timeout=10)
    content = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
    connection.request(method, path, body=content, headers=headers or {})
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    return answer, found


def trouble(content: bytes) -> str:
    """What the person at the glass is told."""
    return msgspec.json.decode(content, type=Answer).trouble


@contextmanager
def events(served: Served) -> Iterator[HTTPResponse]:
    """A connection that is sent the page, until the block ends."""
    connection = HTTPConnection("127.0.0.1", served.stand.number, timeout=10)
    with closing(connection):
        connection.request("GET", "/events")
        with connection.getresponse() as stream:
            yield stream


def events_status(served: Served) -> int:
    """What a further connection is answered."""
    with events(served) as stream:
        return stream.status


def read_event(stream: HTTPResponse) -> tuple[str, bytes]:
    """The next event's kind and data."""
    kind, data = stream.readline(), stream.readline()
    stream.readline()
    return kind.removeprefix(b"event: ").strip().decode(), data.removeprefix(b"data: ").strip()


def read_page(stream: HTTPResponse) -> PanelPage:
    """The next page."""
    kind, data = read_event(stream)
    assert kind == "page"
    return msgspec.json.decode(data, type=PanelPage)


def test_a_press_reaches_the_agent_and_its_answer_comes_back(served: Served) -> None:
    """A request of the page is done by the agent, and what went wrong is told in the agent's words."""
    answer, content = ask(served, "POST", "/press", body=PRESS, headers=JSON)
    assert (answer.status, trouble(content)) == (200, "")
    assert served.stand.asked == [PressForm(unit="a14p1", code="1")]
    served.stand.trouble = "the disk is full"
    answer, content = ask(served, "POST", "/press", body=PRESS, headers=JSON)
    assert (answer.status, trouble(content)) == (200, "the disk is full")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "127.0.0.1:80@x", ""])
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/events"), ("POST", "/press")])
def test_only_this_device_is_answered(served: Served, host: str, method: str, path: str) -> None:
    """A page elsewhere that points its name at this device is refused, whatever it asks."""
    body = PRESS if method == "POST" else None
    answer, _ = ask(served, method, path, body=body, headers={"Host": host, **JSON})
    assert answer.status in (400, 421)
    assert served.stand.asked == []


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:{port}"])
def test_another_page_cannot_press(served: Served, origin: str) -> None:
    """A request that another page sent to this panel does nothing; the panel's own does."""
    headers = {**JSON, "Origin": origin.format(port=served.stand.number)}
    answer, _ = ask(served, "POST", "/press", body=PRESS, headers=headers)
    assert answer.status == 403
    assert served.stand.asked == []
    own = {**JSON, "Origin": f"http://127.0.0.1:{served.stand.number}"}
    assert ask(served, "POST", "/press", body=PRESS, headers=own)[0].status == 200


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_elsewhere_can_send_does_nothing(served: Served, kind: str | None) -> None:
    """Only JSON is taken: what a page elsewhere could send without being allowed to is not."""
    answer, _ = ask(served, "POST", "/press", body=PRESS, headers={"Content-Type": kind} if kind else {})
    assert answer.status == 415
    assert served.stand.asked == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/press", b""),
        ("/press", b"{"),
        ("/press", b'"\xff"'),
        ("/press", b"[" * 4_000),
        ("/press", {"unit": "A14P1", "code": "1"}),
        ("/press", {"unit": "a14p1"}),
        ("/press", {"unit": "a14p1", "code": "1", "lamp": "steady"}),
        ("/crew", {"unit": "a14p1", "on": True, "riders": 100}),
        ("/turn-out", {"units": []}),
        ("/turn-out", {"units": ["u"] * 21}),
        ("/defect", {"unit": "a14p1", "what": ""}),
        ("/acknowledge", {"order": ""}),
    ],
)
def test_what_is_not_understood_is_not_done(served: Served, path: str, body: object) -> None:
    """A form outside its limits is answered with what is wrong, and never reaches the agent."""
    answer, content = ask(served, "POST", path, body=body, headers=JSON)
    assert answer.status == 400
    assert trouble(content).startswith("not understood")
    assert served.stand.asked == []


def test_a_request_is_short(served: Served) -> None:
    """A body longer than a form can be is refused before it is all read."""
    answer, _ = ask(served, "POST", "/press", body=b" " * (BODY_BYTES_MAX + 1), headers=JSON)
    assert answer.status == 413
    assert served.stand.asked == []


def test_no_emergency_on_glass(served: Served) -> None:
    """There is no request that raises an emergency."""
    for path in ("/emergency", "/press/emergency", "/alarm"):
        assert ask(served, "POST", path, body={"unit": "a14p1"}, headers=JSON)[0].status == 404
    assert ask(served, "GET", "/press")[0].status == 405


def test_the_page_comes_whole_at_each_change(served: Served) -> None:
    """A connection gets the build, the whole page, and the whole page again as soon as anything changes."""
    with events(served) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert read_event(stream)[0] == "build"
        first = read_page(stream)
        assert [unit.callsign for unit in first.units] == ["A14P1", "PC61", "D204"]
        served.tell(served.stand.cut)
        while (page := read_page(stream)).version == first.version:
            pass
        assert not page.wan_up and not page.control.seen


def test_silence_is_never_longer_than_a_second_or_so(served: Served) -> None:
    """With nothing changing the page still comes again, so that silence means that the agent is gone."""
    with events(served) as stream:
        read_event(stream)
        first, second = read_page(stream), read_page(stream)
        assert first.version == second.version
        assert 0.5 < (second.at - first.at).total_seconds() < 2.0


def test_pages_that_are_left_open_do_not_pile_up(served: Served) -> None:
    """More connections than a panel can have are refused, and one that closes makes room."""
    with ExitStack() as stack:
        for _ in range(LISTENERS_MAX):
            read_event(stack.enter_context(events(served)))
        assert events_status(served) == 503
    wait_until(lambda: events_status(served) == 200, what="there is room again")


def test_an_agent_that_ends_ends_its_connections(served: Served) -> None:
    """Cancelling the server ends an open stream at once and frees the port."""
    with events(served) as stream:
        read_event(stream)
        before = SystemClock().monotonic()
        served.stop()
        assert SystemClock().monotonic() - before < 3.0
        stream.read()
    assert not answers(served.stand.number)
    served.start()
    wait_until(lambda: answers(served.stand.number), what="it is served again")


def test_types_and_headers(served: Served) -> None:
    """Each file is served with its type, unsniffed and under the policy; what changes is never kept."""
    for path, content_type in (
        ("/", "text/html; charset=utf-8"),
        ("/panel/panel.css", "text/css; charset=utf-8"),
        ("/panel/js/panel.js", "text/javascript; charset=utf-8"),
    ):
        answer, _ = ask(served, "GET", path)
        assert answer.status == 200
        assert answer.headers["content-type"] == content_type
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert (answer.headers["content-security-policy"] or "").startswith("default-src 'self';")
    assert ask(served, "POST", "/press", body=PRESS, headers=JSON)[0].headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["__init__.py", "server.py", "js", "js/", "../clock.py", "%2e%2e/clock.py"])
def test_only_the_page_is_served(served: Served, path: str) -> None:
    """Nothing but the page's own files can be asked for."""
    assert ask(served, "GET", f"/panel/{path}")[0].status == 404


def sources(folder: Traversable = FILES) -> list[Traversable]:
    """Every file of the page."""
    inside = [found for entry in folder.iterdir() if entry.is_dir() for found in sources(entry)]
    return inside + [entry for entry in folder.iterdir() if entry.name.endswith((".js", ".html", ".css"))]


def test_nothing_from_elsewhere() -> None:
    """The page names no other origin and builds no markup from text."""
    own_name = "http://www.w3.org/2000/svg"
    forbidden = re.compile(r"https?://|//cdn|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(")
    assert len(sources()) > 10
    found = {entry.name: forbidden.findall(entry.read_text().replace(own_name, "")) for entry in sources()}
    assert {name: hits for name, hits in found.items() if hits} == {}


async def _taken_then_free() -> None:
    stand, clock = Stand(), SystemClock()
    with socket.socket() as other:
        other.bind(("127.0.0.1", stand.number))
        other.listen()
        server = PanelServer(stand, number=stand.number, clock=clock)
        task = asyncio.create_task(server.run())
        await eventually(lambda: server.fault, what="the fault is told")
        assert str(stand.number) in server.fault and not task.done()
    await eventually(lambda: not server.fault, what="the port is taken up once it is free")
    assert await asyncio.to_thread(answers, stand.number)
    task.cancel()
    await asyncio.wait([task])
    stand.loop.close()


def test_a_port_that_is_taken_stops_nothing() -> None:
    """The agent goes on without its page, says why, and serves it as soon as the port is free."""
    asyncio.run(_taken_then_free())
