"""The policy paper itself: all that is odd in it comes out right, by rules that know nothing of it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from eunato_rag.ingestion.footnotes import SUPERSCRIPTS
from eunato_rag.records import Document
from tests.conftest import PAPER, ROOT

ANCHORED = {
    1: "ownership of conventional security on the continent”",
    2: 'working closely with NATO."',
    6: "signed in 2016",
    7: "2018",
    9: "Pooling and Sharing (P&S)",
    10: "The Pooling and Sharing concept",
    11: "the possibility of saving financial resources.",
    12: "NATO's latest report",
    16: "at the highest level of representation is required.",
    18: "Steadfast Dagger 2024",
    19: "of the Allied Reaction Force.”",
    21: "The Capability Development Plan (CDP)",
    24: "countries that are part of the project.",
}


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", re.sub(f"[{SUPERSCRIPTS}]", " ", text)))


def test_no_word_is_lost_but_what_the_report_names(paper: Document) -> None:
    """Every word of the file stands in the canonical text or in the report, and no word was added."""
    source = words((ROOT / "corpus" / PAPER).read_text("utf-8"))
    removed = sum((words(change.removed) for change in paper.report), Counter())
    assert source == words(paper.text) + removed


def test_twenty_four_footnotes_have_one_marker_each(paper: Document) -> None:
    """Notes 1 to 24 are found, and each marker once, although three of them stand twice in the file."""
    assert [note.number for note in paper.footnotes] == list(range(1, 25))
    assert all(len(note.anchors) == 1 for note in paper.footnotes)


@pytest.mark.parametrize(("number", "before"), ANCHORED.items())
def test_a_marker_is_tied_to_the_place_it_was_glued_to(paper: Document, number: int, before: str) -> None:
    """The anchor is the offset just behind the word, mark or year that carried the superscript."""
    anchor = paper.footnotes[number - 1].anchors[0]
    assert paper.text[:anchor].endswith(before)


def test_no_superscript_is_left_in_the_text(paper: Document) -> None:
    """Markers are lifted out of the prose."""
    assert not re.search(f"[{SUPERSCRIPTS}]", paper.text)


def test_notes_stand_behind_the_prose(paper: Document) -> None:
    """No note is in the way of a sentence."""
    kinds = [block.kind for block in paper.blocks]
    assert kinds.count("note") == 24
    assert kinds[-24:] == ["note"] * 24


def test_passages_doubled_at_page_breaks_stand_once(paper: Document) -> None:
    """The copies are one, and where they differ by a word the fuller wording stays."""
    assert paper.text.count("But it is safe to say that this is not an institutionalisation") == 1
    assert paper.text.count("Despite the efforts, political obstacles remain") == 1
    assert paper.text.count("invited to participate in NATO") == 1
    assert "a multidomain operation training exercise organised by NATO Supreme Headquarters" in paper.text
    assert "a multidomain operation exercise" not in paper.text


def test_the_doubled_paragraphs_run_on(paper: Document) -> None:
    """What a page break cut apart is one paragraph."""
    start = paper.text.index("The EU-NATO joint declarations produced")
    block = paper.block_at(start)
    assert block is not None
    paragraph = paper.text[block.start : block.end]
    assert "per se. Despite the efforts" in paragraph
    assert paragraph.endswith("on the latest agendas.")


def test_headings_are_headings_though_they_carry_no_markup(paper: Document) -> None:
    """The contents page, which is gone, says which lines are headings."""
    headings = [(paper.text[b.start : b.end], b.level) for b in paper.blocks if b.kind == "heading"]
    assert headings == [
        ("Elevating EU-NATO Synergy for Enhanced European Defence", 0),
        ("Summary", 1),
        ("1. EU-NATO: challenges within the partnership", 1),
        ("2. EU-NATO cooperation in practice", 1),
        ("3. Next steps to elevate this partnership", 1),
        ("About EUROPEUM", 1),
    ]
    assert "Contents" not in paper.text.split("\n")


def test_the_recommendations_are_one_list_of_seven(paper: Document) -> None:
    """A blank line between the fourth and the fifth does not break the list."""
    items = [n for n, block in enumerate(paper.blocks) if block.kind == "list_item"]
    assert items == list(range(items[0], items[0] + 7))
    assert [paper.text[paper.blocks[n].start :][:2] for n in items] == [f"{n}." for n in range(1, 8)]


def test_markup_is_gone_and_links_are_kept(paper: Document) -> None:
    """Emphasis, tags and brackets are not text; what a link leads to is kept beside it."""
    assert not re.search(r"\*|</?i>|\]\(", paper.text)
    targets = {paper.text[link.start : link.end]: link.target for link in paper.links}
    assert targets["240617-def-exp-2024-en.pdf"] == "https://www.nato.int/pr/240617-def-exp-2024-en.pdf"
    epr = "https://www.europarl.europa.eu/RegData/etudes/ATAG/2024/759619/EPRS_ATAG(2024)759619_EN.pdf"
    assert targets[epr] == epr


def test_front_and_back_matter_are_marked(paper: Document) -> None:
    """Title page, biography, disclaimer and imprint are told from the text itself."""
    matter = {paper.text[b.start : b.end].split("\n")[0][:30]: b.matter for b in paper.blocks}
    assert matter["Federica Mangiameli is a Progr"] == "front"
    assert matter["Note: This publication has bee"] == "front"
    assert matter["For over two decades, there ha"] == "body"
    assert matter["EUROPEUM Institute for Europea"] == "back"
    assert matter["Co-funded by the European Unio"] == "back"


def test_the_report_says_what_was_changed(paper: Document) -> None:
    """Overlaps, the cut sentence, contents page, notes, markup, links and missing figures are all named, with lines."""
    kinds = [change.kind for change in paper.report]
    assert kinds.count("overlap") == 2
    assert kinds.count("figure") == 2
    assert {"contents", "joined", "notes", "markup", "links", "front-matter", "back-matter"} <= set(kinds)
    overlap = next(c for c in paper.report if c.kind == "overlap" and "training" in c.detail)
    assert overlap.lines == (94, 104)


def test_every_note_is_tied_to_a_work(paper: Document) -> None:
    """All 24 notes cite a work of the manifest, and the repeated ones the same."""
    works = {note.number: note.work for note in paper.footnotes}
    assert all(works.values())
    assert len(set(works.values())) == 20
    for first, again in ((3, 6), (9, 11), (15, 20), (17, 18)):
        assert works[first] == works[again]


def test_sentences_keep_abbreviations_whole(paper: Document) -> None:
    """A sentence ends where it ends: not at "U.S.", and at "per se."."""
    sentences = [paper.text[start:end] for start, end in paper.sentences]
    assert any(s.startswith("At the same time, the slow disengagement of the U.S. and") for s in sentences)
    assert any(s.endswith("the problem per se.") for s in sentences)
    assert any(s.startswith("Despite the efforts") for s in sentences)


def test_an_ordinary_word_ends_its_sentence(paper: Document) -> None:
    """The model's legal abbreviations ("found.") do not glue two sentences together."""
    sentences = [paper.text[start:end] for start, end in paper.sentences]
    assert any(s.endswith("adequate solutions are found.") for s in sentences)
    assert any(s.startswith("Political issues should be dealt with bilaterally") for s in sentences)
