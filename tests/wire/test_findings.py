"""Findings: how a person and a machine read them."""

import msgspec

from wire.findings import Report, as_json, as_text, fail, report_of, warn, well


def test_a_person_reads_words_and_what_to_do() -> None:
    """Each level is a word at the start of its line, what to do stands below it, and the end sums up."""
    report = report_of(
        [well("disk", "9 MiB"), warn("clock", "off", "start chrony"), fail("file", "a\n  b\n  c", "mend")]
    )
    assert as_text(report).splitlines() == [
        "ok    disk: 9 MiB",
        "warn  clock: off",
        "      To do: start chrony",
        "FAIL  file: a",
        "      b",
        "      c",
        "      To do: mend",
        "1 failed, 1 to look after, 1 ok.",
    ]
    assert as_text(report_of([well("disk", "9 MiB")])).splitlines()[-1] == "All is well."


def test_only_a_failure_is_not_ok() -> None:
    """Warnings leave a report ok; one failure does not."""
    assert report_of([well("a", "b"), warn("a", "b", "c")]).ok
    assert not report_of([well("a", "b"), fail("a", "b", "c")]).ok


def test_a_machine_reads_the_same_on_one_line() -> None:
    """The JSON is one line, and reads back as the same report."""
    report = report_of([well("disk", "9 MiB"), fail("file", "a\nb", "mend")])
    written = as_json(report)
    assert len(written.splitlines()) == 1
    assert msgspec.json.decode(written, type=Report) == report
