"""References, notes and citations, line by line against files that were read against the styles' rules; and read back."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import bibtexparser
import pytest
import rispy

from eunato_rag.citing import formats
from eunato_rag.citing.formats.apa import initials
from eunato_rag.citing.formats.dates import american
from eunato_rag.citing.formats.fields import date
from eunato_rag.errors import InvalidText, UnknownStyle
from eunato_rag.records import Block, CslRecord, Document, Footnote, Locator, Page, PageSpan

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("golden")
MANIFEST = [{"id": work["id"], **work["csl"]} for work in tomllib.loads((ROOT / "corpus" / "sources.toml").read_text("utf-8"))["work"]]
WORKS = [*MANIFEST, *tomllib.loads((GOLDEN / "further.toml").read_text("utf-8"))["work"]]
BY_ID: dict[str, dict[str, Any]] = {work["id"]: work for work in WORKS}
PAPER = BY_ID["mangiameli-2025"]
SECTION = Locator(0, 1, None, ("1. Aims",), 4)
PAGE = Locator(0, 1, Page(8, "6"))


def golden(name: str) -> list[str]:
    """The lines of a golden file without its comments, which name the rules."""
    return [line for line in (GOLDEN / name).read_text("utf-8").splitlines() if not line.startswith("# ")]


@pytest.mark.parametrize("style", ["apa", "chicago"])
def test_a_list_of_every_type_of_work_is_as_the_style_wants_it(style: str) -> None:
    """The manifest's works, and further ones for types that it lacks."""
    assert formats.bibliography(WORKS, style, markup="markdown") == golden(f"{style}.md")


def test_first_and_later_notes_of_every_type_of_work() -> None:
    """Full with a page; short, indented in the file, with section and paragraph."""
    made = []
    for work in WORKS:
        made += [formats.note(work, PAGE, markup="markdown"), "     " + formats.note(work, SECTION, "short", markup="markdown")]
    assert made == golden("notes.md")


def test_citations_in_the_text_of_every_type_of_work() -> None:
    """With the letters that the whole list needs."""
    assert [formats.in_text(work, SECTION, WORKS, markup="markdown") for work in WORKS] == golden("in_text.md")


def test_bibtex_is_as_the_file_and_reads_back() -> None:
    """Every entry with its key, and its fields as they were written."""
    text = formats.export(WORKS, "bibtex")
    assert text == (GOLDEN / "works.bib").read_text("utf-8")
    library = bibtexparser.parse_string(text)
    assert not library.failed_blocks
    assert [entry.key for entry in library.entries] == [work["id"] for work in WORKS]
    for entry, work in zip(library.entries, WORKS, strict=True):
        fields = {name: field.value for name, field in entry.fields_dict.items()}
        assert read_latex(fields["title"]) == work["title"]
        assert fields.get("year", "").removeprefix("ca. ") == str(year_of(work) or "")
        assert fields.get("url", "") == work.get("URL", "")
        assert fields.get("language") == work.get("language")
        publisher = next(
            (read_latex(fields[name]) for name in ("institution", "school", "howpublished", "publisher") if name in fields), ""
        )
        assert publisher.endswith(work.get("publisher", ""))
        people = (
            [read_latex(name) for name in fields["author"].split(" and ")] if "author" in fields and "{" not in fields["author"] else None
        )
        if people is not None:
            assert people == [", ".join(filter(None, (n["family"], n.get("suffix"), n.get("given")))) for n in work["author"]]


def test_ris_is_as_the_file_and_reads_back() -> None:
    """Lines end as RIS wants it; types, people, dates and addresses come back."""
    text = formats.export(WORKS, "ris")
    assert text.replace("\r\n", "\n") == (GOLDEN / "works.ris").read_text("utf-8")
    assert text.count("\n") == text.count("\r\n")
    entries = rispy.loads(text)
    assert [entry["id"] for entry in entries] == [work["id"] for work in WORKS]
    for entry, work in zip(entries, WORKS, strict=True):
        assert entry["title"] == work["title"]
        assert entry.get("authors", []) == [
            name.get("literal") or ", ".join(filter(None, (name["family"], name.get("given"), name.get("suffix"))))
            for name in work.get("author", [])
        ]
        assert entry.get("year", "") == str(year_of(work) or "")
        assert entry.get("urls", []) == ([work["URL"]] if "URL" in work else [])
        assert entry.get("publisher", entry.get("authority")) == work.get("publisher", work.get("authority"))
        assert entry.get("language") == work.get("language")
        assert entry.get("doi") == (work["DOI"].removeprefix("https://doi.org/") if "DOI" in work else None)


def test_csl_json_is_the_record_itself() -> None:
    """What was valid is unchanged; a record of a file's own metadata gets the type that it lacks."""
    items = json.loads(formats.export(WORKS, "csl-json"))
    assert items == [{**work, "type": work.get("type", "document")} for work in WORKS]
    assert json.loads(formats.reference(PAPER, "csl-json")) == PAPER


def test_what_csl_does_not_know_is_left_out() -> None:
    """No nulls, no fields and no types of one's own, numbers where text is wanted as text."""
    work = {
        "id": "a",
        "type": "memo",
        "title": None,
        "shelf": "3",
        "author": [{"family": "Lind", "age": 3}, {}, "Port"],
        "language": 7,
        "issued": {},
    }
    assert json.loads(formats.reference(work, "csl-json")) == {
        "id": "a",
        "type": "document",
        "author": [{"family": "Lind"}, {"literal": "Port"}],
        "language": "7",
    }


def test_the_place_goes_where_an_importer_keeps_it() -> None:
    """A note in RIS, an annotation in BibTeX and CSL-JSON, label and locator in a cite; never the pages that a work fills."""
    article = BY_ID["okafor-2021"]
    (ris,) = rispy.loads(formats.reference(article, "ris", PAGE))
    assert (ris["notes"], ris["start_page"], ris["end_page"]) == (["Cited: p. 6"], "201", "228")
    fields = bibtexparser.parse_string(formats.reference(article, "bibtex", SECTION)).entries[0].fields_dict
    assert (fields["annote"].value, fields["pages"].value) == ("Cited: sec. 1, para. 4", "201--228")
    assert json.loads(formats.reference(article, "csl-json", PAGE))["annote"] == "Cited: p. 6"
    assert formats.cite(article, PAGE) == {"id": "okafor-2021", "label": "page", "locator": "6"}
    assert formats.cite(article, SECTION) == {"id": "okafor-2021", "label": "section", "locator": "1, para. 4"}
    assert formats.cite(article, Locator(0, 1, None, (), 3)) == {"id": "okafor-2021", "label": "paragraph", "locator": "3"}
    assert formats.cite(article) == {"id": "okafor-2021"}


@pytest.mark.parametrize("style", ["", "APA", "mla", "chicago-author-date"])
def test_an_unknown_style_is_an_error_that_lists_the_styles(style: str) -> None:
    """Whatever was to be made in it."""
    for make in (lambda: formats.reference(PAPER, style), lambda: formats.bibliography([], style), lambda: formats.export([PAPER], style)):
        with pytest.raises(UnknownStyle, match=re.escape(f"no style {style!r}. Styles are: csl-json, bibtex, ris, apa, chicago")):
            make()
    assert issubclass(UnknownStyle, InvalidText)
    assert set(formats.MEDIA_TYPES) == set(formats.STYLES)


def test_notes_are_full_then_short_with_ibid_directly_behind() -> None:
    """The same place is "Ibid." alone, another has its own; a note without a place after one with a place is no "Ibid."."""
    other = BY_ID["grand-defending-2024"]
    cites = [(PAPER, PAGE), (PAPER, PAGE), (PAPER, SECTION), (PAPER, None), (other, PAGE), (PAPER, PAGE), (other, None), (other, None)]
    made = formats.notes(cites)
    assert made[1:] == [
        "Ibid.",
        "Ibid., sec. 1, para. 4.",
        "Mangiameli, Elevating EU-NATO Synergy.",
        formats.note(other, PAGE),
        "Mangiameli, Elevating EU-NATO Synergy, 6.",
        "Grand, Defending Europe.",
        "Ibid.",
    ]
    assert formats.notes(cites, ibid=False)[1:4] == [
        "Mangiameli, Elevating EU-NATO Synergy, 6.",
        "Mangiameli, Elevating EU-NATO Synergy, sec. 1, para. 4.",
        "Mangiameli, Elevating EU-NATO Synergy.",
    ]
    assert formats.notes([]) == []
    assert formats.note(PAPER, PAGE, "ibid") == "Ibid., 6."


def test_short_notes_tell_works_apart() -> None:
    """Titles that would be shortened alike are shortened less; equal titles get their date."""
    first, second = BY_ID["eu-nato-declaration-2016"], BY_ID["eu-nato-declaration-2018"]
    third = {**second, "id": "third", "issued": {"date-parts": [[2023, 1, 10]]}}
    alone = formats.notes([(first, None), (PAPER, None), (first, PAGE)])[2]
    assert alone == "Tusk et al., Joint Declaration, 6."
    apart = formats.notes([(first, None), (second, None), (first, PAGE), (second, PAGE)])[2:]
    assert apart == [
        "Tusk et al., Joint Declaration by the President of the European Council, the President of the European Commission, "
        "and the Secretary General of the North Atlantic Treaty Organization, 6.",
        "Tusk et al., Joint Declaration on EU-NATO Cooperation, 6.",
    ]
    assert formats.notes([(second, None), (third, None), (second, PAGE)])[2] == (
        "Tusk et al., Joint Declaration on EU-NATO Cooperation (July 10, 2018), 6."
    )


def test_letters_behind_equal_years_are_the_same_in_list_and_text() -> None:
    """By title; only where authors and year are equal; a work cited alone needs none."""
    b, a = (
        {"id": k, "type": "book", "title": t, "author": PAPER["author"], "issued": PAPER["issued"]}
        for k, t in (("x", "Zeal"), ("y", "The Aim"))
    )
    assert formats.suffixes([b, a, BY_ID["grand-defending-2024"]]) == {"y": "a", "x": "b"}
    assert [line[:25] for line in formats.bibliography([b, a], "apa")] == ["Mangiameli, F. (2025a). T", "Mangiameli, F. (2025b). Z"]
    assert formats.in_text(b, None, [a, b]) == "(Mangiameli, 2025b)"
    assert formats.in_text(b, None, [b]) == formats.in_text(b) == "(Mangiameli, 2025)"


def work(*authors: object, **fields: object) -> CslRecord:
    """A book of 2020 by people given as "Family, Given" or as bodies."""
    people = [{"family": a.split(", ")[0], "given": a.split(", ")[1]} if ", " in a else {"literal": a} for a in map(str, authors)]
    return {
        "id": f"{authors} {fields}",
        "type": "book",
        "title": "Aims",
        "author": people,
        "issued": {"date-parts": [[2020]]},
        **fields,
    }


@pytest.mark.parametrize(
    ("cited", "others", "expected"),
    [
        (work("Lind, Eva"), [], "(Lind, 2020)"),
        (work("Lind, Eva", "Roe, Jane"), [], "(Lind & Roe, 2020)"),
        (work("Lind, Eva", "Roe, Jane", "NATO"), [], "(Lind et al., 2020)"),
        (work("Lind, Eva"), [work("Lind, Ada")], "(E. Lind, 2020)"),
        (
            work("Lind, Eva", "Roe, J", "Poe, A", "Doe, B", "Noe, D"),
            [work("Lind, Eva", "Roe, J", "Zoe, C", "Doe, B", "Noe, D")],
            "(Lind, Roe, Poe, et al., 2020)",
        ),
        (work("Lind, Eva", "Roe, J", "Poe, A"), [work("Lind, Eva", "Roe, J", "Zoe, C")], "(Lind, Roe, & Poe, 2020)"),
        (work(title="Great aims: How to miss them"), [], "(Great aims, 2020)"),
        (work(title="Great aims", type="article-journal"), [], "(“Great aims,” 2020)"),
        (work("Lind, Eva", issued={}), [], "(Lind, n.d.)"),
        (work("Lind, Eva", issued={}, status="in press"), [], "(Lind, in press)"),
        (work("Lind, Eva", **{"original-date": {"date-parts": [[1931]]}}), [], "(Lind, 1931/2020)"),
        (work(), [], "(Aims, 2020)"),
    ],
)
def test_who_is_named_in_the_text(cited: CslRecord, others: list[CslRecord], expected: str) -> None:
    """One, two, three and more; more of them where two works would look alike; the title where there is nobody."""
    assert formats.in_text(cited, None, others) == expected


def test_many_authors_are_cut_as_the_styles_cut_them() -> None:
    """APA lists twenty, of more the first nineteen and the last; Chicago six, of more the first three."""
    many = [f"N{chr(97 + n)}, A" for n in range(21)]
    assert formats.reference(work(*many[:20]), "apa").count(", A.") == 20
    apa = formats.reference(work(*many), "apa")
    assert apa.startswith("Na, A., ")
    assert ", Ns, A., . . . Nu, A. (2020)." in apa
    assert formats.reference(work(*many[:6]), "chicago").startswith("Na, A, A Nb, A Nc, A Nd, A Ne, and A Nf. Aims.")
    assert formats.reference(work(*many[:7]), "chicago").startswith("Na, A, A Nb, A Nc, et al. Aims.")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Jean-Claude", "J.-C."),
        ("Mary Ann", "M. A."),
        ("J.R.R.", "J. R. R."),
        ("Åse", "Å."),
        ("Alexander von", "A. von"),
        ("", ""),
        ("李", "李."),
        ("-", ""),
    ],
)
def test_initials(given: str, expected: str) -> None:
    """Hyphens stay, particles stay whole."""
    assert initials(given) == expected


@pytest.mark.parametrize(
    ("issued", "apa", "chicago"),
    [
        ({"date-parts": [[2025]]}, "2025", "2025"),
        ({"date-parts": [[2025, 3]]}, "2025, March", "March 2025"),
        ({"date-parts": [["2025", "3", "12"]]}, "2025, March 12", "March 12, 2025"),
        ({"date-parts": [[2019, 6, 28], [2019, 7, 2]]}, "2019, June 28–July 2", "June 28–July 2, 2019"),
        ({"date-parts": [[2019, 12, 30], [2020, 1, 2]]}, "2019–2020", "December 30, 2019–January 2, 2020"),
        ({"date-parts": [[2014], [2016]]}, "2014–2016", "2014–2016"),
        ({"date-parts": [[1890]], "circa": True}, "ca. 1890", "ca. 1890"),
        ({"date-parts": [[2020]], "season": 1}, "2020, Spring", "Spring 2020"),
        ({"date-parts": [[2020, 13]]}, "2020, Spring", "Spring 2020"),
        ({"raw": "2020-21"}, "2020, Spring", "Spring 2020"),
        ({"date-parts": [[2020], [2021, 21]]}, "2020–2021", "2020–2021"),
        ({"date-parts": [[2020, 99, 40]]}, "2020", "2020"),
        ({"date-parts": [[-44]]}, "44 BCE", "44 BCE"),
        ({"raw": "2020-05-01T10:00:00"}, "2020, May 1", "May 1, 2020"),
        ({"literal": "the third year of the war"}, "the third year of the war", "the third year of the war"),
        ({"date-parts": [[]]}, "n.d.", "n.d."),
        ({"date-parts": [[None]]}, "n.d.", "n.d."),
    ],
)
def test_dates_are_as_precise_as_they_are_known(issued: dict[str, object], apa: str, chicago: str) -> None:
    """Of three precisions, ranges, seasons, about, in words, and none."""
    page: CslRecord = {"id": "p", "type": "webpage", "title": "Aims", "issued": issued}
    assert formats.reference(page, "apa") == f"Aims. ({apa})."
    assert formats.reference(page, "chicago") == f"“Aims.” {chicago}{'' if chicago.endswith('.') else '.'}"
    assert american(date(page)) == ("" if chicago == "n.d." else chicago)


@pytest.mark.parametrize(
    ("locator", "house", "chicago", "apa"),
    [
        (Locator(0, 1, Page(6, "iv"), ("1. Aims",), 3), "p. iv", "iv", "p. iv"),
        (Locator(0, 1, Page(6), (), 3), "p. 6", "6", "p. 6"),
        (formats.Place(0, 1, Page(6), (), 3, Page(7)), "pp. 6–7", "6–7", "pp. 6–7"),
        (formats.Place(0, 1, Page(6), (), None, None, 3), "p. 6, n. 3", "6n3", "p. 6, footnote 3"),
        (formats.Place(0, 1, None, ("1. Aims",), None, None, 3), "sec. 1, n. 3", "sec. 1, n. 3", "Section 1, footnote 3"),
        (Locator(0, 1, None, ("2.1 Aims",), 3), "sec. 2.1, para. 3", "sec. 2.1, para. 3", "Section 2.1, para. 3"),
        (Locator(0, 1, None, ("IV. Aims",)), "sec. IV", "sec. IV", "Section IV"),
        (Locator(0, 1, None, ("Article 5",), 2), "art. 5, para. 2", "art. 5, para. 2", "Article 5, para. 2"),
        (Locator(0, 1, None, ("Chapter 2: Aims",)), "chap. 2", "chap. 2", "Chapter 2"),
        (Locator(0, 1, None, ("Summary",), 2), "“Summary”, para. 2", "under “Summary,” para. 2", "Summary section, para. 2"),
        (Locator(0, 1, None, ("Summary",)), "“Summary”", "under “Summary”", "Summary section"),
        (Locator(0, 1, None, ("What the Union will do next year",)), None, None, "“What the Union will do” section"),
        (Locator(0, 1, None, (), 4), "para. 4", "para. 4", "para. 4"),
        (Locator(0, 1), "", "", ""),
        (None, "", "", ""),
    ],
)
def test_a_place_as_each_style_writes_it(locator: Locator | None, house: str | None, chicago: str | None, apa: str) -> None:
    """Page or label, pages over a break, a note in a page, numbered parts, headings, paragraphs, nothing."""
    book = work("Lind, Eva")
    assert formats.in_text(book, locator) == f"(Lind, 2020{', ' if apa else ''}{apa})"
    if house is not None:
        assert formats.pinpoint(locator) == house
        assert formats.note(book, locator, "short") == f"Lind, Aims{', ' if chicago else ''}{chicago}."


def test_a_place_knows_its_last_page_and_its_note() -> None:
    """A quotation over a page break, and one inside a note."""
    text = "One two three.\nFour five.\n¹ A note."
    document = Document(
        "d",
        "d.pdf",
        "",
        {"id": "d"},
        text,
        (Block("paragraph", 0, 14), Block("paragraph", 15, 25), Block("note", 26, 34)),
        (PageSpan(0, 15, Page(1, "i")), PageSpan(15, 34, Page(2))),
        (Footnote(1, (14,), 26, 34),),
    )
    assert formats.pinpoint(formats.place(document, 4, 20)) == "pp. i–2"
    assert formats.pinpoint(formats.place(document, 4, 15)) == "p. i"
    assert formats.pinpoint(formats.place(document, 28, 30)) == "p. 2, n. 1"
    assert formats.place(document, 4, 8) == formats.Place(4, 8, Page(1, "i"), (), 1)


@pytest.mark.parametrize(
    ("fields", "apa", "chicago"),
    [
        ({"title": "Defence [sic] *now* & 'then'"}, "<i>Defence [sic] *now* &amp; ‘then’</i>", r"*Defence \[sic\] \*now\* & ‘then’*"),
        ({"title": "<i>Ostrea</i> banks"}, "<i>Ostrea banks</i>", "*Ostrea banks*"),
        ({"title": "1. Aims <script>"}, "<i>1. Aims &lt;script&gt;</i>", r"*1. Aims \<script\>*"),
    ],
)
def test_markup_is_escaped(fields: dict[str, str], apa: str, chicago: str) -> None:
    """What has a meaning in HTML or Markdown is a letter there; the tags that CSL allows are not printed."""
    book = work("Lind, Eva", **fields)
    assert formats.reference(book, "apa", markup="html") == f"Lind, E. (2020). {apa}."
    assert formats.reference(book, "chicago", markup="markdown") == f"Lind, Eva. {chicago}. 2020."


def test_titles_are_raised_to_headline_case_but_never_lowered() -> None:
    """In English alone; names, acronyms and what has a capital within stay; APA leaves a title as it is."""
    title = "the eBay of arms: how von der Leyen's union buys rather than makes"
    english = work("Lind, Eva", title=title, language="en-GB")
    assert "The eBay of Arms: How von der Leyen’s Union Buys Rather Than Makes" in formats.reference(english, "chicago")
    assert title.replace("'", "’") in formats.reference(english, "apa")
    assert title.replace("'", "’") in formats.reference(work("Lind, Eva", title=title), "chicago")


def test_bibtex_keeps_signs_names_and_capitals() -> None:
    """LaTeX's signs are escaped, bodies and names with "and" are one name, capitals stand in braces, keys stay apart."""
    odd = {
        "id": "über alles {1}",
        "type": "report",
        "title": "50 % of {all} EU_funds & more: A #1 \\ view",
        "author": [
            {"literal": "Ministry of War and Peace"},
            {"family": "Smith and Sons", "given": "A."},
            {"family": "von der Aue", "given": "H."},
        ],
        "publisher": "War and Peace",
    }
    entry = bibtexparser.parse_string(formats.reference(odd, "bibtex")).entries[0]
    assert re.fullmatch(r"uber-alles-1-[0-9a-f]{8}", entry.key)
    assert entry["title"] == r"50 \% of \textbraceleft{}all\textbraceright{} {EU\_funds} \& more: {A} \#1 \textbackslash{} view"
    assert entry["author"] == "{Ministry of War and Peace} and {Smith and Sons}, A. and von der Aue, H."
    assert entry["institution"] == "{War and Peace}"
    assert formats.export([odd, {**odd, "id": "uber alles {1}"}], "bibtex").count("@techreport{uber-alles-1-") == 2


def test_each_work_stands_once() -> None:
    """However often it is cited; two works without an id are two."""
    assert len(formats.bibliography([PAPER, PAPER, BY_ID["eda-cdp-nd"], PAPER], "chicago")) == 2
    assert len(formats.bibliography([{"title": "A"}, {"title": "B"}, {"title": "A"}], "apa")) == 2


def year_of(record: dict[str, Any]) -> int | None:
    parts = record.get("issued", {}).get("date-parts")
    return int(parts[0][0]) if parts else None


def read_latex(text: str) -> str:
    """BibTeX's braces and escapes taken back."""
    return re.sub(r"\\([#$%&_])", r"\1", text.replace("{}", "").replace("{", "").replace("}", ""))
