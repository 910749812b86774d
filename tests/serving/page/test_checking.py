"""Checking a quotation and a draft on the page. Left out: the verdicts themselves (tests of citing)."""

from __future__ import annotations

import base64
import io
from typing import Any
from urllib.parse import urlencode

import docx

from tests.serving.page.conftest import AT_BOTH_WIDTHS, playwright

EXACT = "The Pooling and Sharing concept, for instance, was adopted in 2010"
ALTERED = "The Pooling and Sharing concept, for instance, was adopted in 2012"
DRAFT = "# Europe\n\nThe Pooling and Sharing concept was adopted in 2012. Lemurs live in Madagascar."


def copied(page: Any) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


@AT_BOTH_WIDTHS
def test_an_altered_quotation_shows_yours_and_the_source_word_by_word(page: Any) -> None:
    """The changed date is struck in yours and marked in the source, by elements that say so, and named."""
    page.goto("/check")
    page.get_by_label("Text to check").fill(ALTERED)
    page.get_by_role("button", name="Check the quotation").click()
    playwright.expect(page.get_by_role("heading", name="Altered: 1 difference")).to_be_visible()
    playwright.expect(page.locator(".compare del")).to_have_text("2012")
    playwright.expect(page.locator(".compare ins")).to_have_text("2010")
    playwright.expect(page.get_by_role("row", name="Date changed 2012 2010")).to_be_visible()
    page.get_by_role("button", name="Copy correct quotation").click()
    playwright.expect(page.locator("#toast")).to_contain_text("Quotation copied")
    assert copied(page) == f"“{EXACT}”"
    assert page.url.endswith("/check?" + urlencode({"quote": ALTERED}))


def test_a_quotation_in_the_address_is_checked_on_arrival(page: Any) -> None:
    """To the letter, with its place to open."""
    page.goto("/check?" + urlencode({"quote": EXACT}))
    playwright.expect(page.get_by_role("heading", name="To the letter")).to_be_visible()
    page.get_by_role("button", name="See it in the source").first.click()
    playwright.expect(page.get_by_role("dialog").locator("mark")).to_have_text(EXACT)


def test_what_is_nowhere_is_said_to_be_nowhere(page: Any) -> None:
    """With the reason that the service gives."""
    page.goto("/check?" + urlencode({"quote": "Zebras cross the quiet xylophone at noon"}))
    playwright.expect(page.get_by_role("heading", name="Not in the documents")).to_be_visible()
    assert page.locator(".match").count() == 0


@AT_BOTH_WIDTHS
def test_a_draft_gets_its_verdicts_in_the_margin(page: Any) -> None:
    """A text of paragraphs is taken for a draft; each claim has a word and a reason, and evidence that opens."""
    page.goto("/check")
    page.get_by_label("Text to check").fill(DRAFT)
    page.get_by_role("button", name="Check the draft").click()
    contradicted = page.locator(".row", has_text="was adopted in 2012")
    playwright.expect(contradicted.get_by_text("Contradicted")).to_be_visible(timeout=30_000)
    playwright.expect(page.locator(".row", has_text="Lemurs").get_by_text("Not found", exact=True)).to_be_visible()
    playwright.expect(page.locator(".between")).to_have_text("# Europe")
    contradicted.get_by_role("button", name="Evidence").first.click()
    playwright.expect(page.get_by_role("dialog").get_by_text("Marked to the letter")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="1 not found").click()
    playwright.expect(contradicted).to_be_hidden()
    page.get_by_role("button", name="Copy the draft with notes").click()
    playwright.expect(page.locator("#toast")).to_contain_text("copied")
    assert "[^1]" in copied(page)
    playwright.expect(page.get_by_role("region", name="Bibliography").get_by_role("listitem")).to_have_count(1)


def test_a_word_file_is_checked_and_comes_back_with_notes(page: Any) -> None:
    """The file is read in the browser, and what is offered is a Word file again."""
    written = docx.Document()
    written.add_paragraph("The Pooling and Sharing concept was adopted in 2012.")
    buffer = io.BytesIO()
    written.save(buffer)
    page.goto("/check")
    page.locator("#draft-file").set_input_files(
        {"name": "speech.docx", "mimeType": "application/octet-stream", "buffer": buffer.getvalue()}
    )
    page.get_by_role("button", name="Check the draft").click()
    page.get_by_role("button", name="Download the Word file with notes").wait_for(timeout=30_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the Word file with notes").click()
    assert download.value.suggested_filename == "speech-checked.docx"
    data = download.value.path().read_bytes()
    assert data.startswith(b"PK")
    assert base64.b64encode(data) != base64.b64encode(buffer.getvalue())
