"""What holds for the whole page: accessibility by axe-core in both colour schemes, failures, keys, weight, and where requests go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from eunato_rag.indexing.embedding import Embedder
from eunato_rag.serving.http.access import Access
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.keys import KeyStore
from tests.serving.conftest import running
from tests.serving.page.conftest import DESKTOP, PHONE, Visit, playwright

QUESTION = "/ask?q=Why+did+Pooling+and+Sharing+fail%3F"
OFF_TOPIC = "/ask?q=What+is+the+best+recipe+for+goulash%3F"
PAPER = "/documents/mangiameli-2025"
MOST_BYTES = 150 * 1024


def start(page: Any) -> None:
    page.goto("/")
    page.locator(".examples li").first.wait_for()


def answer(page: Any) -> None:
    page.goto(QUESTION)
    page.locator(".sources").wait_for()


def source(page: Any) -> None:
    answer(page)
    page.locator("button.number").first.click()
    page.locator(".cite-text").first.wait_for()
    page.locator(".context mark").wait_for()


def abstention(page: Any) -> None:
    page.goto(OFF_TOPIC)
    page.locator(".abstained").wait_for()


def quotation(page: Any) -> None:
    page.goto("/check?quote=The+Pooling+and+Sharing+concept,+for+instance,+was+adopted+in+2012")
    page.locator(".verdict-banner").wait_for()


def draft(page: Any) -> None:
    page.goto("/check")
    page.get_by_label("Text to check").fill("# A\n\nThe Pooling and Sharing concept was adopted in 2012. Lemurs live in Madagascar.")
    page.get_by_role("button", name="Check the draft").click()
    page.locator(".works-list").wait_for(timeout=30_000)


def library(page: Any) -> None:
    page.goto("/library?q=zebra")
    page.get_by_text("No document has this").wait_for()


def works(page: Any) -> None:
    page.goto("/library/works")
    page.locator(".figures").wait_for()
    page.locator(".works details summary").first.click()


def reader(page: Any) -> None:
    page.goto(PAPER + "?start=7438&end=8164")
    page.locator(".text mark").first.wait_for()


def note(page: Any) -> None:
    page.goto(PAPER)
    page.get_by_role("button", name="Note 1", exact=True).click()
    page.locator(".note-work").first.wait_for()


def key(page: Any) -> None:
    start(page)
    page.get_by_role("button", name="Access key").click()


STATES = (start, answer, source, abstention, quotation, draft, library, works, reader, note, key)


def violations(page: Any) -> list[str]:
    """What axe-core finds, in both colour schemes."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for one in Axe().run(page).response["violations"]:
            found += [f"{scheme}: {one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}" for node in one["nodes"]]
    return found


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "telephone"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(visit: Visit, state: Any, size: dict[str, int]) -> None:
    """Roles, names, contrast, headings, landmarks; and nothing is wider than the screen."""
    page = visit(size=size)
    state(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_axe_finds_nothing_where_the_index_is_worked_on(visit: Visit, harbour_server: str) -> None:
    """The operator's place, with its dialog."""
    page = visit(harbour_server)
    page.goto("/library/index")
    page.get_by_text("Served").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Remove Harbour Report").click()
    assert violations(page) == []


def test_everything_that_can_be_pressed_is_large_enough(visit: Visit) -> None:
    """24 pixels each way (WCAG 2.2, 2.5.8), links in sentences aside."""
    page = visit(size=PHONE)
    for state in (start, source, quotation, library):
        state(page)
        small = page.evaluate("""() => [...document.querySelectorAll('button, select, input, summary, .button, .tab-bar a')]
            .filter((one) => one.checkVisibility() && !one.matches('.said, .said *, .number, .as-link, .segment input'))
            .filter((one) => { const box = one.getBoundingClientRect(); return box.width < 24 || box.height < 24; })
            .map((one) => one.outerHTML.slice(0, 120))""")
        assert small == []


def test_the_first_load_is_light_and_comes_from_here(visit: Visit, live_server: str) -> None:
    """At most 150 kB transferred, nothing from another host; the second visit fetches no file again."""
    page = visit()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    start(page)
    transferred = page.evaluate("""[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
        .reduce((sum, one) => sum + one.transferSize, 0)""")
    assert transferred < MOST_BYTES
    assert {urlsplit(url).netloc for url in requested} == {urlsplit(live_server).netloc}
    start(page)
    assert page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/page/')).every((one) => one.transferSize === 0)"
    )


def test_the_colours_are_switched_and_remembered(page: Any) -> None:
    """Against what the device wants; switched back, the device decides again."""
    start(page)
    page.get_by_role("button", name="Use dark colours").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.get_by_role("button", name="Use light colours").click()
    assert page.evaluate("localStorage.getItem('theme')") is None


@pytest.mark.parametrize("state", [start, library, reader])
def test_the_first_tab_leads_past_the_navigation(page: Any, state: Any) -> None:
    """And what was shown stays as it was."""
    state(page)
    page.evaluate("document.querySelector('main').firstElementChild.dataset.same = 'yes'; document.activeElement.blur(); scrollTo(0, 0)")
    page.get_by_role("link", name="Skip to the content").press("Enter")
    playwright.expect(page.locator("main")).to_be_focused()
    assert page.locator("main > [data-same]").count() == 1


def test_offline_is_said_and_mended_by_itself(visit: Visit) -> None:
    """A question asked offline waits; back online it is asked again without a press."""
    page = visit(errors=("ERR_INTERNET_DISCONNECTED",))
    start(page)
    page.context.set_offline(True)
    playwright.expect(page.get_by_text("What is on the page stays readable.").first).to_be_visible()
    page.get_by_label("Your question").fill("Can the EU replace NATO?")
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Copy answer").wait_for()


def test_a_busy_service_says_when_to_try_again(visit: Visit) -> None:
    """Retry-After is shown, with the request's id; trying again works."""
    page = visit(errors=("503",))
    body = {"title": "Not ready", "detail": "The index is verified just now.", "status": 503, "code": "busy", "request_id": "r-123"}
    page.route(
        "**/v1/ask",
        lambda route: route.fulfill(
            status=503, headers={"Retry-After": "7"}, content_type="application/problem+json", body=json.dumps(body)
        ),
    )
    page.goto(QUESTION)
    alert = page.get_by_role("alert")
    playwright.expect(alert).to_contain_text("The index is verified just now.")
    playwright.expect(alert).to_contain_text("The service asks to wait")
    playwright.expect(alert).to_contain_text("Request r-123")
    assert violations(page) == []
    page.unroute("**/v1/ask")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="Copy answer").wait_for()


def test_a_document_that_is_not_there_is_said_plainly(visit: Visit) -> None:
    """With the way to those that are."""
    page = visit(errors=("404",))
    page.goto("/documents/nothing")
    playwright.expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    page.get_by_role("link", name="All documents").click()
    page.locator(".documents li").first.wait_for()


def test_where_a_key_is_needed_it_is_asked_for_and_kept_in_the_tab(
    visit: Visit, paper_index: Path, model: Embedder, tmp_path: Path
) -> None:
    """The question goes through once the key is given, the stream of its answer too; a new tab knows no key."""
    keys = KeyStore(tmp_path / "keys.json")
    secret = keys.add("writer")
    with running(create_app(paper_index, model, serving=Serving(access=Access(keys, "always")))) as server:
        page = visit(server, errors=("401",))
        page.goto(QUESTION)
        page.get_by_role("button", name="Enter an access key").click()
        page.get_by_label("Key", exact=True).fill(secret)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Copy answer").wait_for()
        assert page.evaluate("sessionStorage.getItem('access-key')") == secret
        assert page.evaluate("localStorage.length") == 0
        other = page.context.new_page()
        other.goto(QUESTION)
        playwright.expect(other.get_by_role("button", name="Enter an access key").first).to_be_visible()
