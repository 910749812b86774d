"""References of whatever a record may hold: nothing breaks a format, and nothing is printed that nobody meant."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from urllib.parse import unquote

import bibtexparser
import rispy
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from eunato_rag.citing import formats
from eunato_rag.citing.formats import bibtex
from eunato_rag.citing.formats.fields import clean
from eunato_rag.records import CslRecord, Locator, Page

TYPES = """article article-journal article-magazine article-newspaper bill book broadcast chapter dataset document entry-encyclopedia
hearing interview legal_case legislation manuscript motion_picture pamphlet paper-conference post post-weblog regulation report review
software speech standard thesis treaty webpage unheard-of""".split()
NASTY = [
    "",
    "  ",
    "None",
    "...",
    "{",
    "}}",
    "\\",
    "a\nER  - \nTY  - JOUR",
    "@book{x,",
    "50 % & more_#1 ~^$",
    "Is it?",
    "It is!",
    "Inc.",
    "“Quoted” end",
]
MARKS = ("..", ",.", " ,", "()", "[]", " .", ",,", " ;", "“”", "(,", "( ", "?.", "!.")
WORDS = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.text("ab CD.?!,;:'\"()[]{}\\%&_\n", max_size=20))
TEXTS = """title title-short container-title collection-title publisher publisher-place event-title event-place genre edition
version language DOI status authority original-title abstract keyword archive""".split()
URLS = st.sampled_from(["https://a.example/x_y?(1)&b=<c>#d", "HTTP://b.example/é", "ftp://c.example/ z", "no address"])
DAYS = st.lists(st.lists(st.integers(-5, 2100), max_size=3), max_size=2)


def records(words: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, object]]:
    """Any fields, filled with these words."""
    people = st.lists(
        st.one_of(
            st.fixed_dictionaries({"literal": words}),
            st.fixed_dictionaries({"family": words}, optional={"given": words, "suffix": words, "non-dropping-particle": words}),
        ),
        max_size=23,
    )
    dates = st.one_of(
        st.fixed_dictionaries({"date-parts": DAYS}, optional={"circa": st.booleans(), "season": st.integers(0, 5)}),
        st.fixed_dictionaries({"literal": words}),
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "id": words,
            "type": st.sampled_from(TYPES),
            "URL": st.one_of(words, URLS),
            **dict.fromkeys(TEXTS, words),
            **dict.fromkeys(("volume", "issue", "number", "page", "collection-number"), st.one_of(st.integers(-50, 3000), words)),
            **dict.fromkeys(("author", "editor", "translator", "interviewer"), people),
            **dict.fromkeys(("issued", "accessed", "original-date"), dates),
        },
    )


def locators(words: st.SearchStrategy[str]) -> st.SearchStrategy[Locator | None]:
    """Pages with and without labels, sections, paragraphs, nothing."""
    pages = st.builds(Page, st.integers(1, 900), st.one_of(st.none(), words))
    sections = st.lists(words, max_size=2).map(tuple)
    return st.one_of(
        st.none(),
        st.builds(lambda page: Locator(0, 1, page), pages),
        st.builds(lambda headings, paragraph: Locator(0, 1, None, headings, paragraph), sections, st.one_of(st.none(), st.integers(1, 99))),
    )


TAME = st.one_of(
    st.sampled_from(
        [
            "",
            "...",
            "Is it?",
            "It is!",
            "Inc.",
            "Defence (EU)",
            "A: b",
            "{x}",
            "EU & NATO",
            "O'Neil",
            "3rd ed.",
            "12",
            "PR (2016) 119",
            "2020-05",
        ]
    ),
    st.text("abc DEF 12 äß", max_size=20),
)
"""Words as people write them: what is odd in a line then comes from the line."""
RECORDS, LOCATORS = records(WORDS), locators(WORDS)


def printed(work: CslRecord, locator: Locator | None, markup: formats.Markup = "text") -> list[str]:
    """Every line that a reader sees."""
    return [
        *(formats.reference(work, style, locator, markup=markup) for style in ("apa", "chicago")),
        formats.note(work, locator, "full", markup=markup),
        formats.note(work, locator, "short", markup=markup),
        formats.note(work, locator, "ibid", markup=markup),
        formats.in_text(work, locator, markup=markup),
    ]


@given(records(TAME), locators(TAME))
def test_no_line_has_a_mark_that_its_record_does_not_have(work: dict[str, object], locator: Locator | None) -> None:
    """No "None", no doubled or missing punctuation, no empty brackets, one line each, and an end."""
    for line in printed(work, locator):
        assert "None" not in line
        assert not [mark for mark in MARKS if mark in line.replace(". . .", "")], line
        assert len(line.splitlines()) == 1
        assert line == line.strip()
        assert line[-1] in ".?!)]”" or "://" in line


@given(RECORDS, LOCATORS)
def test_a_line_is_the_same_in_text_markdown_and_html(work: dict[str, object], locator: Locator | None) -> None:
    """What a reader of the Markdown or of the HTML sees is the text, and nothing in a record becomes a tag."""
    read = MarkdownIt("commonmark", {"html": True})
    for plain, marked, tagged in zip(*(printed(work, locator, markup) for markup in ("text", "markdown", "html")), strict=True):
        assert set(re.findall(r"<[^>]*>", tagged)) <= {
            "<i>",
            "</i>",
            "</a>",
            *re.findall(r'<a href="https?://[^"<>]*">', tagged, re.IGNORECASE),
        }
        assert html.unescape(re.sub(r"<[^>]*>", "", tagged)) == plain
        shown = read.render(marked)
        assert shown.startswith("<p>")
        # a reader of Markdown shows an address decoded
        assert unquote(html.unescape(re.sub(r"<[^>]*>", "", shown)).strip()) == unquote(plain)
        assert re.sub(r"<(/?)em>", r"<\1i>", "".join(re.findall(r"</?em>", shown))) == "".join(re.findall(r"</?i>", tagged))


@given(RECORDS, LOCATORS)
def test_any_record_is_one_bibtex_entry(work: dict[str, object], locator: Locator | None) -> None:
    """One entry comes back, no block fails, braces are balanced, and a title that was there is there."""
    entry = formats.reference(work, "bibtex", locator)
    library = bibtexparser.parse_string(entry)
    assert not library.failed_blocks
    assert [block.key for block in library.entries] == [bibtex.key(work)]
    assert entry.count("{") == entry.count("}")
    fields = library.entries[0].fields_dict
    assert ("title" in fields) == bool(clean(work.get("title")))
    assert ("annote" in fields) == bool(formats.pinpoint(locator))


@given(RECORDS, LOCATORS)
def test_any_record_is_one_ris_record(work: dict[str, object], locator: Locator | None) -> None:
    """A title cannot end the record: one type, one end, every line a tag, and the title comes back."""
    record = formats.reference(work, "ris", locator)
    lines = record.split("\r\n")
    assert lines.pop() == ""
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines)
    assert [n for n, line in enumerate(lines) if line.startswith(("TY", "ER"))] == [0, len(lines) - 1]
    assert len(record.splitlines()) == len(lines)
    (entry,) = rispy.loads(record)
    assert entry.get("title", "") == clean(work.get("title"))


@given(st.lists(st.tuples(records(TAME), st.sampled_from(["lind-2020", "lind 2020", "Lind-2020", "länd-2020", "lnd-2020"])), max_size=5))
def test_a_file_of_many_holds_as_many(pairs: list[tuple[dict[str, object], str]]) -> None:
    """Each work once by its id; BibTeX keys are apart where ids are; each item of the JSON has an id and a type."""
    works = [{**work, "id": identity} for work, identity in pairs]
    count = len({identity for _, identity in pairs})
    assert len(bibtexparser.parse_string(formats.export(works, "bibtex")).entries) == count
    assert len(rispy.loads(formats.export(works, "ris"))) == count
    items = json.loads(formats.export(works, "csl-json").encode())
    assert len(items) == count
    assert all(item["id"] and item["type"] for item in items)
    for style in ("apa", "chicago"):
        assert len(formats.bibliography(works, style)) == count


@given(st.lists(st.tuples(RECORDS, LOCATORS), max_size=6), st.booleans())
def test_notes_are_one_a_cite(cites: list[tuple[dict[str, object], Locator | None]], ibid: bool) -> None:
    """As many notes as cites, the first of each work whole, "Ibid." only where it was asked for and never first."""
    made = formats.notes(cites, ibid=ibid)
    assert len(made) == len(cites)
    assert not any(line.startswith("Ibid.") for line in made[: 1 if ibid else None])
    for (work, locator), line in list(zip(cites, made, strict=True))[:1]:
        assert line == formats.note(work, locator)


@given(
    st.dictionaries(
        st.sampled_from([*TEXTS, "author", "issued", "volume", "type", "id"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.lists(st.integers(), max_size=2), st.just({"date-parts": None})),
    )
)
def test_fields_of_a_wrong_type_read_as_not_there(work: dict[str, object]) -> None:
    """A record that is not CSL at all still makes a reference in every style."""
    for style in formats.STYLES:
        assert "None" not in formats.reference(work, style)


def test_letters_alone_are_what_makes_a_field() -> None:
    """Punctuation, white space and controls alone say nothing; halves of characters and line ends are gone."""
    assert [clean(value) for value in ("...", " \n", "\x00", "—", None, True, [])] == [""] * 7
    assert clean("a\ud800b\u2028c\r\nd") == "a b c d"
    assert unicodedata.category("\ue000") == "Co"
    assert clean("forged \ue000italic\ue001") == "forged italic"
