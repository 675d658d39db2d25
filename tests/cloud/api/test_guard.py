"""Who is answered: requests that name this machine, and no page that has pointed its own name at it."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.brokers import RunningBroker
from tests.site import running_site, write_directory

PATHS = ("/", "/v1/units", "/v1/feed", "/healthz", "/metrics", "/openapi.json", "/console/board.css")
FOREIGN = ("evil.example:8470", "127.0.0.1.evil.example", "localhost.evil.example:80", "127.0.0.1:8470@evil", "")


def test_a_rebound_name_is_not_answered(shared_nats: RunningBroker, tmp_path: Path) -> None:
    """A page whose own name points at 127.0.0.1 reads nothing, on any path; our own names are answered."""

    async def scenario() -> None:
        directory = write_directory(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=shared_nats.port, directory=directory) as app,
            httpx.AsyncClient(base_url=app.address) as client,
        ):
            for path in PATHS:
                for host in FOREIGN:
                    answer = await client.get(path, headers={"Host": host})
                    assert answer.status_code == 421, (path, host)
                    assert "kfrs" not in answer.text
            for host in ("127.0.0.1", "localhost:8470"):
                assert (await client.get("/v1/units", headers={"Host": host})).status_code == 200

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/v1/units", "/", "/metrics"])
def test_no_answer_may_be_embedded_or_sniffed(path: str, shared_nats: RunningBroker, tmp_path: Path) -> None:
    """Every answer tells the browser to keep it from other origins, once, and to take it for what it says it is."""

    async def scenario() -> None:
        directory = write_directory(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=shared_nats.port, directory=directory) as app,
            httpx.AsyncClient(base_url=app.address) as client,
        ):
            headers = (await client.get(path)).headers
            assert headers.get_list("cross-origin-resource-policy") == ["same-origin"]
            assert headers.get_list("x-content-type-options") == ["nosniff"]
            assert "access-control-allow-origin" not in headers

    asyncio.run(scenario())


def test_nothing_is_loaded_from_elsewhere(shared_nats: RunningBroker, tmp_path: Path) -> None:
    """The framework's own pages, which load scripts from the internet, are not served."""

    async def scenario() -> None:
        directory = write_directory(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=shared_nats.port, directory=directory) as app,
            httpx.AsyncClient(base_url=app.address) as client,
        ):
            assert [(await client.get(path)).status_code for path in ("/docs", "/redoc")] == [404, 404]

    asyncio.run(scenario())
