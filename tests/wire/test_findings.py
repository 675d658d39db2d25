"""Findings: how a person and a machine read them."""

import msgspec

from wire.findings import Finding, Report, as_json, as_text, fail, merge, report_of, warn, well, worst_first


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


def test_troubles_of_one_part_become_one_finding() -> None:
    """The worst is the verdict and comes first, a text that is there twice is said once, and none is in order."""
    troubles = [warn("disk", "little room", "make room"), fail("disk", "full", "make room")]
    assert merge("disk", troubles, otherwise="fine") == fail("disk", "full; little room", "make room")
    assert merge("disk", [], otherwise="fine") == well("disk", "fine")


def test_however_much_is_wrong_a_finding_is_one_that_a_message_takes() -> None:
    """What is too long is cut and ends in an ellipsis."""
    found = merge("bus", [fail("bus", f"{number} {'x' * 90}", "") for number in range(9)], otherwise="")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Finding) == found
    assert found.found.endswith("…") and len(found.found) == 500


def test_the_worst_comes_first_and_else_the_order_stays() -> None:
    """Failures, then what is to be looked after, then the rest."""
    mixed = [well("a", ""), warn("b", "", ""), fail("c", "", ""), warn("d", "", ""), fail("e", "", "")]
    assert "".join(one.check for one in worst_first(mixed)) == "cebda"


def test_a_device_without_its_wan_is_ready_but_for_that() -> None:
    """Only where nothing else failed; warnings do not count, and what it means stands below the verdict."""
    away, other = fail("broker", "away", "mend"), fail("disk", "full", "mend")
    report = report_of([away, warn("clock", "off", "see")], wan=("link", "broker"))
    assert (report.ok, report.verdict) == (False, "Ready except WAN.")
    assert "the crew uses voice" in as_text(report).splitlines()[-1]
    assert report_of([away, other], wan=("link", "broker")).verdict == "2 failed, 0 to look after, 0 ok."
    assert report_of([away]).verdict == "1 failed, 0 to look after, 0 ok."
    assert report_of([well("broker", "")], wan=("broker",)).verdict == "All is well."
