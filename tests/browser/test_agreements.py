"""The page of sharing: agreements as they stand, what is decided beside them, and what a partner sees."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from cloud.api.seen import SeenList
from cloud.memory.reads import Seen
from cloud.sharing.terms import OWN, Grants
from tests.browser.agreements import DAILY, FLOOD, JOINT, answers, sharing_of
from tests.browser.board_page import open_board
from tests.browser.county import unit
from tests.browser.feed_source import SourceFactory, now
from tests.browser.rooms import DAY, RoomsSource

OPEN = Grants(fields=frozenset(DAY), agreements=(DAILY.id,), precision_m=500, delay_s=120)


@pytest.fixture
def source(serve: SourceFactory, port: int) -> RoomsSource:
    """A room with two pumps, of which the police see one."""
    made = RoomsSource(port=port)
    made.hold([unit(0, "P140"), unit(1, "P141"), unit(2, "KP22", service="police")])
    made.add("kent-fire", "Kent Fire", lambda record: OWN if record.service == "fire" else None)
    made.add(
        "kent-police",
        "Kent Police",
        lambda one: OWN if one.service == "police" else OPEN if one.unit == "u-0" else None,
    )
    made.answers |= answers()
    for number in (0, 1):
        made.answers[f"GET v1/units/u-{number}/sharing"] = (200, sharing_of(f"u-{number}", hidden=number == 1))
    serve(made)
    return made


def opened(page: Page, source: RoomsSource) -> None:
    """Open the page as the police see it, with everything read."""
    page.goto(f"{source.url}agreements?partner=kent-police")
    expect(page.locator("body")).to_have_attribute("data-known", "true")
    expect(page.locator(".room-column")).to_have_attribute("data-feed", "live")


def posts(source: RoomsSource) -> list[tuple[str, object]]:
    """What the page has sent."""
    return [(what, body) for what, body in source.asked if what.startswith("POST")]


def test_each_agreement_says_what_it_opens_and_how_it_stands(page: Page, source: RoomsSource) -> None:
    """Owner, partner, units, fields, precision, delay and condition in words; its state, who withdrew it, and why."""
    opened(page, source)
    daily = page.locator(f'[data-agreement="{DAILY.id}"]')
    expect(daily).to_contain_text("to Kent Police")
    expect(daily).to_contain_text("all its units; always")
    expect(daily).to_contain_text("position to 500 m and 2 min late")
    expect(daily.locator(".state")).to_contain_text("in force")
    joint = page.locator(f'[data-agreement="{JOINT.id}"]')
    expect(joint).to_contain_text("type Pumping appliance; at an incident that the partner is at too")
    expect(joint.locator(".state")).to_contain_text("A crew was followed")
    expect(joint.locator(".state")).to_contain_text("by Op 9")
    expect(page.locator('[data-agreement="fire-police-flood"] .state')).to_contain_text(f"for {FLOOD} to be declared")
    expect(page.locator("#accesses")).to_contain_text("Officer hurt · Op 4")
    expect(page.locator("#accesses")).to_contain_text("Kent Police saw all units of Kent Fire: over")
    expect(page.locator("#open-now")).to_have_text("EMERGENCY ACCESS OPEN: 1")
    expect(page.locator("#loans")).to_contain_text("P140: Kent Fire to Kent Police, asked for")
    assert ["Kent Fire offers…", "Kent Fire agrees…", "Kent Fire declines…", "Kent Police declines…"] == page.locator(
        "#loans button"
    ).all_inner_texts()
    expect(page.locator("#covers")).to_contain_text("Police Control covers Fire Control: not taken over")


def test_nothing_is_sent_without_a_name_and_a_reason(page: Page, source: RoomsSource) -> None:
    """By keyboard alone: the button opens a form, which asks who and why; one Enter there withdraws, Esc sends none."""
    opened(page, source)
    page.get_by_role("button", name=f"Withdraw {DAILY.id}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#deciding")).to_contain_text("sees nothing more by it")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=f"Withdraw {DAILY.id}")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#deciding .said")).to_contain_text("Say why")
    page.keyboard.type("Their token is lost")
    page.keyboard.press("Enter")
    expect(page.locator("#deciding .said")).to_contain_text("Say who you are")
    assert [] == posts(source)
    source.answers[f"POST v1/agreements/{DAILY.id}/withdraw"] = (200, {})
    page.keyboard.type("Op 7")
    page.keyboard.press("Enter")
    expect(page.locator("#deciding")).to_be_hidden()
    expect(page.locator("#said")).to_have_text(f"Withdrawn: {DAILY.id}")
    asked = (f"POST v1/agreements/{DAILY.id}/withdraw", {"by": "Op 7", "reason": "Their token is lost"})
    assert [asked] == posts(source)


def test_every_act_asks_for_what_it_needs(page: Page, source: RoomsSource) -> None:
    """A major incident by the name that agreements wait for, a loan by its version, a cover with its ground.

    Units are named by callsigns, with spaces in them or between them.
    """
    opened(page, source)
    source.answers |= {f"POST v1/{path}": (200, {}) for path in ("major-incidents", "loans", "covers/c1/take-over")}
    for button in ("#declare", "[data-key='loan l1 owner commit']", "[data-key='cover c1']"):
        page.locator(button).click()
        page.get_by_label("Because").fill("The river is over its banks")
        page.get_by_label("Your name").fill("Op 7")
        page.keyboard.press("Enter")
        expect(page.locator("#deciding")).to_be_hidden()
    said = {"by": "Op 7", "reason": "The river is over its banks"}
    declared, loan, cover = (body for _, body in posts(source))
    assert {"name": FLOOD, **said} == declared
    assert {"why": "planned", **said} == cover
    assert isinstance(loan, dict)
    assert ("l1", "commit", "kent-fire", "kent-police", 1) == tuple(
        loan[key] for key in ("loan", "verb", "from", "to", "expects")
    )
    source.change(unit(3, "Florian 14/44-1"))
    expect(page.locator("#unseen")).to_contain_text("Florian 14/44-1")
    page.locator("#begin-loan").click()
    page.locator("#f-verb").select_option("offer")
    page.locator("#f-units").fill("florian 14/44-1, P140 P141")
    page.get_by_label("Because").fill("Boats")
    page.keyboard.press("Enter")
    expect(page.locator("#deciding")).to_be_hidden()
    begun = posts(source)[-1][1]
    assert isinstance(begun, dict) and ["u-3", "u-0", "u-1"] == begun["units"]


def test_what_a_partner_sees_and_why_not_more(page: Page, source: RoomsSource) -> None:
    """Its view is live; what it does not see is listed beside it, and each kind of thing says whether it is hidden."""
    opened(page, source)
    expect(page.locator("#view [role=row][aria-selected]")).to_have_count(2)
    expect(page.locator("#unseen-title")).to_have_text("1 unit that Kent Police does not see")
    page.get_by_role("button", name="P141 F").click()
    expect(page.locator("#why")).to_contain_text("Not seen: covert, off duty or at home")
    page.locator("#view .grid").focus()
    page.keyboard.press("End")
    expect(page.locator("#why")).to_contain_text("Seen: opened by fire-police-day")
    expect(page.locator('#why [data-shown="true"]', has_text="position")).to_contain_text("to a square of 500 m")
    expect(page.locator('#why [data-shown="false"]', has_text="crew").first).to_contain_text("no open agreement")


def test_no_barrier_and_nothing_old_as_now(page: Page, source: RoomsSource) -> None:
    """No rule of the accessibility checker is broken on a small screen; without answers the page says what is old."""
    page.set_viewport_size({"width": 1024, "height": 600})
    opened(page, source)
    page.get_by_role("button", name="P141 F").click()
    expect(page.locator("#why")).to_contain_text("Not seen")
    page.locator("#open-access").click()
    found = Axe().run(page).response["violations"]
    assert [] == [(one["id"], one["nodes"][0]["html"]) for one in found]
    assert 1024 == page.evaluate("document.documentElement.scrollWidth")
    source.answers["GET v1/covers"] = (503, {"problem": "the ledger is away"})
    expect(page.locator("#banner")).to_contain_text("what is below is old (the ledger is away)")


def test_the_board_says_who_a_unit_is_shared_with(page: Page, source: RoomsSource) -> None:
    """In a unit's detail: what each partner sees of it or why not, and who has seen it in the last day."""
    seen = Seen(
        number=1,
        partner="kent-police",
        way="feed",
        fields=("status",),
        agreements=(DAILY.id,),
        precision_m=0,
        delay_s=0,
        since=now() - timedelta(hours=2),
        until=None,
    )
    told = SeenList(unit="u-0", since=now(), until=now(), seen=(seen,), next_before=None)
    source.answers["GET v1/units/u-0/seen"] = (200, told)
    open_board(page, source)
    page.locator("#unit-u-0").dblclick()
    shared = page.locator(".shared-with")
    expect(shared).to_contain_text(
        "Kent Police sees base, capabilities, class and reasons, status, position to a square"
    )
    expect(shared).to_contain_text("Kent Police live feed")
    page.locator("#unit-u-1").click()
    expect(shared).to_contain_text("Kent Police does not see it")
    expect(shared).to_contain_text("Not known: nothing is scripted")
