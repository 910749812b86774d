"""HTML pages: what is text and what is not, and the notes tied to their markers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.layout import Draft, Prose
from eunato_rag.ingestion.readers.acts import read_act
from eunato_rag.ingestion.readers.html import read
from eunato_rag.ingestion.readers.numerals import letters, repeated_letters, roman
from eunato_rag.ingestion.readers.plain_notes import tie_plain_notes, unique_numbers
from eunato_rag.ingestion.readers.prose import Cell, table_prose
from eunato_rag.records import Document


def written(folder: Path, source: str | bytes, name: str = "page.html") -> Document:
    path = folder / name
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return read(path)


def kinds(document: Document) -> list[tuple[str, int, str]]:
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def notes(document: Document) -> list[tuple[int, list[str], str]]:
    """Number, the words before each marker, text."""
    return [(n.number, [document.text[:a].split("\n")[-1] for a in n.anchors], document.text[n.start : n.end]) for n in document.footnotes]


def removed(document: Document, kind: str) -> str:
    return next(change.removed for change in document.report if change.kind == kind)


PROSE = "The port authority found that the channel was two metres less deep than the charts had said for years. "

PAGE = f"""<!DOCTYPE html>
<html lang="cs_CZ"><head><meta charset="utf-8"><title>Přístav Tünn | Přístavní správa</title>
<link rel="canonical" href="https://port.example/tunn/"><meta property="og:site_name" content="Přístavní správa">
<script type="application/ld+json">{{"@graph": [{{"@type": "WebSite", "name": "Site"}}, {{"@type": ["Report"], "headline": "Přístav Tünn",
"author": [{{"@type": "Person", "name": "Eva Nováková"}}, {{"@type": "Organization", "name": "Port Authority"}}],
"datePublished": "2019-03-07T10:00:00Z"}}]}}</script><style>p {{}}</style></head>
<body class="has-sidebar">
<div id="cookie-banner">We use cookies. <button>Accept</button></div>
<nav><ul><li><a href="/">Domů</a></li><li><a href="/o">O nás</a></li></ul></nav>
<main><h1>Přístav Tünn</h1>
<p>{PROSE} See <a href="../reka">the river</a>, Πλοία&nbsp;καὶ ναῦται &amp; more.</p>
<h2>Historie</h2><h4>Doky</h4><p>{PROSE}First line<br>second line.<br><br>Another paragraph.</p>
<ol start="3"><li>Dredge<ul><li>north</li><li>south</li></ul></li><li value="7"><p>Measure</p><p>Why so.</p></li></ol>
<ol type="a"><li>Ask</li></ol>
<blockquote><p>To err.</p></blockquote>
<figure><img src="a.png" alt="Depths by year"><figcaption>Figure 1: Depths.</figcaption></figure>
</main>
<footer><p>© Přístavní správa</p></footer><script>var x = "never shown";</script></body></html>"""


def test_headings_paragraphs_lists_and_captions_come_out_in_order(tmp_path: Path) -> None:
    """The only h1 is the title; levels have no gaps; ordered items keep their numbers; two line breaks end a paragraph."""
    assert [(kind, level, text.replace(PROSE, "P. ")) for kind, level, text in kinds(written(tmp_path, PAGE))] == [
        ("heading", 0, "Přístav Tünn"),
        ("paragraph", 0, "P. See the river, Πλοία καὶ ναῦται & more."),
        ("heading", 1, "Historie"),
        ("heading", 2, "Doky"),
        ("paragraph", 0, "P. First line second line."),
        ("paragraph", 0, "Another paragraph."),
        ("list_item", 1, "3. Dredge"),
        ("list_item", 2, "north"),
        ("list_item", 2, "south"),
        ("list_item", 1, "7. Measure"),
        ("paragraph", 0, "Why so."),
        ("list_item", 1, "a. Ask"),
        ("paragraph", 0, "To err."),
        ("caption", 0, "Figure 1: Depths."),
    ]


def test_what_surrounds_the_text_is_left_out_and_kept_in_the_report(tmp_path: Path) -> None:
    """Menus, cookie banners and footers are no text; the report holds their words. Scripts are not even words."""
    document = written(tmp_path, PAGE)
    assert {"We use cookies.", "Domů O nás", "© Přístavní správa"} <= set(removed(document, "navigation").splitlines())
    assert "never shown" not in document.text + str(document.report)
    assert removed(document, "figure") == "Depths by year"


def test_the_page_says_what_it_is(tmp_path: Path) -> None:
    """JSON-LD, OpenGraph and the canonical address make the work record; a person's two words are given and family name."""
    assert written(tmp_path, PAGE).work == {
        "id": "page",
        "type": "report",
        "title": "Přístav Tünn",
        "author": [{"family": "Nováková", "given": "Eva"}, {"literal": "Port Authority"}],
        "issued": {"date-parts": [[2019, 3, 7]]},
        "publisher": "Přístavní správa",
        "language": "cs-CZ",
        "URL": "https://port.example/tunn/",
    }


def test_links_keep_absolute_targets(tmp_path: Path) -> None:
    """The canonical address is the base of a relative link."""
    document = written(tmp_path, PAGE)
    (link,) = document.links
    assert (document.text[link.start : link.end], link.target) == ("the river", "https://port.example/reka")


def test_a_relative_link_without_a_base_is_no_link(tmp_path: Path) -> None:
    """Where it leads is not known, and is not guessed."""
    document = written(tmp_path, f"<p>{PROSE}<a href='/a'>one</a> <a href='https://x.example/b'>two</a></p>")
    assert [link.target for link in document.links] == ["https://x.example/b"]


def test_meta_tags_say_author_and_date(tmp_path: Path) -> None:
    """A name is cut in two only at its comma; the site's name is taken off the title; a broken script is passed over."""
    head = """<head><title>Harbour policy after 2020 | Think Tank</title><meta name="author" content="European Commission">
    <meta name="DC.date" content="2021-05"><meta name="DC.language" content="EN">
    <script type="application/ld+json">{broken</script></head>"""
    work = written(tmp_path, f"<html>{head}<body><p>{PROSE}</p></body></html>").work
    assert work["title"] == "Harbour policy after 2020"
    assert work["author"] == [{"literal": "European Commission"}]
    assert (work["issued"], work["language"]) == ({"date-parts": [[2021, 5]]}, "en")


def test_a_template_title_is_no_title(tmp_path: Path) -> None:
    """ "Site -  - EN" says nothing; then a first paragraph that is no sentence is the title."""
    document = written(tmp_path, f"<title>EUR-Lex -  - EN</title><body><h1> </h1><p><b>Treaty of Tünn</b></p><p>{PROSE}</p>")
    assert document.title == "Treaty of Tünn"
    assert document.blocks[0].kind == "heading"


def test_a_table_is_a_block_of_rows(tmp_path: Path) -> None:
    """Cells stand in their columns; a cell that spans rows is said in each, a header over each of its columns."""
    table = """<table><caption>Table 1</caption><tr><th rowspan=2>Year</th><th colspan=2>Depth</th></tr><tr><th>min</th><th>max</th></tr>
    <tr><td rowspan=2>2019</td><td>3</td><td><p>4</p></td></tr><tr><td>5</td><td>6</td></tr>
    <tr><td>2020</td><td></td><td>7</td></tr></table>"""
    document = written(tmp_path, f"<h1>T</h1><p>{PROSE}</p>{table}")
    assert [(kind, text) for kind, _, text in kinds(document)][2:] == [
        ("caption", "Table 1"),
        ("table", "Year | Depth | Depth\nYear | min | max\n2019 | 3 | 4\n2019 | 5 | 6\n2020 |  | 7"),
    ]
    assert "tables" in [change.kind for change in document.report]


def test_a_table_that_only_places_things_is_read_through(tmp_path: Path) -> None:
    """Layout tables are paragraphs; the Official Journal's one-row tables are list items."""
    source = f"""<h1>T</h1><table role=presentation><tr><td><p>{PROSE}</p></td><td><p>Right.</p></td></tr></table>
    <table><tr><td>(a)</td><td>ships;</td></tr></table><table><tr><td>—</td><td>boats.</td></tr></table>"""
    assert [(kind, text) for kind, _, text in kinds(written(tmp_path, source))][2:] == [
        ("paragraph", "Right."),
        ("list_item", "(a) ships;"),
        ("list_item", "boats."),
    ]


NOTE_STYLES = {
    "superscript": (
        'deep<sup><a href="#fn1" id="r1">1</a></sup>, they <sup>say</sup>',
        '<ol><li id="fn1">Port, <i>Depths</i>. <a href="#r1">↩</a></li></ol>',
    ),
    "word": (
        'deep<a href="#_ftn1" name="_ftnref1">[1]</a>, they say',
        '<div><p><a href="#_ftnref1" name="_ftn1">[1]</a> Port, <i>Depths</i>.</p></div>',
    ),
    "wikipedia": (
        'deep<sup id="cite_ref-P_1-0" class="reference"><a href="#cite_note-P-1"><span>[</span>1<span>]</span></a></sup>, they say',
        '<h2>References</h2><ol><li id="cite_note-P-1"><span class="mw-cite-backlink"><b><a href="#cite_ref-P_1-0">^</a></b></span> '
        "<span>Port, <i>Depths</i>.</span></li></ol>",
    ),
    "aria": (
        'deep<a role="doc-noteref" href="#x">1</a>, they say',
        '<aside id="x" role="doc-footnote"><p>1. Port, Depths. <a role="doc-backlink" href="#y">back to the text</a></p></aside>',
    ),
    "epub": (
        'deep<a epub:type="noteref" href="#x">1</a>, they say',
        '<aside id="x" epub:type="footnote"><p>Port, Depths.</p></aside>',
    ),
    "brackets outside": (
        'deep [<a id="r" href="#n1">1</a>], they say',
        '<p><a name="n1"></a>1. Port, Depths. <a href="#r">back</a></p>',
    ),
    "official journal": (
        'deep <a id="ntc1-L" href="#ntr1-L">(<span class="oj-super">1</span>)</a>, they say',
        '<p class="oj-note"><a id="ntr1-L" href="#ntc1-L">(<span class="oj-super">1</span>)</a> Port, Depths.</p>',
    ),
    "table of notes": (
        'deep<sup><a href="#n1">1</a></sup>, they say',
        '<table><tr><td id="n1">1</td><td>Port, Depths.</td></tr></table>',
    ),
    "no links": ("deep<sup>1</sup>, they say", "<p><sup>1</sup> Port, Depths.</p>"),
    "no links, brackets": ("deep [1], they say", "<p>[1] Port, Depths.</p>"),
}


@pytest.mark.parametrize("style", NOTE_STYLES)
def test_notes_are_tied_to_their_markers(tmp_path: Path, style: str) -> None:
    """However a page writes them: the marker is lifted, its offset kept, the note stands behind the prose without its label."""
    prose, note = NOTE_STYLES[style]
    document = written(tmp_path, f"<h1>T</h1><p>{PROSE}It is {prose}.</p>{note}<p>The end.</p>")
    assert notes(document) == [(1, [f"{PROSE}It is deep"], "Port, Depths.")]
    assert "It is deep, they say." in document.text
    assert kinds(document)[-1] == ("note", 0, "Port, Depths.")
    assert kinds(document)[-2] == ("paragraph", 0, "The end.")


def test_notes_that_share_a_paragraph_are_told_apart(tmp_path: Path) -> None:
    """Their targets say where each begins."""
    source = """<h1>T</h1><p>One<sup><a href="#n1">1</a></sup> and two<sup><a href="#n2">2</a>,<a href="#n1">1</a></sup>.</p>
    <p><a id="n1">1</a> First.<br><a id="n2">2</a> Second.</p>"""
    assert notes(written(tmp_path, source)) == [(1, ["One", "One and two"], "First."), (2, ["One and two"], "Second.")]


def test_a_note_whose_label_is_no_number_gets_the_next(tmp_path: Path) -> None:
    """The report says which."""
    source = '<h1>T</h1><p>A<sup><a href="#fn1">*</a></sup> b<sup><a href="#fn2">1</a></sup></p><p id="fn1">* S.</p><p id="fn2">1 F.</p>'
    document = written(tmp_path, source)
    assert [(number, text) for number, _, text in notes(document)] == [(2, "S."), (1, "F.")]
    assert "* is 2" in next(change.detail for change in document.report if change.kind == "renumbered")


def test_a_raised_digit_without_a_note_stays_raised(tmp_path: Path) -> None:
    """`10<sup>6</sup>` is not 106, and `1<sup>st</sup>` is 1st."""
    assert "10⁶ m² on the 1st" in written(tmp_path, "<p>About 10<sup>6</sup> m<sup>2</sup> on the 1<sup>st</sup> of May.</p>").text


def test_numbers_that_begin_anew_are_made_unique() -> None:
    """The first keeps the printed number; the others follow the highest."""
    assert unique_numbers(["1", "2", "*", "1"]) == [1, 2, 3, 4]
    drafts = [Draft("paragraph", Prose(text)) for text in ("One [1].", "[1] First.", "Two [1].", "[1] Second.")]
    tied, changes = tie_plain_notes(drafts)
    assert [(d.number, d.prose.text, d.prose.markers) for d in tied] == [
        (None, "One.", ((3, 1),)),
        (1, "First.", ()),
        (None, "Two.", ((3, 2),)),
        (2, "Second.", ()),
    ]
    assert changes[0].detail.endswith("1 is 2")


def test_brackets_without_notes_are_text(tmp_path: Path) -> None:
    """A bracketed number refers to a note only where there is one."""
    assert "list [3]." in written(tmp_path, "<p>As in the list [3].</p><p>[2] is not three.</p>").text


ACT = ["Treaty", "TITLE I", "COMMON PROVISIONS", "Article 1", "(ex Article 2)", "1. Ships shall:", "(a) sail;", "(i) by day;", "- float.",
       "Article 2 (ex 3)", "Scope", "It applies.", "CHAPTER 2", "Article 3a", "As in Article 1 of this Treaty.", "Članek 4", "Konec.",
       "Germany | 10 |", "|", "| 9 |"]  # fmt: skip


def test_the_words_of_an_act_are_its_headings(tmp_path: Path) -> None:
    """Where all paragraphs look alike, Title, Chapter and Article make the sections, with a second line where there is one."""
    document = written(tmp_path, "<body>" + "".join(f"<p>{line}</p>" for line in ACT))
    assert kinds(document) == [
        ("heading", 0, "Treaty"),
        ("heading", 1, "TITLE I COMMON PROVISIONS"),
        ("heading", 2, "Article 1"),
        ("paragraph", 0, "(ex Article 2)"),
        ("paragraph", 0, "1. Ships shall:"),
        ("list_item", 1, "(a) sail;"),
        ("list_item", 2, "(i) by day;"),
        ("list_item", 1, "float."),
        ("heading", 2, "Article 2 (ex 3) Scope"),
        ("paragraph", 0, "It applies."),
        ("heading", 2, "CHAPTER 2"),
        ("heading", 3, "Article 3a"),
        ("paragraph", 0, "As in Article 1 of this Treaty."),
        ("paragraph", 0, "Članek 4"),
        ("paragraph", 0, "Konec."),
        ("table", 0, "Germany | 10\n| 9"),
    ]
    place = document.text.index("(a) sail")
    assert document.locate(place, place + 3).headings == ("TITLE I COMMON PROVISIONS", "Article 1")


def test_the_contents_page_of_an_act_marks_its_headings() -> None:
    """Its entries go out of the text; a later paragraph that says the same is a heading."""
    lines = ["Contents", "Opening", "1. Declaration on ships", "Article 1", "-----", "Opening", "Article 1", "A.", "Article 2", "B.",
             "Article 3", "C.", "1. Declaration on ships", "D."]  # fmt: skip
    drafts, changes = read_act([Draft("paragraph", Prose(line)) for line in lines])
    assert [(d.level, d.prose.text) for d in drafts if d.kind == "heading"] == [
        (1, "Opening"),
        (2, "Article 1"),
        (2, "Article 2"),
        (2, "Article 3"),
        (2, "1. Declaration on ships"),
    ]
    assert changes[0].removed.splitlines() == lines[:4]


def test_links_that_a_heading_introduces_are_text(tmp_path: Path) -> None:
    """A list of further reading stays; the same list without a heading is navigation; a contents list goes."""
    links = "".join(f'<li><a href="https://x.example/{i}">Paper {i}</a></li>' for i in range(6))
    contents = "".join(f'<li><a href="#s{i}">Section {i}</a></li>' for i in range(4))
    document = written(tmp_path, f"<ul>{links}</ul><h1>T</h1><div><ul>{contents}</ul></div><p>{PROSE}</p><h2>Reading</h2><ul>{links}</ul>")
    assert document.text.count("Paper 3") == 1
    assert "Section 2" in removed(document, "contents")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250", "iso-8859-7"])
def test_a_page_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """By byte order mark, by its own declaration, or as the UTF-8 that it is."""
    letters = "Πλοία στο λιμάνι" if encoding == "iso-8859-7" else "Příliš žluťoučký kůň"
    source = f'<html><head><meta charset="{encoding.removesuffix("-sig")}"></head><body><p>{letters}</p></body></html>'
    assert letters in written(tmp_path, source.encode(encoding)).text


def test_valid_utf_8_is_utf_8_whatever_it_declares(tmp_path: Path) -> None:
    """Many servers' templates declare what the page is not."""
    assert "kůň" in written(tmp_path, '<meta charset="iso-8859-1"><p>kůň</p>').text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 ...", r"is a PDF, not HTML\. Give it the suffix \.pdf"),
        (b"PK\x03\x04....", "is a ZIP or office file"),
        (b"only words", "is not HTML"),
        (b"<html><body><div id='app'></div><script>run()</script></body></html>", "holds no text"),
        (b"<div>" * 10_000, "nests its elements 10,000 deep"),
        (b"<p>a\0\0\0b" * 9, "no text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, source: bytes, reason: str) -> None:
    """The error says which file, what is wrong and what to do."""
    with pytest.raises(UnreadableDocument, match=rf"page\.html.*{reason}"):
        written(tmp_path, source)


def test_a_page_nested_deep_but_readable_is_read(tmp_path: Path) -> None:
    """Beyond a hundred levels nothing is lost, and no stack overflows."""
    assert written(tmp_path, "<div>" * 2000 + "bottom" + "</div>" * 2000).text == "bottom"
    assert written(tmp_path, "<ul><li>a" * 1000).text.split() == ["a"] * 1000


def test_cells_that_span_beyond_reason_do_not_fill_memory() -> None:
    """A span repeats short cells only, and only so often."""
    rows = [[Cell(Prose("x" * 150), columns=1000, rows=65_000, header=True), Cell(Prose("y"))] for _ in range(300)]
    assert len(table_prose(rows).text) < 10_000_000


def test_letters_and_roman_numbers() -> None:
    """As list styles print them."""
    assert [letters(n) for n in (1, 26, 27, 52)] == ["a", "z", "aa", "az"]
    assert [repeated_letters(n) for n in (1, 26, 27, 28)] == ["a", "z", "aa", "bb"]
    assert [roman(n) for n in (4, 9, 14, 40, 1994)] == ["iv", "ix", "xiv", "xl", "mcmxciv"]


ELEMENTS = st.sampled_from(
    "p div span ul ol li h1 h2 h3 table tr td th b sup a blockquote br dl dt dd pre q aside figure figcaption".split()
)


@given(st.lists(st.tuples(ELEMENTS, st.booleans(), st.text("abcdeé ¹[]1", max_size=12)), min_size=1, max_size=25))
def test_any_page_keeps_its_words(tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, bool, str]]) -> None:
    """However its elements are nested, the letters stand in the text or in the report, and blocks are tight slices of it."""
    source = "".join(f"<{tag}>{text}" + (f"</{tag}>" if closed else "") for tag, closed, text in parts)
    path = tmp_path_factory.getbasetemp() / "any.html"
    path.write_text(f"<body><p>words {source}</body>", encoding="utf-8")
    document = read(path)
    said = document.text + "".join(change.removed for change in document.report)
    shown = "words " + "".join(text for _, _, text in parts)
    for letter in "abcdeé":
        assert said.count(letter) >= shown.count(letter)
    for block in document.blocks:
        text = document.text[block.start : block.end]
        assert text
        assert text == text.strip()
    assert not re.search(r"\n{3}", document.text.replace("\n\n", "¶").replace("¶", "\n\n"))


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "punycode", "idna", "undefined", "hex", "rot13", "raw_unicode_escape"])
def test_a_declared_encoding_that_no_browser_reads_is_not_followed(tmp_path: Path, charset: str) -> None:
    """Python knows them, and some of them make halves of characters, or raise what no decoder should."""
    path = tmp_path / "page.html"
    path.write_bytes(f'<meta charset="{charset}"><p>Harbour +2AA- \\ud800 caf'.encode() + b"\xe9 au lait, une fois.</p>")
    assert read(path).text.startswith("Harbour +2AA- \\ud800 caf")


@pytest.mark.parametrize(
    "head",
    [
        '<link rel=canonical href="https://port.example/a"><base href="http://[">',
        '<script type="application/ld+json">{"@type": "Report", "name": "Har\\ud800bour", "datePublished": [[[]]]}</script>',
        '<script type="application/ld+json">{"@type": "Report", "n": %s}</script>' % ("9" * 5000),
        '<script type="application/ld+json">%s</script>' % ("[" * 100_000),
    ],
)
def test_what_a_page_says_wrongly_of_itself_is_no_reason_to_refuse_it(tmp_path: Path, head: str) -> None:
    """An address that is none, half of a character, a number without end, lists without end."""
    path = tmp_path / "page.html"
    path.write_text(f"<head>{head}</head><p>The harbour was <a href='b'>dredged</a>.", "utf-8")
    document = read(path)
    assert document.text.endswith("The harbour was dredged.")
    document.title.encode("utf-8")
