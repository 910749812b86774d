"""Deep links: the service's page, a page of a PDF, and text fragments that a browser finds where they were meant."""

from __future__ import annotations

import functools
import http.server
import io
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eunato_rag.citing.links import original_url, public_address, reader_url
from eunato_rag.citing.selectors import selectors
from eunato_rag.citing.text_fragments import MAX_DIRECTIVE, text_directive
from eunato_rag.ingestion.readers import read
from eunato_rag.records import Block, Document, Footnote, Page, PageSpan

WORD = re.compile(r"(?:\w|(?<=[^\W\d])['’.:·](?=[^\W\d])|(?<=\d)[.,;'](?=\d))+")
"""A word of Unicode Annex 29: marks hold together letters, others hold together digits."""
CHROMIUM = shutil.which("chromium")
ADDRESS = "https://publisher.example.org/report"


def document(text: str, url: str | None = ADDRESS, source: str = "report.html", **parts: object) -> Document:
    """A document of paragraphs, one a line."""
    blocks, start = [], 0
    for line in text.split("\n"):
        if line:
            blocks.append(Block("paragraph", start, start + len(line)))
        start += len(line) + 1
    made = Document("report", source, "", {"id": "report", "title": "Report", **({"URL": url} if url else {})}, text, tuple(blocks))
    return replace(made, **parts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser has of a page: one text, the ranges of its blocks, and where each character stands in the document."""

    text: str
    blocks: tuple[tuple[int, int], ...]
    origin: tuple[int | None, ...]
    within: frozenset[int]
    """The offsets inside words."""


def shown(source: Document) -> Shown:
    """The page that a document was read from: notes' markers are back at their words, list marks and cell borders are gone."""
    text, origin, blocks = "", [], []
    markers = {anchor: f"{note.number}" for note in source.footnotes for anchor in note.anchors}
    for block in source.blocks:
        begun = len(text)
        for at in range(block.start, block.end):
            for char, place in (*((mark, None) for mark in (markers.get(at, "") if at > block.start else "")), (source.text[at], at)):
                text += char
                origin.append(place)
        for mark in markers.get(block.end, ""):
            text += mark
            origin.append(None)
        blocks.append((begun, len(text)))
    words = [(start + word.start(), start + word.end()) for start, end in blocks for word in WORD.finditer(text[start:end])]
    within = frozenset(offset for start, end in words for offset in range(start + 1, end))
    return Shown(text, tuple(blocks), tuple(origin), within)


def find(page: Shown, address: str) -> tuple[int, int] | None:
    """The browser's search, after the specification: the first range of the page that the directive in an address names."""
    terms = [unquote(term) if n else term for n, term in enumerate(["", *address.partition(":~:text=")[2].split(",")])][1:]
    raw = address.partition(":~:text=")[2].split(",")
    prefix = terms.pop(0)[:-1] if raw[0].endswith("-") else ""
    suffix = terms.pop()[1:] if raw[-1].startswith("-") else ""
    start, end = (*terms, "")[:2]
    since = 0
    while True:
        if prefix:
            before = term_in(page, prefix, since, end_bound=False)
            if before is None:
                return None
            since = before[0] + 1
            match = term_in(page, start, skipped(page, before[1]))
            if match is None:
                return None
            if match[0] != skipped(page, before[1]):
                continue
        else:
            match = term_in(page, start, since)
            if match is None:
                return None
            since = match[0] + 1
        behind = match[1]
        while True:
            last = term_in(page, end, behind) if end else match
            if last is None:
                return None
            if not suffix:
                return match[0], last[1]
            after = term_in(page, suffix, skipped(page, last[1]), start_bound=False)
            if after is None:
                return None
            if after[0] == skipped(page, last[1]):
                return match[0], last[1]
            if not end:
                break
            behind = last[0] + 1


def skipped(page: Shown, offset: int) -> int:
    while offset < len(page.text) and page.text[offset].isspace():
        offset += 1
    return offset


def term_in(page: Shown, term: str, since: int, *, start_bound: bool = True, end_bound: bool = True) -> tuple[int, int] | None:
    """The first occurrence of a term inside one block, from word to word, in any case."""
    pattern = re.compile(r"\s+".join(map(re.escape, term.split())), re.IGNORECASE)
    for start, end in page.blocks:
        at = max(since, start)
        while at <= end and (match := pattern.search(page.text, at, end)):
            edges = [match.start()] * start_bound + [match.end()] * end_bound
            if not page.within.intersection(edges):
                return match.span()
            at = match.start() + 1
    return None


def found_text(source: Document, address: str) -> str | None:
    """The words of the document that the browser would mark."""
    page = shown(source)
    match = find(page, address)
    if match is None:
        return None
    places = [place for place in page.origin[slice(*match)] if place is not None]
    return source.text[places[0] : places[-1] + 1]


PAGES = """The fund is small. It pays for roads and bridges across the north of the union.
A second paragraph says that the fund is small. It pays for ports as well.
The fund is small, says a third; the harbour of Lindholm is 14.5 metres deep, and ships call twice a week.
The harbour’s cranes were 100% rebuilt – cost: €3.2 million – and re-painted, in 2019."""


@pytest.mark.parametrize(
    "quote",
    [
        "The fund is small.",
        "the fund is small. It pays for ports",
        "The fund is small, says a third",
        "fund",
        "ships call twice a week",
        "100% rebuilt – cost: €3.2 million – and re-painted, in 2019",
        "A second paragraph says that the fund is small. It pays for ports as well.\nThe fund is small",
        "14.5 metres",
    ],
)
def test_a_fragment_leads_a_browser_to_the_very_words(quote: str) -> None:
    """Repeated words by their context, ranges over blocks, dashes, commas and percent signs."""
    source = document(PAGES)
    for match in re.finditer(re.escape(quote), PAGES):
        address = original_url(source, *match.span())
        assert address is not None
        assert found_text(source, address) == quote, address


def test_the_syntax_is_encoded_inside_terms() -> None:
    """Hyphens, commas and ampersands of the text are no syntax, and other letters are UTF-8."""
    source = document("An EU-NATO, R&D Überblick stands here.")
    assert (
        text_directive(source, 3, 25) == ":~:text=EU%2DNATO%2C%20R%26D%20%C3%9Cberblick,-stands"
        or text_directive(source, 3, 25) == ":~:text=EU%2DNATO%2C%20R%26D%20%C3%9Cberblick"
    )


def test_words_alone_get_context() -> None:
    """One or two words may stand in a menu, so they are never given alone where words stand beside them."""
    source = document("Ships call at Lindholm twice a week.")
    assert text_directive(source, 14, 22) == ":~:text=Lindholm,-twice"


def test_half_a_word_is_widened() -> None:
    """A term that begins inside a word is never found: it is the whole word that is marked."""
    source = document("The harbour of Lindholm is deep.")
    address = original_url(source, 6, 20)
    assert address is not None
    assert found_text(source, address) == "harbour of Lindholm"


def test_a_note_marker_stands_in_the_page_though_not_in_the_text() -> None:
    """A word glued to its marker is no word of the page: the fragment ends before it, or goes on past a full stop."""
    text = "The harbour was dredged in 2019. It is deep for NATO and for all. Ships call (often) there."
    anchors = [text.index(word) + len(word) for word in ("2019.", "NATO", "all.")]
    source = document(text, footnotes=tuple(Footnote(number, (anchor,), 0, 0) for number, anchor in enumerate(anchors, 1)))
    for quote, marked in (
        ("The harbour was dredged in 2019.", "The harbour was dredged in"),
        ("It is deep for NATO", "It is deep for"),
        ("It is deep for NATO and for all.", "It is deep for NATO and for all."),
        ("for all. Ships call (often) there.", "for all. Ships call (often) there."),
        (text, text),
    ):
        start = text.index(quote)
        address = original_url(source, start, start + len(quote))
        assert address is not None
        assert found_text(source, address) == marked


def test_a_place_that_no_words_tell_apart_has_the_address_alone() -> None:
    """The same words with the same words around them: no fragment is better than one to the wrong place."""
    source = document("It is so.\nIt is so.\nIt is so.")
    assert [":~:" in str(original_url(source, start, start + 9)) for start in (0, 10, 20)] == [True, True, False]
    assert original_url(source, 20, 29) == ADDRESS
    assert original_url(source, 5, 5) == ADDRESS
    assert original_url(document("–\n…"), 0, 1) == ADDRESS


def test_a_fragment_is_bounded() -> None:
    """A long quotation is given by its first and last words; words too long for an address are not given."""
    source = document("begin here now " + "word " * 4000 + "and end there.")
    directive = text_directive(source, 0, len(source.text))
    assert directive == ":~:text=begin%20here%20now,and%20end%20there."
    assert text_directive(document("数" * 500), 0, 500) is None
    assert MAX_DIRECTIVE == 800


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_range_of_the_paper_is_found_where_it_is(paper: Document, data: st.DataObject) -> None:
    """Whatever is marked, the browser finds it whole: at most a word glued to a note's marker is missing at its end."""
    source = replace(paper, work={**paper.work, "URL": ADDRESS})
    start = data.draw(st.integers(0, len(source.text) - 1))
    end = data.draw(st.integers(start + 1, min(start + 600, len(source.text))))
    address = original_url(source, start, end)
    assert address is not None
    if ":~:" in address:
        marked = found_text(source, address)
        assert marked is not None, address
        assert source.text[start:end].strip(" .,;:–-|•*\n0123456789")[:20].rsplit(" ", 1)[0] in marked


def test_most_sentences_of_the_paper_have_a_fragment(paper: Document) -> None:
    """Every sentence of the paper can be linked to, and the link finds it."""
    source = replace(paper, work={**paper.work, "URL": ADDRESS})
    page = shown(source)
    for start, end in source.sentences:
        address = original_url(source, start, end)
        assert address is not None
        assert ":~:" in address
        assert find(page, address) is not None, address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example.org/x.pdf", "https://a.example.org/x.pdf#page=2"),
        ("https://a.example.org/x.pdf#page=9&zoom=100", "https://a.example.org/x.pdf#page=2&zoom=100"),
        ("https://a.example.org/x.pdf#chapter.1", "https://a.example.org/x.pdf#page=2"),
        ("https://a.example.org/doc/en/pdf", "https://a.example.org/doc/en/pdf#page=2"),
        (" https://a.example.org/a b.pdf ", "https://a.example.org/a%20b.pdf#page=2"),
        ("https://a.example.org/x.html", "https://a.example.org/x.html#:~:text=Second%20page%20here."),
    ],
)
def test_a_pdf_opens_at_its_physical_page(url: str, expected: str) -> None:
    """The number counted from 1, not the printed label; an address that names a web page gets the words."""
    pages = (PageSpan(0, 16, Page(1, "i")), PageSpan(16, 33, Page(2, "ii")))
    source = document("First page here.\nSecond page here.", url, "report.pdf", pages=pages)
    assert original_url(source, 17, 34) == expected


def test_a_pdf_of_unknown_pages_has_the_address_alone() -> None:
    assert original_url(document("Words.", "https://a.example.org/x.pdf"), 0, 6) == "https://a.example.org/x.pdf"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example.org/x#part-2", "https://a.example.org/x#part-2:~:text=Words%20stand%20here."),
        ("https://a.example.org/x#:~:text=old", "https://a.example.org/x#:~:text=Words%20stand%20here."),
        ("https://a.example.org/#/route", "https://a.example.org/#/route:~:text=Words%20stand%20here."),
    ],
)
def test_a_fragment_of_the_address_stays(url: str, expected: str) -> None:
    """A section's own name, or the route of a page that scripts make; an older directive goes."""
    assert original_url(document("Words stand here.", url), 0, 17) == expected


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "eeas.europa.eu/x.pdf",
        "ftp://a.example.org/x",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "http://localhost/x",
        "http://intranet/x",
        "http://127.0.0.1/x",
        "http://10.1.2.3/x",
        "http://[::1]/x",
        "https://me:secret@a.example.org/x",
        "https://a.example.org:port/x",
        "https://a.example.org/x\ny",
        "https://printer.local/x",
        "http://1.2/x",
    ],
)
def test_what_no_stranger_can_open_is_no_original(url: str | None) -> None:
    """No address, another scheme, a host of one's own machine or network, a password in the address."""
    source = document("Words stand here.", url)
    assert public_address(source) is None
    assert original_url(source, 0, 5) is None
    assert [kind["type"] for kind in selectors(source, 0, 5)] == ["TextQuoteSelector", "TextPositionSelector"]


def test_the_readers_page_takes_any_id() -> None:
    """What has a meaning in an address is encoded in it."""
    assert reader_url("mangiameli-2025", 3, 9) == "/documents/mangiameli-2025?start=3&end=9"
    assert reader_url("a/b?c#ü", 0, 1) == "/documents/a%2Fb%3Fc%23%C3%BC?start=0&end=1"


def test_a_fragment_selector_says_whose_syntax_it_has() -> None:
    """The page of a PDF by RFC 3778 as the Web Annotation model names it, words by the specification of text fragments."""
    pages = (PageSpan(0, 17, Page(1, "i")),)
    for source, syntax, value in (
        (document("Words stand here."), "https://wicg.github.io/scroll-to-text-fragment/", ":~:text=Words%20stand%20here."),
        (document("Words stand here.", None, "x.pdf", pages=pages), "http://tools.ietf.org/rfc/rfc3778", "page=1"),
    ):
        assert selectors(source, 0, 17)[2] == {"type": "FragmentSelector", "conformsTo": syntax, "value": value}


HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Harbours</title>
<style>body {{ font: 20px/1.5 sans-serif; }} ::target-text {{ background: #ff0000; }} .gap {{ height: 2000px; }}</style></head>
<body><article><h1>Harbours of the north</h1><p>The harbour is deep. Ships call there twice a week, and no one counts them.</p>
<div class="gap"></div>
<p id="second">In the south the harbour is deep. <b>Ships call</b> there twice a week, and someone counts “them”.</p>
<ul><li>Charter two barges, R&amp;D – one alone is a risk.</li><li>Ask the pilots first.</li></ul>
<p>The pilots know the channel.<sup><a href="#n1" id="r1">1</a></sup> It’s narrow, as they say.</p>
<div class="gap"></div><ol class="footnotes"><li id="n1">Pilots’ Book, 2019. <a href="#r1">↩</a></li></ol></article></body></html>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the PATH")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "harbours.html").write_text(HTML.replace("{{", "{").replace("}}", "}"), "utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/harbours.html"
        server.shutdown()
        thread.join()


RECTANGLES = """(words) => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), nodes = [];
    let text = "";
    while (walker.nextNode()) { nodes.push([walker.currentNode, text.length]); text += walker.currentNode.data; }
    const at = text.lastIndexOf(words[0]), end = text.indexOf(words[1], at) + words[1].length;
    const place = (offset, inside) => {
        const [node, from] = nodes.findLast(([, from]) => from < offset + inside);
        return [node, offset - from];
    };
    const range = document.createRange();
    range.setStart(...place(at, 1));
    range.setEnd(...place(end, 0));
    return [...range.getClientRects()].map((box) => [box.left, box.top, box.right, box.bottom]);
}"""


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("the harbour is deep. Ships call there", ("the harbour is deep. Ships", "call there")),
        ("Charter two barges, R&D – one alone is a risk.", ("Charter two", "is a risk.")),
        ("one alone is a risk.\nAsk the pilots first.\nThe pilots know", ("one alone", "pilots know")),
        ("The pilots know the channel.", ("The pilots know", "the channel.")),
        ("know the channel. It’s narrow, as", ("know the channel", "narrow, as")),
        ("someone counts “them”.", ("someone counts", "“them”.")),
    ],
)
def test_a_browser_marks_the_words_and_scrolls_to_them(browser: Any, site: str, tmp_path: Path, quote: str, words: tuple[str, str]) -> None:
    """Chromium opens the page at the second of two equal sentences, over inline marks and blocks: red is where the words are."""
    image = pytest.importorskip("PIL.Image")
    read_page = read(tmp_path / "harbours.html")
    source = replace(read_page, work={**read_page.work, "URL": ADDRESS})
    assert [note.number for note in source.footnotes] == [1]
    start = re.search(r"\s+".join(map(re.escape, quote.split())), source.text)
    assert start is not None, source.text
    address = original_url(source, *start.span())
    assert address is not None
    with browser.new_context() as visit:
        page = visit.new_page()
        page.goto(site + address.removeprefix(ADDRESS))
        page.wait_for_function("window.scrollY > 500")
        page.wait_for_timeout(200)
        boxes = page.evaluate(RECTANGLES, list(words))
        picture = image.open(io.BytesIO(page.screenshot())).convert("RGB")
    red = [(x, y) for x in range(0, picture.width, 2) for y in range(0, picture.height, 2) if picture.getpixel((x, y)) == (255, 0, 0)]
    assert red
    assert all(any(a - 2 <= x <= c + 2 and b - 6 <= y <= d + 6 for a, b, c, d in boxes) for x, y in red), (address, boxes)
    for left, top, right, bottom in boxes:
        assert right - left < 20 or any(left <= x <= right and top <= y <= bottom for x, y in red), (address, left, top)
