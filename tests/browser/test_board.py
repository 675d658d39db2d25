"""What the board shows of a feed that speaks, and how it is used without a mouse."""

import re

import msgspec
from playwright.sync_api import Page, expect

from tests.browser.board_page import ALONE, WIDE, open_board, row
from tests.browser.county import DECLARED, county, unit
from tests.browser.feed_source import FeedSource
from wire.feed import Reason


def seconds(text: str) -> int:
    """The figure of an age in seconds."""
    found = re.fullmatch(r"(\d+)s", text)
    assert found is not None, text
    return int(found[1])


def test_late_unit(page: Page, source: FeedSource) -> None:
    """A unit that the feed calls unconfirmed loses its sign of confirmation."""
    source.hold([unit(1, "P141"), unit(2, "P142")])
    open_board(page, source)
    sign = row(page, "u-1").get_by_role("img").first
    expect(sign).to_have_text("●")
    source.change(unit(1, "P141", confidence="unconfirmed", link="late"))
    expect(sign).to_have_text("◐")
    expect(sign).to_have_attribute("aria-label", "unconfirmed")
    expect(row(page, "u-1")).to_contain_text("Radio: link late")
    expect(row(page, "u-1")).to_have_css("background-image", re.compile("repeating-linear-gradient"))
    expect(page.locator(".base-total")).to_have_text("1/2 available confirmed")
    expect(row(page, "u-2").get_by_role("img").first).to_have_text("●")


def test_ages_advance(page: Page, source: FeedSource) -> None:
    """Ages go on counting from what the feed said while it sends nothing but ticks."""
    source.hold([unit(1, "P141", link_s=5.0, status_s=8.0)])
    open_board(page, source)
    link, told = row(page, "u-1").locator(".c-link"), row(page, "u-1").locator(".c-told")
    first_s = seconds(link.inner_text())
    assert first_s in (5, 6, 7)
    expect(link).to_have_text(f"{first_s + 3}s")
    assert seconds(told.inner_text()) - seconds(link.inner_text()) in (2, 3, 4)


def test_words_of_a_row(page: Page, source: FeedSource) -> None:
    """Never heard says so and has no colour; no fix says so; an unproven time and an old position are marked."""
    source.hold(
        [
            unit(1, "P1", confidence="never"),
            unit(2, "P2", fix="none"),
            unit(3, "P3", code=1),
            unit(4, "P4", confidence="unconfirmed"),
            unit(5, "P5", confidence="contradicted"),
        ]
    )
    open_board(page, source)
    expect(row(page, "u-1")).to_contain_text("Never heard")
    expect(row(page, "u-1").get_by_role("img", name="never heard")).to_have_text("○")
    expect(row(page, "u-1").locator(".bar")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(row(page, "u-2").locator(".c-position")).to_have_text("no fix")
    expect(row(page, "u-3").locator(".c-since")).to_have_text(re.compile(r"^≈\d\d:\d\d$"))
    expect(row(page, "u-3").locator(".c-told")).to_have_text(re.compile(r"^≈\d+[sm]$"))
    expect(row(page, "u-2").locator(".c-told")).to_have_text(re.compile(r"^\d+[sm]$"))
    expect(row(page, "u-3").locator(".bar")).to_have_text("Committed")
    expect(row(page, "u-3").locator(".c-status")).to_have_text("1Mobile to incident")
    expect(row(page, "u-4").locator(".c-position")).to_have_text(re.compile(r"^\(\d+s\)$"))
    expect(row(page, "u-5").get_by_role("img", name="contradicted")).to_have_text("≠")


def test_reasons_of_a_row(page: Page, source: FeedSource) -> None:
    """A row says only what is not normal, what to do before why, in the wide table whole; its tooltip has all of it."""
    doubt = Reason(code="link_late", text="Nothing recent from the device: confirm by radio", source="link")
    radio = Reason(code="declared", text="By radio", source="radio")
    late = unit(3, "P3", confidence="unconfirmed")
    unknown = Reason(code="crew_unknown", text="Nobody has logged on", source="crew")
    source.hold(
        [
            unit(1, "P1"),
            msgspec.structs.replace(unit(2, "P2"), reasons=(radio,)),
            msgspec.structs.replace(late, reasons=(doubt, *late.reasons)),
            msgspec.structs.replace(late, unit="u-4", reasons=(DECLARED,)),
            msgspec.structs.replace(unit(5, "P5"), reasons=(DECLARED, unknown)),
        ]
    )
    for brief, query in (("Radio: link late", ALONE), ("Radio: Nothing recent from the device", WIDE)):
        open_board(page, source, query)
        for number, text in enumerate(("", "By radio", brief, "Declared on the vehicle's panel", ""), start=1):
            expect(row(page, f"u-{number}").locator(".c-reason")).to_have_text(text)
    expect(row(page, "u-3").locator(".c-reason")).to_have_attribute("title", re.compile("^" + doubt.text))


def test_parts_of_the_band_add_up(page: Page, source: FeedSource) -> None:
    """Each unit is counted once: by class where it is confirmed, else by its doubt, apart where it is not live."""
    source.hold(county())
    source.hold([*source.held.values(), msgspec.structs.replace(unit(61, "P9"), mode="test")])
    open_board(page, source)
    expect(page.locator("#counts")).to_have_text(
        re.compile(
            r"^61\sunits\s·\s\d+\savailable\s·\s\d+\sconditional\s·\s\d+\scommitted\s·\s\d+\snot\savailable"
            r"\s·\s5\sunconfirmed\s·\s1\scontradicted\s·\s3\snever\sheard\s·\s1\sin\stest$"
        )
    )
    units, *parts = (int(figure) for figure in re.findall(r"\d+", page.locator("#counts").inner_text()))
    assert sum(parts) == units


def test_test_mode_does_not_count(page: Page, source: FeedSource) -> None:
    """A unit in test mode is marked, is not counted as available, and the band says that not all is live."""
    source.hold([unit(1, "P1"), msgspec.structs.replace(unit(2, "P2"), mode="test")])
    open_board(page, source)
    expect(page.locator(".base-total")).to_have_text("1/2 available confirmed")
    expect(row(page, "u-2").locator(".mode-mark")).to_have_text("TEST")
    expect(page.locator("#mode")).to_have_text("LIVE · 1 in test")


HOSTILE = '<img src=x onerror="document.title=1">'


def test_hostile_words_stay_text(page: Page, source: FeedSource) -> None:
    """Markup in any word of a record is shown as text, on the board and in the detail."""
    reason = Reason(code=HOSTILE, text=HOSTILE, source=HOSTILE)
    record = unit(1, HOSTILE, base=HOSTILE, kind=HOSTILE, confidence="contradicted")
    source.hold([msgspec.structs.replace(record, reasons=(reason,), organisation=HOSTILE)])
    open_board(page, source)
    expect(row(page, "u-1").locator(".c-callsign")).to_have_text(HOSTILE)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text(HOSTILE)
    assert page.locator("img").count() == 0
    assert page.title() == "Watchroom board"


def test_keyboard_only(page: Page, source: FeedSource) -> None:
    """Find, select, detail and close need no mouse, and closing leads back step by step to the whole board."""
    source.hold(county())
    open_board(page, source)
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("thanet pumping")
    expect(page.locator("#shown")).to_have_text("SHOWING 4 OF 60")
    page.keyboard.press("Enter")
    expect(page.locator("#grid")).to_be_focused()
    expect(page.locator("[aria-selected=true] .c-callsign")).to_have_text("ALP51")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(page.locator("[aria-selected=true] .c-callsign")).to_have_text("P511")
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_focused()
    expect(page.locator("#detail")).to_contain_text("Nothing heard from the vehicle")
    expect(page.locator("#detail")).to_contain_text("3D fix")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator("#grid")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(60)
    expect(page.locator("[aria-selected=true] .c-callsign")).to_have_text("P511")


def test_views_and_help(page: Page, source: FeedSource) -> None:
    """F1 opens and closes the help; F2, F3, F4 and F6 show all units or one service's, and say what they hide."""
    source.hold(county())
    open_board(page, source)
    for key, service in (("F3", "fire"), ("F4", "police"), ("F6", "ambulance")):
        count = sum(record.service == service for record in source.held.values())
        page.keyboard.press(key)
        expect(page.locator("#shown")).to_have_text(f"SHOWING {count} OF 60")
        expect(page.locator("[role=row][aria-selected]")).to_have_count(count)
    page.keyboard.press("F2")
    expect(page.locator("#shown")).to_have_text("")
    page.keyboard.press("F1")
    expect(page.get_by_role("region", name="Keys and signs")).to_be_focused()
    page.keyboard.press("F1")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#grid")).to_be_focused()


def test_detail_follows_the_feed(page: Page, source: FeedSource) -> None:
    """An open detail shows each change of its unit, keeps the focus, and names both sides of a conflict."""
    source.hold([unit(1, "P141"), unit(2, "P142")])
    open_board(page, source)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    detail = page.get_by_role("region", name="Detail of P141")
    expect(detail).not_to_contain_text("Also told")
    source.change(unit(1, "P141", confidence="contradicted"))
    expect(detail).to_contain_text("Also told, and not shown")
    expect(detail).to_contain_text("stn14-panel")
    expect(page.locator("#detail")).to_be_focused()


def test_detail_outlives_its_row(page: Page, source: FeedSource) -> None:
    """An open detail keeps its unit, and goes on with its changes, where a view or a search hides the row."""
    source.hold([unit(1, "P141"), unit(2, "KP21", service="police")])
    open_board(page, source)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text("P141")
    page.keyboard.press("F4")
    expect(page.locator("[role=row][aria-selected] .c-callsign")).to_have_text(["KP21"])
    expect(page.locator("#detail h2")).to_have_text("P141")
    source.change(unit(1, "P141", confidence="contradicted"))
    expect(page.locator("#detail")).to_contain_text("Also told, and not shown")
    page.keyboard.press("j")
    expect(page.locator("#detail h2")).to_have_text("KP21")


def test_selection_stays_with_its_unit(page: Page, source: FeedSource) -> None:
    """A unit that moves to another base keeps its row and stays the selected one."""
    source.hold([unit(1, "P1", base="Ashford"), unit(2, "P2", base="Dover")])
    open_board(page, source)
    page.keyboard.press("j")
    expect(page.locator("[aria-selected=true] .c-callsign")).to_have_text("P1")
    source.change(unit(1, "P1", base="Whitfield"))
    expect(page.locator(".base-name")).to_have_text(["Dover", "Whitfield"])
    expect(page.locator("[aria-selected=true] .c-callsign")).to_have_text("P1")
    expect(page.locator("#grid")).to_have_attribute("aria-activedescendant", "unit-u-1")


def test_accessible_names(page: Page, source: FeedSource) -> None:
    """A screen reader is given a grid with heads, bases, rows and words for every sign."""
    source.hold([unit(1, "P141", link_s=300.0, status_s=7200.0, fix="none"), unit(3, "P142", confidence="never")])
    open_board(page, source)
    expect(page.locator("#grid")).to_match_aria_snapshot("""
        - grid "Unit board":
          - row /^Confidence Unit Service .*Status .*Class .*Position age Incident and reason$/:
            - columnheader "Confidence"
            - columnheader "Unit"
          - rowgroup:
            - row /Stn 14 shared 1\\/2 available confirmed/:
              - rowheader "Stn 14 shared"
              - gridcell "1/2 available confirmed"
            - row /confirmed P141 Fire/:
              - gridcell "confirmed":
                - img "confirmed"
              - rowheader "P141"
              - gridcell "Fire"
            - row /never heard P142 Fire/
    """)
    expect(page.locator("#grid")).to_have_attribute("aria-rowcount", "4")
    expect(row(page, "u-3")).to_have_attribute("aria-rowindex", "4")
    expect(page.get_by_role("status").first).to_have_text("Feed live")
    assert page.locator("[aria-live]:not(.form *)").count() == 1
