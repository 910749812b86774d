"""The footnote graph: sentence -> note -> cited work -> its document.

Left out: finding the work that a note cites, which ingestion did, and how a reference is printed (formats).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eunato_rag.records import Document, Work


@dataclass(frozen=True, slots=True)
class NoteView:
    """One note: each sentence its markers stand at, as (offset of the marker, start, end), and what it cites.

    `same_as` is the number of the first note of the document that cites the same work; `document_id` names the
    cited work's own document where the corpus holds it.
    """

    number: int
    text: str
    start: int
    end: int
    anchors: tuple[tuple[int, int, int], ...]
    work: Work | None
    document_id: str | None
    same_as: int | None


def footnote_graph(document: Document, works: Mapping[str, Work], present: frozenset[str]) -> list[NoteView]:
    """The notes of a document in order. `present` are the ids of the corpus's documents."""
    views: list[NoteView] = []
    first: dict[str, int] = {}
    for note in document.footnotes:
        anchors = tuple((anchor, *sentence_of(document, anchor)) for anchor in note.anchors)
        same = first.setdefault(note.work, note.number) if note.work else note.number
        views.append(
            NoteView(
                note.number,
                document.text[note.start : note.end],
                note.start,
                note.end,
                anchors,
                works.get(note.work or ""),
                note.work if note.work in present else None,
                same if same != note.number else None,
            )
        )
    return views


def sentence_of(document: Document, anchor: int) -> tuple[int, int]:
    """The sentence that a marker stands at: the one that its anchor ends or lies in."""
    return document.sentence_at(anchor) or (anchor, anchor)


def coverage(views: Sequence[NoteView], supported: frozenset[int] = frozenset()) -> dict[str, int]:
    """How much of the graph is known.

    Notes, those with a marker, those resolved to a work; distinct works, those in the corpus; sentences at markers, and
    those of them whose note is in `supported`: the cited work has passages for it.
    """
    works = {view.work.id for view in views if view.work}
    present = {view.document_id for view in views if view.document_id}
    return {
        "notes": len(views),
        "anchored": sum(bool(view.anchors) for view in views),
        "resolved": sum(view.work is not None for view in views),
        "works": len(works),
        "works_present": len(present),
        "sentences": sum(len(view.anchors) for view in views),
        "sentences_supported": sum(len(view.anchors) for view in views if view.number in supported),
    }
