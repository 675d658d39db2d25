"""The published description of the API: complete, consistent, and what is really answered."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.brokers import RunningBroker
from tests.cloud.api.speaker import UNIT, county_site, speaking
from tests.cloud.dispatch.samples import ORDER

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
ANSWERED = {
    "/v1/areas": ("v1/areas", 200),
    "/v1/control-rooms": ("v1/control-rooms", 200),
    "/v1/directory": ("v1/directory", 200),
    "/v1/bases": ("v1/bases", 200),
    "/v1/map": ("v1/map", 200),
    "/v1/units": ("v1/units", 200),
    "/v1/units/{unit}": (f"v1/units/{UNIT}", 200),
    "/v1/units/{unit}/events": (f"v1/units/{UNIT}/events", 200),
    "/v1/units/{unit}/track": (f"v1/units/{UNIT}/track", 200),
    "/healthz": ("healthz", 200),
    "/v1/alarms": ("v1/alarms", 200),
    "/v1/orders": ("v1/orders", 200),
    "/v1/orders/{order}": (f"v1/orders/{ORDER}", 200),
    "/v1/orders/{order}/log": (f"v1/orders/{ORDER}/log", 200),
}
NOT_ANSWERED = {
    "/v1/units/{unit}": ("v1/units/x", 404),
    "/v1/units/{unit}/events": (f"v1/units/{UNIT}/events?limit=0", 422),
    "/v1/units/{unit}/track": (f"v1/units/{UNIT}/track?since=2026-11-01T12:00:00", 422),
    "/v1/orders": ("v1/orders?limit=0", 422),
    "/v1/orders/{order}": ("v1/orders/x", 404),
    "/v1/orders/{order}/log": ("v1/orders/x/log", 404),
}


@pytest.fixture(scope="module")
def served(
    shared_mosquitto: RunningBroker, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, list[tuple[str, int, Any]]]:
    """The document as it is served, and answers of each kind: the route, the status, the body."""
    folder: Path = tmp_path_factory.mktemp("site")

    async def ask() -> tuple[Any, list[tuple[str, int, Any]]]:
        async with county_site(folder, shared_mosquitto) as app, speaking(shared_mosquitto) as device:
            await device.press()
            await device.settled()
            async with httpx.AsyncClient(base_url=app.address) as client:
                body = {"base": "stn-14", "units": [UNIT], "by": "op 7"}
                assert 201 == (await client.put(f"v1/orders/{ORDER}", json=body)).status_code
                document = (await client.get("openapi.json")).json()
                asked = [*ANSWERED.items(), *NOT_ANSWERED.items()]
                return document, [(route, *await answer(client, *path)) for route, path in asked]

    async def answer(client: httpx.AsyncClient, path: str, status: int) -> tuple[int, Any]:
        found = await client.get(path)
        assert status == found.status_code, found.text
        return status, found.json()

    return asyncio.run(ask())


def references(node: Any) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def look_up(document: Any, reference: str) -> Any:
    """What a `$ref` within the document points at. Raises KeyError."""
    assert reference.startswith("#/"), reference
    for part in reference[2:].split("/"):
        document = document[part]
    return document


def test_it_has_the_shape_of_openapi_3_1(served: Any) -> None:
    """The document has what 3.1 requires, and every path, parameter and answer in it is whole."""
    document, _ = served
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(document["info"])
    for path, item in document["paths"].items():
        assert path.startswith("/")
        for method, operation in item.items():
            assert method in METHODS
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert operation["responses"]
            assert all(answer["description"] for answer in operation["responses"].values())
    operations = [one["operationId"] for item in document["paths"].values() for one in item.values()]
    assert len(set(operations)) == len(operations)


def test_every_reference_leads_somewhere(served: Any) -> None:
    """No `$ref` dangles: whoever generates a client from the document gets one."""
    document, _ = served
    found = set(references(document))
    assert len(found) > 8
    for reference in found:
        assert look_up(document, reference)


def test_every_component_is_a_json_schema(served: Any) -> None:
    """Each component holds by the meta-schema of the dialect that OpenAPI 3.1 uses."""
    document, _ = served
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_what_is_answered_is_what_is_described(served: Any) -> None:
    """Answers of every route and kind are valid by the schema that the document gives for that status."""
    document, answers = served
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
    for route, status, body in answers:
        described = document["paths"][route]["get"]["responses"][str(status)]
        reference = described["content"]["application/json"]["schema"]["$ref"]
        validator = Draft202012Validator({"$ref": f"urn:api{reference}"}, registry=registry)
        assert [] == [error.message for error in validator.iter_errors(body)], (route, status)
        assert [] != list(validator.iter_errors({})), route


def test_bad_health_is_described_as_it_is_given(served: Any) -> None:
    """A 503 of /healthz has the shape of its 200: whoever watches reads `trouble` in both."""
    answers = served[0]["paths"]["/healthz"]["get"]["responses"]
    assert answers["503"]["content"] == answers["200"]["content"]


def test_no_answer_is_described_that_is_never_given(served: Any) -> None:
    """A request that isn't understood is a `Problem` everywhere: the framework's own shape is in no answer."""
    document, _ = served
    assert not any("HTTPValidationError" in reference for reference in references(document))
