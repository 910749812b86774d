"""The web page, used as a person uses it: a real browser against a real server. Left out: how it looks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH")

QUESTION = "Why did Pooling and Sharing fail?"
OFF_TOPIC = "What is the best recipe for goulash?"
MARKED = """() => [...document.querySelectorAll(".text mark")].map((mark) => {
    const copy = mark.cloneNode(true);
    copy.querySelectorAll("sup").forEach((marker) => marker.remove());
    return copy.textContent;
}).join("")"""


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: playwright.Browser, live_server: str) -> Iterator[playwright.Page]:
    """A fresh visit; whatever the browser calls an error, a breach of the content policy included, fails the test."""
    errors: list[str] = []
    with browser.new_context(base_url=live_server) as visit:
        opened = visit.new_page()
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield opened
    assert not errors


def ask(page: playwright.Page, question: str) -> None:
    page.goto("/")
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_selector("#result h2")


def canonical_text(page: playwright.Page, document_id: str) -> str:
    return str(page.request.get(f"/v1/documents/{document_id}/text").json()["text"])


def cited_place(page: playwright.Page) -> tuple[str, int, int]:
    """What the first source's link says: the document and the range of its text."""
    address = urlsplit(page.get_by_role("link", name="Read in place").first.get_attribute("href") or "")
    query = parse_qs(address.query)
    return address.path.removeprefix("/documents/"), int(query["start"][0]), int(query["end"][0])


def test_an_answer_is_shown_with_sources_verbatim_in_the_canonical_text(page: playwright.Page) -> None:
    """Asking shows an answer whose every number has a source, and whose quotation is the document's text at its place."""
    ask(page, QUESTION)
    assert page.url.endswith("?" + urlencode({"q": QUESTION}))
    numbers = set(page.locator(".answer button.number").all_inner_texts())
    assert numbers
    assert numbers == set(page.locator(".source button.number").all_inner_texts())
    document, start, end = cited_place(page)
    assert page.locator(".source blockquote").first.text_content() == canonical_text(page, document)[start:end]


def test_a_number_moves_to_its_source(page: playwright.Page) -> None:
    """Choosing a number by keyboard moves to its source and lights it with its words; the source's number leads back."""
    ask(page, QUESTION)
    number = page.locator(".answer button.number").last
    label = number.inner_text()
    number.press("Enter")
    source = page.locator(".source:focus")
    assert source.locator("button.number").inner_text() == label
    playwright.expect(source).to_be_in_viewport()
    playwright.expect(source).to_have_class("source lit")
    assert label in page.locator(".claim.lit").inner_text()
    source.locator("button.number").press("Enter")
    assert page.locator(".answer button.number:focus").inner_text() == label


def test_an_abstention_is_said_plainly(page: playwright.Page) -> None:
    """A question that the documents do not answer gets no answer and no source, but a reason and the nearest evidence."""
    ask(page, OFF_TOPIC)
    playwright.expect(page.get_by_role("heading", name="No answer")).to_be_visible()
    reason = page.request.post("/v1/ask", data={"question": OFF_TOPIC}).json()["reason"]
    playwright.expect(page.get_by_text(reason, exact=True)).to_be_visible()
    playwright.expect(page.get_by_role("region", name="Nearest evidence").get_by_role("listitem").first).to_be_visible()
    assert page.locator(".answer, .source").count() == 0


@pytest.mark.parametrize("before", ["", "𝔈𝔘🇪🇺"], ids=["as it is", "behind characters of two UTF-16 units"])
def test_the_reader_marks_exactly_the_cited_range(page: playwright.Page, before: str) -> None:
    """The marked words, footnote markers aside, are the quotation, whatever characters stand before them."""
    ask(page, QUESTION)
    quotation = page.locator(".source blockquote").first.text_content()

    def put_before(route: playwright.Route) -> None:
        response = route.fetch()
        body = response.json()
        route.fulfill(response=response, json={**body, "text": before + body["text"][len(before) :]})

    page.route("**/v1/documents/*/text", put_before)
    page.get_by_role("link", name="Read in place").first.click()
    page.wait_for_selector(".text mark")
    assert page.evaluate(MARKED) == quotation
    playwright.expect(page.locator(".text mark").first).to_be_in_viewport()


def test_nothing_is_requested_from_another_host(page: playwright.Page, live_server: str) -> None:
    """Asking, reading and opening a note send every request to the service itself."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    ask(page, QUESTION)
    page.get_by_role("link", name="Read in place").first.click()
    page.locator("button.marker").first.click()
    playwright.expect(page.get_by_role("dialog", name="Note 1")).to_be_visible()
    assert {urlsplit(url).netloc for url in requested if not url.startswith("data:")} == {urlsplit(live_server).netloc}
