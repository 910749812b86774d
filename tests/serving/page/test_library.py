"""The library, the reader, and what an operator does, on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.serving.page.conftest import AT_BOTH_WIDTHS, DESKTOP, HOSTILE_NAME, PHONE, Visit, playwright

PAPER = "mangiameli-2025"
TITLE = "Elevating EU-NATO Synergy for Enhanced European Defence"
MARKED = """() => [...document.querySelectorAll(".text mark")].map((mark) => {
    const copy = mark.cloneNode(true);
    copy.querySelectorAll("sup").forEach((marker) => marker.remove());
    return copy.textContent;
}).join("")"""
SELECT = """(words) => {
    const walker = document.createTreeWalker(document.querySelector(".text"), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const at = node.data.indexOf(words);
        if (at < 0) continue;
        node.parentElement.scrollIntoView({ block: "center" });
        getSelection().setBaseAndExtent(node, at, node, at + words.length);
        return true;
    }
    return false;
}"""


def text_of(page: Any, document_id: str) -> str:
    return str(page.request.get(f"/v1/documents/{document_id}/text").json()["text"])


def documents_of(page: Any) -> dict[str, Any]:
    return {document["source"]: document for document in page.request.get("/v1/documents").json()["documents"]}


@AT_BOTH_WIDTHS
def test_documents_are_found_by_title_and_passages_by_words(page: Any) -> None:
    """Typing narrows the list; a search looks into the text; the address remembers the words."""
    page.goto("/library")
    playwright.expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    page.get_by_label("Find").fill("military mobility")
    playwright.expect(page.get_by_text("No document has this in its title")).to_be_visible()
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("region", name="Passages").locator("b").first).to_have_text("military", ignore_case=True)
    assert urlsplit(page.url).query == "q=military+mobility"


def test_filters_narrow_the_list(visit: Visit, harbour_server: str) -> None:
    """By publisher and by year; how many are left is said."""
    page = visit(harbour_server)
    page.goto("/library?publisher=Port+Museum")
    playwright.expect(page.locator(".documents li")).to_have_count(1)
    playwright.expect(page.get_by_text("1 of 3 documents")).to_be_visible()
    page.get_by_label("Publisher").select_option("")
    playwright.expect(page.locator(".documents li")).to_have_count(3)


def test_works_are_shown_with_whether_they_are_here(page: Any) -> None:
    """Each cited work, the notes that cite it, and how far the notes reach."""
    page.goto("/library/works")
    cited = [work for work in page.request.get("/v1/works").json()["works"] if work["cited"]]
    playwright.expect(page.locator(".works > li")).to_have_count(len(cited))
    coverage = page.request.get(f"/v1/documents/{PAPER}/footnotes").json()["coverage"]
    playwright.expect(page.locator(".figures dd").first).to_have_text(str(coverage["notes"]))
    page.get_by_role("link", name="note 10", exact=True).click()
    playwright.expect(page.locator("#note-10")).to_be_in_viewport()


@pytest.mark.parametrize("before", ["", "𝔈𝔘🇪🇺"], ids=["as it is", "behind characters of two UTF-16 units"])
def test_the_reader_marks_exactly_the_range_of_the_address(page: Any, before: str) -> None:
    """Whatever characters stand before it; markers of notes aside."""
    quotation = text_of(page, PAPER)[7438:8164]

    def put_before(route: Any) -> None:
        response = route.fetch()
        body = response.json()
        route.fulfill(response=response, json={**body, "text": before + body["text"][len(before) :]})

    page.route("**/v1/documents/*/text", put_before)
    page.goto(f"/documents/{PAPER}?start=7438&end=8164")
    page.locator(".text mark").first.wait_for()
    assert page.evaluate(MARKED) == quotation
    playwright.expect(page.locator(".text mark").first).to_be_in_viewport()
    playwright.expect(page.get_by_text("A passage is marked under")).to_be_attached()


def test_an_address_that_leads_nowhere_is_said_to(page: Any) -> None:
    """The text is shown all the same."""
    page.goto(f"/documents/{PAPER}?start=9&end=9999999")
    playwright.expect(page.get_by_text("this text has no such place")).to_be_visible()
    playwright.expect(page.locator(".text h2").first).to_have_text("Summary")


@pytest.mark.parametrize("server", ["paper", "hostile"])
def test_selected_words_can_be_linked_to(visit: Visit, live_server: str, harbour_server: str, server: str) -> None:
    """The copied link marks what was selected, in code points, also behind characters of two UTF-16 units."""
    page = visit(live_server if server == "paper" else harbour_server)
    document = PAPER if server == "paper" else documents_of(page)[HOSTILE_NAME]["id"]
    words = "reluctance to accept the idea" if server == "paper" else "paid 40 crowns a month"
    page.goto(f"/documents/{document}")
    page.locator(".text p").last.wait_for()
    assert page.evaluate(SELECT, words)
    page.get_by_role("toolbar", name="Selected passage").get_by_role("button", name="Copy link").click()
    playwright.expect(page.locator("#toast")).to_contain_text("Link to this passage copied")
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    playwright.expect(page.locator(".text mark")).to_have_text(words)


def test_a_marker_opens_its_note_and_gives_the_focus_back(page: Any) -> None:
    """With the work that it cites and whether that is here."""
    page.goto(f"/documents/{PAPER}")
    marker = page.get_by_role("button", name="Note 10", exact=True)
    marker.click()
    note = page.get_by_role("dialog", name="Note 10")
    playwright.expect(note.locator("cite")).to_have_text("EDA's Pooling & Sharing")
    playwright.expect(note.get_by_text("Not in the library")).to_be_visible()
    page.keyboard.press("Escape")
    playwright.expect(marker).to_be_focused()


def test_a_pdf_is_shown_as_printed_too(visit: Visit, harbour_server: str) -> None:
    """The page with the passage is drawn; the next one is a button away; page labels stand in the text."""
    page = visit(harbour_server)
    document = documents_of(page)["tides.pdf"]["id"]
    at = text_of(page, document).index("spring tide")
    page.goto(f"/documents/{document}?start={at}&end={at + 11}")
    playwright.expect(page.locator(".text mark")).to_have_text("spring tide")
    assert page.locator(".page-label").count() == 2
    page.get_by_text("Pages as printed").click()
    drawn = page.get_by_role("img", name="Page 1, as printed, with the passage marked")
    playwright.expect(drawn).to_be_visible()
    assert drawn.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_role("button", name="Next page").click()
    playwright.expect(page.get_by_role("img", name="Page 2, as printed", exact=True)).to_be_visible()
    assert "page=2" in page.url


def test_a_wide_table_scrolls_by_itself(visit: Visit, harbour_server: str) -> None:
    """On a telephone the page stays as wide as the screen; the table is rows and cells."""
    page = visit(harbour_server, size=PHONE)
    page.goto(f"/documents/{documents_of(page)[HOSTILE_NAME]['id']}")
    playwright.expect(page.get_by_role("cell", name="203")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_the_service_says_is_never_markup(visit: Visit, harbour_server: str) -> None:
    """Titles, names of files, texts and addresses are text in every place that shows them; only http and https are linked."""
    page = visit(harbour_server)
    markup = '<img src=x onerror="alert(1)"><script>alert(2)</script>'

    def spoil(route: Any) -> None:
        response = route.fetch()
        body = response.text().replace("https://port.example/dredging", "javascript:alert(3)")
        for said in ("Harbour Report", "harbour.txt", "3.2 million", "Port Museum"):
            body = body.replace(said, json.dumps(markup)[1:-1])
        route.fulfill(response=response, body=body)

    page.route("**/v1/**", spoil)
    for place in (
        "/library",
        "/library/works",
        "/library/index",
        "/documents/harbour-2020",
        "/ask?q=What did the works cost",
        "/check?quote=The works cost 9 million crowns",
    ):
        page.goto(place)
        page.locator("main").get_by_text(markup).locator("visible=true").first.wait_for()
        for opener in page.locator("main button[aria-haspopup=dialog]").all()[:2]:
            opener.click()
            page.locator("#panel-body .record, #panel-body .note-text").first.wait_for()
            page.get_by_role("button", name="Close").click()
        assert page.locator(":is(main, dialog) :is(img, script, iframe, object, [onerror])").count() == 0
        assert page.locator('[href^="javascript:"]').count() == 0


@pytest.mark.parametrize(("name", "size"), [("Ferry", DESKTOP), ("Tram", PHONE)], ids=["desktop", "telephone"])
def test_the_index_is_brought_up_to_date_with_progress(
    visit: Visit, harbour_server: str, harbour_corpus: Path, name: str, size: dict[str, int]
) -> None:
    """A new file is indexed by a press; the job, the new snapshot and the document are there without loading the page again."""
    (harbour_corpus / f"{name}.md").write_text(f"# {name} Times\n\nThe {name} to Lindholm leaves at seven in the morning.\n", "utf-8")
    page = visit(harbour_server, size)
    page.goto("/library/index")
    page.get_by_text("Served").wait_for()
    older = page.get_by_role("button", name="Serve the snapshot").count()
    page.get_by_role("button", name="Re-index").click()
    playwright.expect(page.get_by_role("progressbar")).to_be_visible()
    playwright.expect(page.get_by_text("Re-index: done")).to_be_visible(timeout=60_000)
    playwright.expect(page.get_by_role("button", name=f"Remove {name} Times")).to_be_visible()
    playwright.expect(page.get_by_role("button", name="Serve the snapshot")).to_have_count(older + 1)


def test_a_document_is_put_in_and_taken_out_after_a_question(visit: Visit, harbour_server: str) -> None:
    """Cancelling the question removes nothing."""
    page = visit(harbour_server, size=PHONE)
    page.goto("/library/index")
    page.locator("#upload").set_input_files(
        {"name": "Gulls.md", "mimeType": "text/markdown", "buffer": b"# Gulls of Lindholm\n\nGulls nest on the quay.\n"}
    )
    playwright.expect(page.get_by_text("Add a document: done")).to_be_visible(timeout=60_000)
    remove = page.get_by_role("button", name="Remove Gulls of Lindholm")
    remove.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    playwright.expect(remove).to_be_focused()
    remove.click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    playwright.expect(page.get_by_text("Remove a document: done")).to_be_visible(timeout=60_000)
    playwright.expect(remove).to_have_count(0)


def test_of_a_very_long_text_one_part_is_shown(visit: Visit, long_server: str) -> None:
    """A shared address opens the part with its passage; what turns parts, and the outline, lead from one to the other."""
    page = visit(long_server)
    (document,) = documents_of(page).values()
    text, quote = text_of(page, document["id"]), "The buoy off"
    start = text.index(quote, 560_000)
    page.goto(f"/documents/{document['id']}?start={start}&end={start + len(quote)}")
    playwright.expect(page.locator("#cited")).to_have_text(quote)
    playwright.expect(page.locator("#cited")).to_be_in_viewport()
    turner = page.get_by_role("navigation", name="Parts of the text", exact=True)
    playwright.expect(turner).to_contain_text("Part 2 of 2")
    second = page.locator("article.text").inner_text()
    turner.get_by_role("link", name="Earlier part").click()
    playwright.expect(turner).to_contain_text("Part 1 of 2")
    playwright.expect(turner.get_by_role("link", name="Earlier part")).to_have_count(0)
    first = page.locator("article.text").inner_text()
    assert 400_000 < len(first) < 520_000
    assert len(first) + len(second) > 0.95 * len(text)
    outline = page.get_by_role("navigation", name="Outline").get_by_role("link")
    title = outline.nth(-4).inner_text()
    outline.nth(-4).click()
    playwright.expect(page.locator(".text").get_by_role("heading", name=title)).to_be_in_viewport()
    assert page.evaluate(SELECT, "was laid in")
    page.get_by_role("button", name="Copy link to this passage").click()
    playwright.expect(page.locator("#toast")).to_contain_text("copied")
    shared = dict(part.split("=") for part in urlsplit(page.evaluate("navigator.clipboard.readText()")).query.split("&"))
    assert text[int(shared["start"]) : int(shared["end"])] == "was laid in"
    assert int(shared["start"]) > 500_000
