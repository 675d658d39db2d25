"""What a look at a running system found, one line each, for `edge-agent diagnose` and `watchroom doctor`. Pure.

A device says the same of its parts in its heartbeats, on its Faults tab and on the fleet-health page.

Words, never colours or symbols, so that a screen reader, a log and a telephone carry them all the same.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from wire.events import Text, Word

Level = Literal["ok", "warn", "fail"]
_WORDS: dict[Level, str] = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
_INDENT = " " * 6


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was looked at."""

    check: Word
    """What was looked at: a word or two."""
    level: Level
    found: Text = ""
    """What is so."""
    do: Text = ""
    """What a person is to do about it; never empty where something is wrong."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of a look, as a machine reads it."""

    ok: bool
    """Whether nothing failed. Warnings do not count."""
    findings: tuple[Finding, ...]


def well(check: str, found: str) -> Finding:
    """Say that something is in order."""
    return Finding(check=check, level="ok", found=found)


def warn(check: str, found: str, do: str) -> Finding:
    """Say what is to be looked after, though it works."""
    return Finding(check=check, level="warn", found=found, do=do)


def fail(check: str, found: str, do: str) -> Finding:
    """Say what does not work."""
    return Finding(check=check, level="fail", found=found, do=do)


def report_of(findings: Iterable[Finding]) -> Report:
    """Sum findings up."""
    found = tuple(findings)
    return Report(ok=all(one.level != "fail" for one in found), findings=found)


def as_text(report: Report) -> str:
    """Write a report for a person: a line for each finding, below it what to do, and the sum at the end."""
    lines = [line for finding in report.findings for line in _lines(finding)]
    return "\n".join([*lines, _sum(report.findings)])


def as_json(report: Report) -> str:
    """Write a report for a machine: one JSON object on one line."""
    return msgspec.json.encode(report).decode()


def _lines(finding: Finding) -> Sequence[str]:
    first, *others = finding.found.splitlines()
    lines = [f"{_WORDS[finding.level]:<6}{finding.check}: {first}", *(f"{_INDENT}{line.strip()}" for line in others)]
    return [*lines, f"{_INDENT}To do: {finding.do}"] if finding.do else lines


def _sum(findings: Sequence[Finding]) -> str:
    failed, warned = (sum(one.level == level for one in findings) for level in ("fail", "warn"))
    if not failed and not warned:
        return "All is well."
    return f"{failed} failed, {warned} to look after, {len(findings) - failed - warned} ok."
