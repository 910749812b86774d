"""Asking on the page, as a person does. Left out: what is answered (tests of the engine)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.serving.page.conftest import AT_BOTH_WIDTHS, PHONE, Visit, playwright

QUESTION = "Why did Pooling and Sharing fail?"
FOLLOW_UP = "And when was it adopted?"
OFF_TOPIC = "What is the best recipe for goulash?"


def ask(page: Any, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy answer").last.wait_for()


def answer_to(page: Any, question: str) -> Any:
    return page.request.post("/v1/ask", data={"question": question}).json()


def copied(page: Any) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_every_number_of_an_answer_has_its_source_below(page: Any) -> None:
    """An answer comes with its sources, and its question stands in the address."""
    page.goto("/")
    ask(page, QUESTION)
    assert page.url.endswith("/ask?" + urlencode({"q": QUESTION}))
    numbers = set(page.locator("button.number").all_inner_texts())
    assert numbers
    assert numbers == set(page.locator(".sources .source-number").all_inner_texts())
    words = page.locator(".answer-text").text_content().replace("\u2060", "")
    assert words == answer_to(page, QUESTION)["answer"].replace(" [", "").replace("]", "")


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "telephone"])
def test_a_number_opens_the_paragraph_with_the_quotation_marked_to_the_letter(visit: Visit, size: Any) -> None:
    """What is marked is the quotation, within its paragraph; the notes there are shown with the works they cite."""
    page = visit(**({"size": size} if size else {}))
    page.goto("/ask?" + urlencode({"q": QUESTION}))
    page.locator("button.number").first.click()
    source = page.get_by_role("dialog", name="Source")
    citation = answer_to(page, QUESTION)["citations"][0]
    playwright.expect(source.locator("mark")).to_have_text(citation["quote"], use_inner_text=False)
    playwright.expect(source.get_by_text("Marked to the letter")).to_be_visible()
    assert len(source.locator("blockquote").text_content()) > len(citation["quote"])
    for note in citation["footnotes"]:
        playwright.expect(source.get_by_text(note["work"]["title"], exact=True).first).to_be_attached()


def test_from_question_to_copied_reference_by_keyboard_alone(page: Any) -> None:
    """Enter asks; Tab reaches the number; Enter opens its source; the reference is copied; Escape leads back to the number."""
    page.goto("/")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy answer").wait_for()

    def tab_to(wanted: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if wanted in (page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent") or ""):
                return
        raise AssertionError(f"Tab does not reach {wanted}")

    page.evaluate("document.activeElement.blur()")
    tab_to("Source 1:")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Source").wait_for()
    tab_to("Copy reference")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#toast")).to_contain_text("Reference (Chicago, note) copied")
    assert copied(page).startswith("Federica Mangiameli, Elevating EU-NATO Synergy")
    page.keyboard.press("Escape")
    playwright.expect(page.get_by_role("dialog")).to_have_count(0)
    playwright.expect(page.locator("button.number").first).to_be_focused()


def test_the_style_of_references_is_chosen_once(page: Any) -> None:
    """Another style changes the reference shown, and the next one."""
    page.goto("/ask?" + urlencode({"q": QUESTION}))
    page.locator("button.number").first.click()
    page.get_by_label("Style").select_option("apa")
    playwright.expect(page.locator(".cite-text").first).to_contain_text("(Mangiameli, 2025")
    page.get_by_role("button", name="Copy: In the text").click()
    assert "(Mangiameli, 2025" in copied(page)
    page.reload()
    page.locator("button.number").first.click()
    playwright.expect(page.locator(".cite-text").first).to_contain_text("(Mangiameli, 2025")


@AT_BOTH_WIDTHS
def test_a_follow_up_is_asked_with_what_was_said_and_shows_how_it_was_understood(page: Any) -> None:
    """The history goes along, the address holds both questions, and a shared address asks both again."""
    page.goto("/ask?" + urlencode({"q": QUESTION}))
    page.get_by_role("button", name="Copy answer").wait_for()
    with page.expect_request("**/v1/ask") as sent:
        ask(page, FOLLOW_UP)
    history = json.loads(sent.value.post_data)["history"]
    assert [turn["role"] for turn in history] == ["user", "assistant"]
    playwright.expect(page.get_by_text("Understood as:")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["q"] == [QUESTION, FOLLOW_UP]
    page.reload()
    playwright.expect(page.get_by_role("button", name="Copy answer")).to_have_count(2)
    page.go_back()
    playwright.expect(page.get_by_role("heading", level=2)).to_have_text([QUESTION])


def test_an_abstention_is_said_plainly(page: Any) -> None:
    """No answer and no source, but the reason and the nearest evidence, which opens like a source."""
    page.goto("/ask?" + urlencode({"q": OFF_TOPIC}))
    playwright.expect(page.get_by_role("heading", name="The documents do not say")).to_be_visible()
    playwright.expect(page.get_by_text(answer_to(page, OFF_TOPIC)["reason"], exact=True)).to_be_visible()
    assert page.locator(".answer-text, .sources").count() == 0
    page.get_by_role("region", name="Nearest evidence").get_by_role("button").first.click()
    playwright.expect(page.get_by_role("dialog").get_by_text("Marked to the letter")).to_be_visible()


def test_stop_ends_the_request(page: Any) -> None:
    """What is under way can be stopped, and asked again."""
    page.goto("/")
    page.route("**/v1/ask", lambda route: None)
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").click()
    playwright.expect(page.locator(".turn").get_by_text("Stopped.")).to_be_visible()
    page.unroute("**/v1/ask")
    page.get_by_role("button", name="Ask again").click()
    page.get_by_role("button", name="Copy answer").wait_for()


def test_the_conversation_is_there_when_one_comes_back_from_another_place(page: Any) -> None:
    """Nothing is asked twice on the way to the library and back."""
    page.goto("/ask?" + urlencode({"q": QUESTION}))
    page.get_by_role("button", name="Copy answer").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/v1/ask") else None)
    page.get_by_role("navigation", name="Places").get_by_role("link", name="Library").click()
    page.get_by_role("heading", name="Library", exact=True).wait_for()
    page.go_back()
    playwright.expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    page.go_forward()
    page.get_by_role("heading", name="Library", exact=True).wait_for()
    page.get_by_role("navigation", name="Places").get_by_role("link", name="Ask").click()
    playwright.expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    assert page.url.endswith("/ask?" + urlencode({"q": QUESTION}))
    assert not asked
