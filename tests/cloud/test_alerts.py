"""The alerts: Prometheus takes them, each fires and keeps quiet as it should, and what they rest on is really told."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_agent.clock import SystemClock
from tests.brokers import RunningBroker
from tests.cloud.api.exposition import exposition
from tests.cloud.api.speaker import county_site, speaking
from tests.cloud.fleet.samples import heartbeat
from tests.programs import require_program
from wire import codec

DOCS = Path(__file__).parents[2] / "docs"
RULES = DOCS / "alerts" / "watchroom.rules.yml"
TESTS = DOCS / "alerts" / "watchroom.tests.yml"
ALERT = re.compile(r"^      - alert: (\w+)$", re.MULTILINE)
SELECTOR = re.compile(r"\b(watchroom_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)(=~?)"([^"]*)"')
HEARD_S = 20.0
APPEARS_LATER = {"watchroom_refused_total", "watchroom_set_aside_total"}
"""One for each reason, from the first of its kind on."""


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Ask Prometheus's own tool."""
    program = [str(require_program("promtool")), *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)


def alerts() -> dict[str, str]:
    """Each alert by its name, as it is written."""
    _, *parts = ALERT.split(RULES.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def unknown(rules: str, told: dict[str, list[dict[str, str]]]) -> list[str]:
    """The selectors in these rules that match nothing of what is told."""
    found = []
    for name, labels in SELECTOR.findall(rules):
        for label, kind, values in LABEL.findall(labels) or [("", "", "")]:
            for value in values.split("|") if kind == "=~" else [values]:
                if not any(not label or one.get(label) == value for one in told.get(name, [])):
                    found.append(f"{name} {label} {value}".strip())
    return found


def test_prometheus_takes_the_rules() -> None:
    """Promtool finds no fault in them."""
    answer = promtool("check", "rules", str(RULES))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{len(alerts())} rules found" in answer.stdout


def test_each_alert_fires_and_keeps_quiet() -> None:
    """Promtool runs every alert against series that must raise it and series that must not."""
    answer = promtool("test", "rules", str(TESTS))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    names = re.findall(r"^  - name: (\w+) (fires|quiet)$", TESTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {(alert, way) for alert in alerts() for way in ("fires", "quiet")} == set(names)


def test_an_alert_that_does_not_fire_is_found(tmp_path: Path) -> None:
    """The tests of the rules can fail: with a threshold out of reach promtool names the alert."""
    (tmp_path / TESTS.name).write_text(TESTS.read_text(encoding="utf-8"), encoding="utf-8")
    rules = RULES.read_text(encoding="utf-8").replace(
        "watchroom_broker_connected == 0", "watchroom_broker_connected == 7"
    )
    (tmp_path / RULES.name).write_text(rules, encoding="utf-8")
    answer = promtool("test", "rules", str(tmp_path / TESTS.name))
    assert answer.returncode != 0 and "WatchroomBrokerDisconnected" in answer.stdout + answer.stderr


@pytest.mark.parametrize("name", sorted(alerts()))
def test_each_alert_says_what_to_do(name: str) -> None:
    """Each has a wait, a severity, a summary and a description, and a line in the guide for operators."""
    written = alerts()[name]
    assert re.search(r"^        for: \d+[sm]$", written, re.MULTILINE)
    assert re.search(r"^        labels: \{severity: (page|warning)\}$", written, re.MULTILINE)
    assert "          summary: " in written
    _, _, description = written.partition("          description: >-\n")
    assert len(description.split()) > 15
    assert f"| {name} |" in (DOCS / "operation.md").read_text(encoding="utf-8")


def test_alerts_rest_on_what_is_told(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Every figure that an alert names, with its labels, is in the answer of a running application."""

    async def scenario() -> str:
        async with county_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto) as device:
            vehicle = device.vehicle
            await device.prove()
            said = heartbeat(9, disk_free_mib=7, device=vehicle.device, stream=vehicle.stream)
            await device.publish(f"wr/1/up/{vehicle.org}/{vehicle.device}/live", codec.encode(said))
            async with asyncio.timeout(HEARD_S):  # what an earlier test left with the broker may be answered first
                while "watchroom_device_disk_free_min_bytes" not in (told := await exposition(app)):
                    await SystemClock().sleep(0.05)
            return told

    told: dict[str, list[dict[str, str]]] = {}
    families = list(text_string_to_metric_families(asyncio.run(scenario())))
    for sample in (sample for family in families for sample in family.samples):
        told.setdefault(sample.name, []).append(sample.labels)
    assert {f"{one.name}_total" for one in families} >= APPEARS_LATER
    expressions = "\n".join(re.sub(r"(?s)^        for: .*", "", one, flags=re.MULTILINE) for one in alerts().values())
    assert APPEARS_LATER >= {one for one in unknown(expressions, told)}
    assert ["watchroom_waiting lane nowhere"] == unknown('watchroom_waiting{lane="nowhere"}', told)
    assert ["watchroom_renamed_total"] == unknown("rate(watchroom_renamed_total[5m])", told)
