"""What is answered where a request can't be: one line, in one shape, that says what is wrong and what to do."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from cloud.api.answers import Problem
from cloud.api.schemas import reply
from cloud.errors import CloudError

_log = structlog.get_logger("api")


def add_problems(api: FastAPI) -> None:
    """Let the application answer with a `Problem` whatever goes wrong before, in or after a route."""
    api.exception_handler(RequestValidationError)(_not_understood)
    api.exception_handler(HTTPException)(_not_offered)
    api.exception_handler(CloudError)(_not_readable)


async def _not_understood(_request: Request, error: RequestValidationError) -> Response:
    return reply(Problem("; ".join(map(_explain, error.errors()))), 422)


async def _not_offered(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    advice = {
        404: f"there is nothing at {path}; GET /openapi.json lists what there is",
        405: f"{request.method} does nothing at {path}; GET /openapi.json tells what does",
    }
    answer = reply(Problem(advice.get(error.status_code, str(error.detail))), error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _not_readable(request: Request, error: CloudError) -> Response:
    _log.error("not_answered", path=request.url.path, cause=str(error))
    return reply(Problem("what is stored can't be read now; GET /healthz and the log say why. Ask again"), 503)


def _explain(error: dict[str, object]) -> str:
    """Name the parameter and what is wrong with it, as in `limit: Input should be less than or equal to 1000`."""
    place = error["loc"]
    name = place[-1] if isinstance(place, tuple | list) and place else "request"
    advice = " (in a query a + is written %2B)" if str(error["type"]).startswith("datetime") else ""
    return f"{name}: {error['msg']}{advice}"
