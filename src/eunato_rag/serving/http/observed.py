"""The engine behind every door, with what it says counted; and, where that is wanted, what it is asked written to the log.

Left out: the figures themselves (metrics), and requests (frame).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import structlog

from eunato_rag.citing.manuscripts import Manuscript
from eunato_rag.citing.rechecking import Recheck, SavedCitation
from eunato_rag.engine import ASK_TOP_K, Engine, Writer
from eunato_rag.evidence.entailment import Entailment
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.reranking import Reranker
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Concluded, Draft, Event, Hit, Quotation, Turn
from eunato_rag.serving.http.metrics import Metrics
from eunato_rag.timing import stage

log = structlog.get_logger("eunato_rag.http")


class ObservedEngine(Engine):
    """An engine that counts its answers in `metrics`; with `questions`, what is asked and looked for is logged."""

    def __init__(
        self,
        metrics: Metrics,
        questions: bool,
        snapshot: Snapshot,
        embedder: Embedder,
        writer: Writer | None = None,
        reranker: Reranker | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        super().__init__(snapshot, embedder, writer, reranker, entailment)
        self._metrics, self._questions = metrics, questions

    def search(self, query: str, *, top_k: int = 10, wanted: Filter = Filter()) -> tuple[Hit, ...]:
        with stage("search"):
            return super().search(query, top_k=top_k, wanted=wanted)

    def stream(
        self, question: str, *, history: Sequence[Turn] = (), top_k: int = ASK_TOP_K, wanted: Filter = Filter()
    ) -> Generator[Event, None, None]:
        if self._questions:
            log.info("question", text=question)
        for event in super().stream(question, history=history, top_k=top_k, wanted=wanted):
            if isinstance(event, Concluded):
                self._metrics.answers.labels(event.answer.status).inc()
                for citation in event.answer.citations:
                    self._metrics.citations.labels(citation.verification).inc()
            yield event

    def quote(self, text: str, *, wanted: Filter = Filter()) -> Quotation:
        if self._questions:
            log.info("quotation", text=text)
        with stage("quote"):
            found = super().quote(text, wanted=wanted)
        self._metrics.quotations.labels(found.status).inc()
        return found

    def check(self, manuscript: Manuscript, progress: Callable[[int, int], None] | None = None) -> Draft:
        with stage("check"):
            draft = super().check(manuscript, progress)
        for sentence in draft.sentences:
            self._metrics.sentences.labels(sentence.label).inc()
        return draft

    def recheck(self, saved: Sequence[SavedCitation]) -> list[Recheck]:
        with stage("recheck"):
            found = super().recheck(saved)
        for one in found:
            self._metrics.rechecks.labels(one.state).inc()
        return found
