"""Which work a note cites: told from the note itself, and doubted where it looks wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eunato_rag.ingestion.citations import cited_by, resolve
from eunato_rag.ingestion.layout import Draft, Prose, assemble
from eunato_rag.ingestion.sources import read_manifest
from eunato_rag.records import Document, Link, Mention, Work
from tests.conftest import ROOT

WORKS = [
    Work(
        "lind-2019",
        {
            "id": "lind-2019",
            "title": "The Depth of Channels: Dredging in the North",
            "author": [{"family": "Lindström"}],
            "issued": {"date-parts": [[2019, 4]]},
            "number": "PR 10471/19",
            "URL": "https://port.example/depth/",
        },
    ),
    Work(
        "berg-2020",
        {"id": "berg-2020", "title": "Barges and Their Crews", "author": [{"family": "Berg"}], "issued": {"date-parts": [[2020]]}},
    ),
]


def document(*notes: str, prose: str = "Words.") -> Document:
    drafts = [Draft("paragraph", Prose(prose, tuple((len(prose), n) for n in range(1, len(notes) + 1))))]
    drafts += [Draft("note", Prose(text), number=n) for n, text in enumerate(notes, 1)]
    parts = assemble(drafts)
    return Document("d", "d.txt", "0", {}, parts.text, parts.blocks, (), parts.footnotes, parts.links, parts.sentences)


def works(*notes: str) -> list[str | None]:
    return [note.work for note in resolve(document(*notes), WORKS).footnotes]


@pytest.mark.parametrize(
    "note",
    [
        "E. Lindström, The Depth of Channels: Dredging in the North, 2019, p. 4",
        "Lindstrom, “The depth of channels”, p. 7.",
        "Port Authority, 10471/19, April 2019",
    ],
)
def test_a_note_is_told_by_author_title_or_number(note: str) -> None:
    """Without accents, in part, or by its document number alone."""
    assert works(note) == ["lind-2019"]


def test_a_note_is_told_by_its_address() -> None:
    """With or without scheme, `www.` and a last slash."""
    text = "Some words, port.example/depth"
    doc = document(text)
    start = doc.text.index("port.example")
    linked = replace(doc, links=(Link(start, start + 18, "http://www.port.example/depth"),))
    assert [n.work for n in resolve(linked, WORKS).footnotes] == ["lind-2019"]


def test_habits_of_notes_point_back() -> None:
    """Ibid. to the note before, `see note`, and a short repeat of what stands in full above."""
    notes = ("Lindström, The Depth of Channels, 2019", "Ibid., p. 9", "Berg, Barges and Their Crews, 2020", "See note 1, p. 3", "Ibid")
    assert works(*notes) == ["lind-2019", "lind-2019", "berg-2020", "lind-2019", "lind-2019"]


def test_what_cannot_be_told_stays_open() -> None:
    """A like word is no citation."""
    assert works("Interview with a pilot, May 2020.", "Ibid", "A history of channels and ports") == [None, None, None]


def test_a_year_that_disagrees_is_doubted_not_mended() -> None:
    """The note stays tied to its work, and the report says what disagrees."""
    resolved = resolve(document("Lindström, The Depth of Channels: Dredging in the North, 2017"), WORKS)
    assert resolved.footnotes[0].work == "lind-2019"
    assert [c.detail for c in resolved.report] == ["note 1 says 2017; the work lind-2019 is of 2019"]


def test_an_ibid_for_something_later_than_its_work_is_doubted() -> None:
    """A work of 2019 cannot say what happened in 2024."""
    notes = ("Lindström, The Depth of Channels, 2019", "Ibid")
    resolved = resolve(document(*notes, prose="The channel was closed in 2024."), WORKS)
    assert "note 2 points back to a work of 2019 for something of 2024" in [c.detail for c in resolved.report]


def test_the_manifest_has_the_last_word_and_disagreement_is_told() -> None:
    """A person wrote it down."""
    named = [WORKS[0], replace(WORKS[1], mentions=(Mention("d", 1, "x"),))]
    resolved = resolve(document("Lindström, The Depth of Channels, 2019"), named)
    assert resolved.footnotes[0].work == "berg-2020"
    assert any("reads like lind-2019" in change.detail for change in resolved.report)


def test_all_notes_of_the_paper_resolve_by_their_own_words(paper: Document) -> None:
    """Without the manifest's own list of notes, all 24, the repeats included."""
    manifest = read_manifest(ROOT / "corpus")
    bare = replace(paper, footnotes=tuple(replace(note, work=None) for note in paper.footnotes))
    told = resolve(bare, [replace(work, mentions=()) for work in manifest.works])
    assert {n.number: n.work for n in told.footnotes} == cited_by("mangiameli-2025", manifest.works)


def test_the_papers_own_doubtful_notes_are_flagged(paper: Document) -> None:
    """The Ibid. that cannot be right, and the year that is the initiative's and not the fact sheet's."""
    doubts = " ".join(change.detail for change in paper.report if change.kind == "note-doubt")
    assert "note 18 points back to a work of 2022 for something of 2024" in doubts
    assert "note 10 says 2010" in doubts
