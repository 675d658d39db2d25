"""What a look at a running system found, one line each, for `edge-agent diagnose` and `watchroom doctor`. Pure.

A device says the same of its parts in its heartbeats, on its Faults tab and on the fleet-health page.

Words, never colours or symbols, so that a screen reader, a log and a telephone carry them all the same.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec

from wire.events import Text, Word

Level = Literal["ok", "warn", "fail"]
_WORDS: dict[Level, str] = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
_RANKS: dict[Level, int] = {"fail": 0, "warn": 1, "ok": 2}
_INDENT = " " * 6
TEXT_MAX = 500
"""What `Text` takes."""
WORD_MAX = 64
"""What `Word` takes."""
FINDINGS_MAX = 12
"""What one message carries of them."""
ALL_WELL = "All is well."
READY_EXCEPT_WAN = "Ready except WAN."
_EXCEPT_WAN = (
    "What is pressed is kept on this device and goes to control by itself when the link is back. Until then control "
    "does not get it: the crew uses voice."
)


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
    verdict: str = ""
    """The sum in a few words: `All is well.`, `Ready except WAN.`, or how many failed."""


def well(check: str, found: str) -> Finding:
    """Say that something is in order."""
    return Finding(check=check, level="ok", found=found)


def warn(check: str, found: str, do: str) -> Finding:
    """Say what is to be looked after, though it works."""
    return Finding(check=check, level="warn", found=found, do=do)


def fail(check: str, found: str, do: str) -> Finding:
    """Say what does not work."""
    return Finding(check=check, level="fail", found=found, do=do)


def merge(check: str, troubles: Iterable[Finding], *, otherwise: str) -> Finding:
    """Make one finding of all the troubles of one part: the worst level, every text once, the worst first.

    Where there is none it is in order, as `otherwise` says.
    """
    found = worst_first(troubles)
    if not found:
        return well(check, otherwise)
    texts, cures = (_joined(dict.fromkeys(getattr(one, name) for one in found)) for name in ("found", "do"))
    return Finding(check=check, level=found[0].level, found=texts, do=cures)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put what fails first, then what is to be looked after; among equals the order stays."""
    return tuple(sorted(findings, key=lambda one: _RANKS[one.level]))


def report_of(findings: Iterable[Finding], *, wan: Collection[str] = ()) -> Report:
    """Sum findings up. Where nothing failed but checks of `wan`, the verdict is that all but the WAN is ready."""
    found = tuple(findings)
    failed = {one.check for one in found if one.level == "fail"}
    verdict = READY_EXCEPT_WAN if failed and failed <= set(wan) else _sum(found)
    return Report(ok=not failed, findings=found, verdict=verdict)


def as_text(report: Report) -> str:
    """Write a report for a person: a line for each finding, below it what to do, and the verdict at the end."""
    lines = [line for finding in report.findings for line in _lines(finding)]
    meaning = [_EXCEPT_WAN] if report.verdict == READY_EXCEPT_WAN else []
    return "\n".join([*lines, report.verdict, *meaning])


def as_json(report: Report) -> str:
    """Write a report for a machine: one JSON object on one line."""
    return msgspec.json.encode(report).decode()


def _lines(finding: Finding) -> Sequence[str]:
    first, *others = finding.found.splitlines() or [""]
    lines = [f"{_WORDS[finding.level]:<6}{finding.check}: {first}", *(f"{_INDENT}{line.strip()}" for line in others)]
    return [*lines, f"{_INDENT}To do: {finding.do}"] if finding.do else lines


def _sum(findings: Sequence[Finding]) -> str:
    failed, warned = (sum(one.level == level for one in findings) for level in ("fail", "warn"))
    if not failed and not warned:
        return ALL_WELL
    return f"{failed} failed, {warned} to look after, {len(findings) - failed - warned} ok."


def cut(text: str, characters: int) -> str:
    """Cut a text that is too long; that it goes on is seen by the ellipsis at its end."""
    if len(text) <= characters:
        return text
    return f"{text[: characters - 1]}…" if characters else ""


def read_findings(said: object) -> list[Finding]:
    """Read what a device says that speaks another version than ours: of each entry what can be read, the worst first.

    A level that is not known is to be looked after, for nobody here knows how bad it is.
    """
    read = [_read(one) for one in said] if isinstance(said, list) else []
    return list(worst_first(one for one in read if one is not None)[:FINDINGS_MAX])


def _read(said: object) -> Finding | None:
    check, level, found, do = (
        (one if isinstance(one := said.get(name), str) else "") if isinstance(said, dict) else ""
        for name in ("check", "level", "found", "do")
    )
    if not check or not level:
        return None
    known: Level = next((one for one in _RANKS if one == level), "warn")
    found = found if known == level else f"{level}: {found}"
    return Finding(check=cut(check, WORD_MAX), level=known, found=cut(found, TEXT_MAX), do=cut(do, TEXT_MAX))


def _joined(texts: Iterable[str]) -> str:
    return cut("; ".join(text for text in texts if text), TEXT_MAX)
