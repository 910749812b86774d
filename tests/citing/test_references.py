"""The footnote graph, pinpoints and selectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from eunato_rag.citing.formats import pinpoint, short_reference
from eunato_rag.citing.references import coverage
from eunato_rag.citing.selectors import selectors
from eunato_rag.engine import Engine
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.records import Document, Locator, Page
from eunato_rag.reindex import reindex
from tests.conftest import WordEmbedder


def test_a_note_leads_to_its_sentence_and_its_work(engine: Engine) -> None:
    """From the marker both ways."""
    (note,) = engine.footnotes("harbour-2020")
    document = engine.document("harbour-2020")
    ((offset, start, end),) = note.anchors
    assert document.text[start:end] == "The harbour at Lindholm was dredged in 2019."
    assert offset == end
    assert note.work is not None
    assert (note.work.id, note.document_id, note.same_as) == ("port-2019", None, None)


def test_repeated_notes_name_the_first(paper_engine: Engine) -> None:
    """6 is the same as 3, 11 as 9, 18 as 17, 20 as 15; all 24 are resolved."""
    views = paper_engine.footnotes("mangiameli-2025")
    assert {v.number: v.same_as for v in views if v.same_as} == {6: 3, 11: 9, 18: 17, 20: 15}
    assert coverage(views) == {
        "notes": 24,
        "anchored": 24,
        "resolved": 24,
        "works": 20,
        "works_present": 0,
        "sentences": 24,
        "sentences_supported": 0,
    }


@pytest.mark.parametrize(
    ("locator", "text"),
    [
        (Locator(0, 1, Page(6, "iv"), ("1. Aims",), 3), "p. iv"),
        (Locator(0, 1, Page(6), (), 3), "p. 6"),
        (Locator(0, 1, None, ("2.1 Aims",), 3), "sec. 2.1, para. 3"),
        (Locator(0, 1, None, ("Summary",), 2), "“Summary”, para. 2"),
        (Locator(0, 1), ""),
    ],
)
def test_a_pinpoint_is_the_page_or_else_section_and_paragraph(locator: Locator, text: str) -> None:
    """The printed label before the physical number; nothing is guessed."""
    assert pinpoint(locator) == text


@pytest.mark.parametrize(
    ("authors", "who"),
    [
        ([{"family": "Lind"}], "Lind, "),
        ([{"family": "Lind"}, {"literal": "NATO"}], "Lind and NATO, "),
        ([{"family": "A"}, {"family": "B"}, {"family": "C"}], "A, B and C, "),
        ([{"family": "A"}, {"family": "B"}, {"family": "C"}, {"family": "D"}], "A et al., "),
        ([], ""),
    ],
)
def test_a_short_reference_names_author_title_year_and_place(authors: list[dict[str, str]], who: str) -> None:
    """Any number of authors, corporate ones too; without a date it says so."""
    work = {"title": "T", "author": authors}
    assert short_reference(work, Locator(0, 1, None, (), 4)) == f"{who}T (n.d.), para. 4"
    assert short_reference({**work, "issued": {"date-parts": [[2020, 5]]}}, Locator(0, 1)) == f"{who}T (2020)"


def test_selectors_let_anyone_find_the_quotation_again(paper: Document) -> None:
    """The words, what stands around them, and the offsets."""
    start = paper.text.index("23 out of 32 Allies")
    quote, position = selectors(paper, start, start + 19)
    assert f"{quote['prefix']}{quote['exact']}{quote['suffix']}" in paper.text
    assert quote["exact"] == "23 out of 32 Allies"
    assert (position["start"], position["end"]) == (start, start + 19)


def test_a_cited_work_in_the_corpus_gives_its_best_passages(corpus: Path, tmp_path: Path, embedder: WordEmbedder) -> None:
    """A file whose own title is that of a cited work becomes that work, and supports the sentence that cites it."""
    (corpus / "report.md").write_text(
        "# Dredging at Lindholm\n\nThe harbour at Lindholm was dredged in 2019 to 14 metres.\n\n## Birds\n\nGulls were counted in May.\n"
    )
    index = tmp_path / "index"
    reindex(corpus, index, embedder, Chunking())
    engine = Engine.open(index, embedder)
    (note,) = engine.footnotes("harbour-2020")
    assert note.document_id == "port-2019"
    support = engine.support(note, "harbour-2020")
    assert "dredged in 2019 to 14 metres" in support[0].passage.text
    assert {hit.passage.document_id for hit in support} == {"port-2019"}
    assert coverage([note], frozenset([1]))["works_present"] == 1
    assert coverage([note], frozenset([1]))["sentences_supported"] == 1
