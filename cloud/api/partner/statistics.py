"""An organisation's own figures."""

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.partner.tokens import caller_of
from cloud.api.schemas import answers
from cloud.api.source import Site
from cloud.api.statistics import BAD_QUESTION, Question, ZoneName, give_figures, read_question, wants_table
from cloud.figures import Statistics


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["history"])

    @routes.get(
        "/v1/statistics",
        responses=answers(Statistics, "The figures.", s422=BAD_QUESTION, s503="What is stored can't be read now."),
    )
    async def show_statistics(
        request: Request, since: datetime | None = None, until: datetime | None = None, zone: ZoneName = ""
    ) -> Response:
        """Figures of your own organisation over a window, by default the last day; `Accept: text/csv` for a table."""
        question = Question(scope="organisation", id=caller_of(request).partner, since=since, until=until)
        asked = read_question(question, zone, site.moment().utc)
        return await give_figures(site.counting, asked, is_table=wants_table(request.headers.get("accept", "")))

    return routes
