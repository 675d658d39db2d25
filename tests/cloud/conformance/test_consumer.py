"""A consumer that conforms passes every scene, and one that is wrong in one way fails in the scene that is about it."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from cloud.conformance import check_consumer
from cloud.conformance.scenes import EPOCH, OTHER_EPOCH, expected, scenes
from cloud.conformance.schemas import complaints, schema_of, withheld
from tests.tidy.sources import ROOT
from wire.findings import Finding, as_text, report_of

EXAMPLE = re.search(
    r"<!-- consumer -->\n```python\n(.*?)```", (ROOT / "docs" / "sharing-formats.md").read_text(encoding="utf-8"), re.S
)
assert EXAMPLE is not None
RIGHT = EXAMPLE[1]

WRONG: Mapping[str, tuple[str, str, str]] = {
    "keeps what is gone": ("gone", 'for unit in data.get("gone", ()):', "for unit in ():"),
    "merges records": (
        "changes",
        'self.units[one["unit"]] = (one, now)',
        'self.units[one["unit"]] = (self.units.get(one["unit"], ({}, 0))[0] | one, now)',
    ),
    "adds a snapshot to what it holds": ("foreign epoch", "self.units = {one", "self.units |= {one"),
    "shows half a snapshot": ("half a snapshot", 'if data["part"] == data["parts"]:', "if True:"),
    "never finds the feed lost": ("feed lost", "follower.lost = True", "pass"),
    "comes back without its id": ("cut and resumed", '"Last-Event-ID": follower.last_id', '"X": follower.last_id'),
    "lets ages stand": ("feed lost", "one[name] + now - came", "one[name]"),
    "falls over an unknown kind": (
        "unknown fields and kinds",
        'elif kind == "alarms":',
        'elif kind not in ("alarms", "tick"):\n            raise OSError(kind)\n        elif kind == "alarms":',
    ),
}


@contextlib.contextmanager
def following(program: str, address: str, log: Path) -> Iterator[None]:
    """The consumer as a process of its own, as long as it is led."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", program, f"{address}/v1/feed", f"{address}/view"], stderr=said
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


def judged(program: str, log: Path) -> list[Finding]:
    """Lead a consumer through the scenes."""
    said: SimpleQueue[str] = SimpleQueue()
    with ThreadPoolExecutor(1) as thread:
        verdict = thread.submit(check_consumer, 0, said.put)
        found = re.search(r"http://[0-9.]+:[0-9]+", said.get(timeout=10))
        assert found is not None
        with following(program, found[0], log):
            return verdict.result(timeout=60)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Finding]]:
    """What is found of each consumer, by what is wrong with it; all are led at once, since they mostly wait."""
    folder = tmp_path_factory.mktemp("consumers")
    programs = {"": RIGHT}
    for name, (_, right, wrong) in WRONG.items():
        assert right in RIGHT, name
        programs[name] = RIGHT.replace(right, wrong)
    with ThreadPoolExecutor(len(programs)) as threads:
        logs = [folder / f"{number}.log" for number in range(len(programs))]
        return dict(zip(programs, threads.map(judged, programs.values(), logs), strict=True))


def test_the_example_of_the_documentation_passes(verdicts: Mapping[str, list[Finding]]) -> None:
    """The consumer that the documentation shows passes every scene, as it stands there."""
    report = report_of(verdicts[""])
    assert report.ok, as_text(report)
    assert {scene.name for scene in scenes()} <= {finding.check for finding in report.findings}


@pytest.mark.parametrize("name", WRONG)
def test_a_consumer_that_is_wrong_fails(name: str, verdicts: Mapping[str, list[Finding]]) -> None:
    """Each fault is found by the scene that is about it, and the line says what to do."""
    failed = {finding.check: finding for finding in verdicts[name] if finding.level == "fail"}
    assert WRONG[name][0] in failed, as_text(report_of(verdicts[name]))
    assert failed[WRONG[name][0]].do


def test_the_script_keeps_to_the_published_schemas() -> None:
    """What a consumer is led through is what a server may send, but for what is unknown on purpose."""
    sent = 0
    for scene in scenes():
        for text in scene.text:
            kind, data = _read(text)
            if kind in ("", "weather"):
                continue
            assert [] == list(complaints(schema_of(kind, is_partners=True), data)), scene.name
            assert [] == [field for one in data.get("records", ()) for field in withheld(one)]
            sent += 1
    assert sent > 10
    assert {"p-1", "p-9"} == set(expected()[-1].units) and EPOCH != OTHER_EPOCH


def _read(text: str) -> tuple[str, dict[str, Any]]:
    fields: dict[str, str] = {}
    for line in text.replace("\r\n", "\n").splitlines():
        name, _, value = line.partition(":")
        fields[name] = fields.get(name, "") + value.strip()
    return fields.get("event", ""), json.loads(fields["data"]) if "data" in fields else {}
