"""The figures of a running application, read by Prometheus's own parser."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from cloud.app import App


async def exposition(app: App) -> str:
    """What /metrics says."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{app.address}metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


async def figures(app: App) -> dict[str, float]:
    """Every figure by its name and the values of its labels."""
    found = {}
    for family in text_string_to_metric_families(await exposition(app)):
        for sample in family.samples:
            found[" ".join([sample.name, *sample.labels.values()])] = sample.value
    return found
