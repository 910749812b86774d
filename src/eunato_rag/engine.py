"""The read path: question -> hits -> answer with citations, or an abstention. Every door calls this and nothing below it."""

from __future__ import annotations

from pathlib import Path

from eunato_rag.answering.extraction import extract
from eunato_rag.answering.grounding import ground
from eunato_rag.citing.references import NoteView, footnote_graph
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import Snapshot, current_id, open_snapshot
from eunato_rag.records import Answer, Document, Hit, Passage, Work
from eunato_rag.retrieval import MAX_QUERY, checked_query, retrieve

ASK_TOP_K = 10
SUPPORT_TOP_K = 3


class Engine:
    """Answers from one opened snapshot. Safe to share between threads."""

    def __init__(self, snapshot: Snapshot, embedder: Embedder) -> None:
        self.snapshot, self.embedder = snapshot, embedder

    @classmethod
    def open(cls, index: Path, embedder: Embedder) -> Engine:
        """The engine for an index folder's current snapshot.

        Raises:
            NoIndex, DamagedSnapshot, IncompatibleIndex: each names the command that mends it.
        """
        return cls(open_snapshot(index, embedder), embedder)

    def is_current(self, index: Path) -> bool:
        """Whether the index folder still names this engine's snapshot."""
        return current_id(index) == self.snapshot.id

    def search(self, query: str, *, top_k: int = 10, wanted: Filter = Filter()) -> tuple[Hit, ...]:
        """The passages for a query, best first.

        Raises:
            InvalidQuestion: nothing asked, far too much asked, or `top_k` outside 1..100.
        """
        return retrieve(self.snapshot, self.embedder, query, top_k=top_k, wanted=wanted)

    def ask(self, question: str, *, top_k: int = ASK_TOP_K, wanted: Filter = Filter()) -> Answer:
        """The answer to a question: sentences of the corpus, each cited and verified, or an abstention.

        Raises:
            InvalidQuestion: as for `search`.
        """
        question = checked_query(question)
        hits = self.search(question, top_k=top_k, wanted=wanted)
        draft = extract(self.snapshot, self.embedder, question, hits)
        return ground(self.snapshot, question, draft, hits)

    def documents(self) -> tuple[str, ...]:
        """The ids of all documents, in order."""
        return self.snapshot.catalogue.document_ids

    def document(self, identity: str) -> Document:
        return self.snapshot.catalogue.document(identity)

    def passage(self, identity: str) -> Passage:
        return self.snapshot.catalogue.passage(identity)

    def works(self) -> list[Work]:
        return self.snapshot.catalogue.works()

    def work(self, identity: str) -> Work | None:
        return self.snapshot.catalogue.work(identity)

    def support(self, note: NoteView, identity: str) -> tuple[Hit, ...]:
        """The passages of the cited document that say most of what the sentences at a note's markers say."""
        if note.document_id is None or note.document_id == identity:
            return ()
        text = self.document(identity).text
        said = " ".join(dict.fromkeys(text[start:end] for _, start, end in note.anchors))[:MAX_QUERY]
        return self.search(said, top_k=SUPPORT_TOP_K, wanted=Filter(document_id=note.document_id)) if said.strip() else ()

    def footnotes(self, identity: str) -> list[NoteView]:
        """The notes of a document with the sentences they stand at and the works they cite."""
        return footnote_graph(self.document(identity), {work.id: work for work in self.works()}, frozenset(self.documents()))
