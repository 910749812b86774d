"""The read path: question -> hits -> answer with citations, or an abstention. Every door calls this and nothing below it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from eunato_rag.answering.conversation import checked_history, is_chatter, standalone_question
from eunato_rag.answering.extraction import extract
from eunato_rag.answering.grounding import abstain, ground
from eunato_rag.answering.wording import asks_about_the_work, parts_of
from eunato_rag.citing.formats import place
from eunato_rag.citing.quotes import check_quotation
from eunato_rag.citing.rechecking import Recheck, SavedCitation, recheck
from eunato_rag.citing.references import NoteView, footnote_graph
from eunato_rag.errors import InvalidText, NotFound
from eunato_rag.evidence.entailment import Entailment
from eunato_rag.indexing.catalogue import Filter, Listed
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.reranking import Reranker
from eunato_rag.indexing.snapshot import Snapshot, current_id, open_snapshot
from eunato_rag.records import (
    Answer,
    Cited,
    Concluded,
    CslRecord,
    Document,
    Draft,
    Event,
    Hit,
    Locator,
    Passage,
    Quotation,
    Said,
    Searched,
    Turn,
    Work,
)
from eunato_rag.retrieval import MAX_QUERY, Weights, checked_query, read_query, retrieve, retrieve_all
from eunato_rag.timing import stage

if TYPE_CHECKING:
    from eunato_rag.citing.manuscripts import Manuscript
    from eunato_rag.indexing.milvus import Milvus

ASK_TOP_K = 10
SUPPORT_TOP_K = 3
TEXT_AT_ONCE = 2**22
"""Code points of a text that are given at once: about a thousand pages."""
NOTHING_ASKED = "Nothing is asked here. Ask about the documents, for example: Why did Pooling and Sharing fail?"
ABOUT_THE_WORK = 1.1
"""What the score of front and back matter is multiplied by where a question asks who wrote, published or paid for the work."""


class Writer(Protocol):
    """Writes an answer in its own words, of which it tells only what it verified."""

    def write(self, snapshot: Snapshot, embedder: Embedder, question: str, extracted: Answer) -> Generator[Event, None, Answer]:
        """The events of the written answer, and the answer; with no event of its own where the extracted one stands."""
        ...

    def rewrite(self, question: str, history: Sequence[Turn]) -> str | None:
        """The question as it would be put without its conversation; None where the writer cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class Cite:
    """Something to be cited: a work, its document where the corpus has it, and the place in it, if one was named."""

    document_id: str | None
    work: CslRecord
    locator: Locator | None = None


class Engine:
    """Answers from one opened snapshot; in a writer's words where there is a writer. Safe to share between threads.

    A reranker, where there is one, reads the best passages of every search again; a model for entailment decides what
    evidence says of a draft's sentences.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        writer: Writer | None = None,
        reranker: Reranker | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        self.snapshot, self.embedder, self.writer, self.reranker, self.entailment = snapshot, embedder, writer, reranker, entailment

    @classmethod
    def open(
        cls,
        index: Path,
        embedder: Embedder,
        writer: Writer | None = None,
        reranker: Reranker | None = None,
        entailment: Entailment | None = None,
        milvus: Milvus | None = None,
    ) -> Engine:
        """The engine for an index folder's current snapshot; with `milvus` that is where it searches.

        Raises:
            NoIndex, DamagedSnapshot, IncompatibleIndex, MilvusUnavailable: each names what mends it.
        """
        return cls(open_snapshot(index, embedder, milvus=milvus), embedder, writer, reranker, entailment)

    def is_current(self, index: Path) -> bool:
        """Whether the index folder still names this engine's snapshot."""
        return current_id(index) == self.snapshot.id

    def search(self, query: str, *, top_k: int = 10, wanted: Filter = Filter()) -> tuple[Hit, ...]:
        """The passages for a query, best first.

        Raises:
            InvalidQuestion: nothing asked, far too much asked, or `top_k` outside 1..100.
        """
        asked = read_query(self.snapshot, self.embedder, query)
        return retrieve(self.snapshot, asked, top_k=top_k, wanted=wanted, reranker=self.reranker)

    def ask(self, question: str, *, history: Sequence[Turn] = (), top_k: int = ASK_TOP_K, wanted: Filter = Filter()) -> Answer:
        """The answer to a question, each sentence cited and verified, or an abstention.

        `history` is what was said before it, oldest turn first; a question that leans on it is searched for, and
        answered, as `Answer.standalone_question` says.

        Raises:
            InvalidQuestion: as for `search`, or a history of too many or too long turns.
        """
        return conclusion(self.stream(question, history=history, top_k=top_k, wanted=wanted))

    def stream(
        self, question: str, *, history: Sequence[Turn] = (), top_k: int = ASK_TOP_K, wanted: Filter = Filter()
    ) -> Generator[Event, None, None]:
        """What happens while a question is answered: `Searched` first, `Concluded` with the answer last.

        To close it ends the work. Whether there is an answer is decided by the evidence, before any writer is asked.

        Raises:
            InvalidQuestion: as for `ask`, before the first event.
        """
        question = checked_query(question)
        standalone = self._standalone(question, checked_history(history))
        query, *parts = [read_query(self.snapshot, self.embedder, text) for text in (standalone, *self._parts(standalone))]
        weights = Weights(surrounding=ABOUT_THE_WORK) if asks_about_the_work(standalone) else Weights()
        hits = retrieve_all(self.snapshot, (query, *parts), top_k=top_k, wanted=wanted, weights=weights, reranker=self.reranker)
        yield Searched(standalone, hits)
        if is_chatter(standalone):
            answer = abstain(self.snapshot, standalone, hits, 0.0, NOTHING_ASKED)
        else:
            with stage("extract"):
                answer = ground(self.snapshot, standalone, extract(self.snapshot, query, hits, parts=parts), hits)
        answer = replace(answer, question=question)
        if self.writer is not None and answer.status == "answered":
            answer = yield from self.writer.write(self.snapshot, self.embedder, standalone, answer)
        if answer.model is None:
            yield from _told(answer)
        yield Concluded(answer)

    def _standalone(self, question: str, history: Sequence[Turn]) -> str:
        """What the question means after its conversation, by the writer if there is one and it can tell, else by rule."""
        if not history:
            return question
        rewritten = self.writer.rewrite(question, history) if self.writer is not None else None
        standalone = rewritten or standalone_question(question, history, self.snapshot.keywords.weight)
        return standalone if len(standalone) <= MAX_QUERY else question

    def _parts(self, question: str) -> list[str]:
        """The parts of a question, each as it would be asked alone: in "Who wrote it, and who paid for it?" both say what."""
        parts: list[str] = []
        for part in parts_of(question):
            alone = standalone_question(part, [Turn("user", before) for before in parts], self.snapshot.keywords.weight)
            parts.append(alone if len(alone) <= MAX_QUERY else part)
        return parts

    def quote(self, text: str, *, wanted: Filter = Filter()) -> Quotation:
        """Whether a quotation is in the corpus, where, and what differs.

        Raises:
            InvalidText: no quotation, or far too long a one.
        """
        return check_quotation(self.snapshot, text, wanted)

    def check(self, manuscript: Manuscript, progress: Callable[[int, int], None] | None = None) -> Draft:
        """What the corpus says of each sentence of a draft, and the draft with notes; `progress` is told of sentences, done and in all."""
        from eunato_rag.citing.drafts import check_draft  # a tenth of the time that a process takes to answer its first question
        from eunato_rag.citing.support import Judge

        judge = Judge(self.snapshot, self.embedder, lambda query: self.search(query[:MAX_QUERY]), entailment=self.entailment)
        return check_draft(self.snapshot, judge, manuscript, progress)

    def recheck(self, saved: Sequence[SavedCitation]) -> list[Recheck]:
        """What became of saved citations in this snapshot, in order."""
        return [recheck(self.snapshot, citation) for citation in saved]

    def cited(self, identity: str) -> Cite:
        """What an id of a passage, a document or a work stands for, as something to be cited.

        Raises:
            NotFound: it is none of them.
        """
        if self.has(identity):
            return Cite(identity, self.document(identity).work)
        if (work := self.work(identity)) is not None:
            return Cite(None, work.csl)
        try:
            passage = self.passage(identity)
        except NotFound as error:
            raise NotFound(f"There is no passage, document or work {identity!r} in this snapshot. See: GET /v1/works") from error
        return self.cited_place(passage.document_id, passage.locator.start, passage.locator.end)

    def cited_place(self, identity: str, start: int, end: int) -> Cite:
        """A range of a document as something to be cited.

        Raises:
            NotFound: no such document.
            InvalidText: no range of its text.
        """
        document = self.document(identity)
        if not start <= end <= len(document.text):
            raise InvalidText(f"{identity} has {len(document.text)} code points; {start} to {end} is no range of it.")
        return Cite(identity, document.work, place(document, start, end))

    def documents(self) -> tuple[str, ...]:
        """The ids of all documents, in order."""
        return self.snapshot.catalogue.document_ids

    def has(self, identity: str) -> bool:
        """Whether there is a document of that id."""
        return self.snapshot.catalogue.has(identity)

    def listed(self, start: int, count: int) -> list[Listed]:
        """So many of the documents, from a number on, counted from 0: what a list tells of them."""
        return self.snapshot.catalogue.listed(start, count)

    def document(self, identity: str) -> Document:
        return self.snapshot.catalogue.document(identity)

    def text(self, identity: str, start: int = 0, end: int | None = None) -> str:
        """A range of a document's text; without `end`, all from `start` on.

        Raises:
            NotFound: no such document.
            InvalidText: no range of its text, or more than `TEXT_AT_ONCE`.
        """
        whole = self.document(identity).text
        stop = len(whole) if end is None else end
        if not 0 <= start <= stop <= len(whole):
            raise InvalidText(f"The text has {len(whole)} code points; {start} to {stop} is no range of it.")
        if stop - start > TEXT_AT_ONCE:
            raise InvalidText(f"The text has {len(whole)} code points, and at most {TEXT_AT_ONCE} are given at once. Read it in ranges.")
        return whole[start:stop]

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

    def footnotes(self, identity: str, start: int = 0, end: int | None = None) -> list[NoteView]:
        """The notes of a document with the sentences they stand at and the works they cite; those that stand in a range, if given."""
        document = self.document(identity)
        cited = {note.work for note in document.footnotes if note.work}
        works = {identity: work for identity in cited if (work := self.work(identity)) is not None}
        views = footnote_graph(document, works, frozenset(identity for identity in cited if self.has(identity)))
        if (start, end) == (0, None):
            return views
        wanted = {note.start for note in document.footnotes_in(start, len(document.text) if end is None else end)}
        return [view for view in views if view.start in wanted]


def conclusion(events: Iterable[Event]) -> Answer:
    """The answer that the events of `Engine.stream` lead to."""
    *_, last = events
    assert isinstance(last, Concluded)
    return last.answer


def _told(answer: Answer) -> Iterator[Event]:
    """An answer of quotations, one after the other, each with its citation; an abstention at once."""
    done = 0
    for citation in answer.citations:
        yield Said(answer.text[done : citation.answer_span[1]])
        yield Cited(citation)
        done = citation.answer_span[1]
    if done < len(answer.text):
        yield Said(answer.text[done:])
