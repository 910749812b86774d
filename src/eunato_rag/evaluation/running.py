"""Questions are asked, one after another, and what came of each is set beside its judgements.

All that needs the documents happens here, so that measures are pure. Left out: what the figures are (measures).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eunato_rag.engine import Engine
from eunato_rag.errors import CorpusError, InvalidQuestion, NotFound
from eunato_rag.evaluation.questions import Evidence, Judgement, Question
from eunato_rag.records import Answer, Document, Hit, Turn
from eunato_rag.retrieval import MAX_TOP_K
from eunato_rag.tokens import count_tokens

TOP_K = 10
"""Hits that an answer is made from and that evidence is looked for in."""

_MARKERS = re.compile(r"(?: ?\[\d+\])+")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found: the rank of the first hit that holds each item of evidence (0: none of the first ten).

    `documents` are the distinct documents of the hits, best passage first, of a search of 100 passages; empty where
    no documents are judged.
    """

    ranks: tuple[int, ...]
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one question.

    `found` is what the service searched for itself; of a follow-up, `raw` is what its bare words find and `gold` what
    its standalone form by hand finds. `answer` is None where only passages were asked for. `cited` counts the items of
    evidence that some citation holds; `supporting` says of each citation, and `supported` of each sentence of the answer,
    whether a citation of it touches any. `tokens` are those of the cited sentences, `beyond` of those that hold no evidence.
    """

    question: Question
    found: Found
    raw: Found | None = None
    gold: Found | None = None
    answer: Answer | None = None
    cited: int = 0
    supporting: tuple[bool, ...] = ()
    supported: tuple[bool, ...] = ()
    tokens: int = 0
    beyond: int = 0
    verified: bool = False

    @property
    def answered(self) -> bool:
        return self.answer is not None and self.answer.status == "answered"


def run(
    engine: Engine,
    questions: Sequence[Question],
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    answers: bool = True,
) -> list[Outcome]:
    """Ask every question; without `answers`, search only.

    A conversation is held as a person would: each turn comes after the earlier ones and what was answered to them.

    Raises:
        CorpusError: a judgement is not what the index says at its place, or a question is none that can be asked.
    """
    for question in questions:
        _check(engine, question)
    outcomes = []
    said: dict[str, tuple[Turn, ...]] = {}
    for done, question in enumerate(questions, 1):
        history = said.get(question.conversation, ()) if question.conversation else question.history
        try:
            outcome = _ask(engine, question, history) if answers else Outcome(question, _search(engine, question, question.question))
        except InvalidQuestion as error:
            raise CorpusError(f"Question {question.id!r} cannot be asked: {error}") from error
        if question.conversation and outcome.answer:
            turns = Turn("user", question.question), Turn("assistant", outcome.answer.text)
            said[question.conversation] = (*history, *turns)
        outcomes.append(outcome)
        progress(done, len(questions))
    return outcomes


def _check(engine: Engine, question: Question) -> None:
    """A judgement that has moved would count as not found, and nobody would know why."""
    for judgement in question.evidence:
        if not isinstance(judgement, Judgement):
            continue
        try:
            text = engine.document(judgement.document).text
        except NotFound as error:
            raise CorpusError(f"Question {question.id!r} is judged on {judgement.document!r}, which is not in the index.") from error
        if text[judgement.start : judgement.end] != judgement.quote:
            raise CorpusError(
                f"Question {question.id!r}: at {judgement.start}..{judgement.end} {judgement.document} does not say {judgement.quote!r}. "
                "Build the index anew (eunato-rag reindex); if that does not mend it, the text has moved: tests/eval/build.py."
            )


def _ask(engine: Engine, question: Question, history: Sequence[Turn]) -> Outcome:
    answer = engine.ask(question.question, history=history, top_k=TOP_K)
    raw = gold = None
    if history:
        raw = _search(engine, question, question.question)
        gold = _search(engine, question, question.standalone) if question.standalone else None
    places = [(engine.document(c.passage.document_id), c.locator.start, c.locator.end) for c in answer.citations]
    supporting = tuple(_touches(question, *place) for place in places)
    numbers = {citation.number for citation, supports in zip(answer.citations, supporting, strict=True) if supports}
    sentences = {(d.id, *span): d.text[slice(*span)] for d, start, end in places for span in _sentences(d, start, end)}
    sizes = {place: count_tokens(text) for place, text in sentences.items()}
    return Outcome(
        question,
        _search(engine, question, answer.standalone_question, answer.hits),
        raw,
        gold,
        answer,
        cited=sum(any(item.held_by(*place) for place in places) for item in question.evidence),
        supporting=supporting,
        supported=tuple(bool(cited & numbers) for cited in _cited_by_sentence(answer)),
        tokens=sum(sizes.values()),
        beyond=sum(size for (d, start, end), size in sizes.items() if not _touches(question, engine.document(d), start, end)),
        verified=_verified(engine, answer),
    )


def _search(engine: Engine, question: Question, query: str, hits: Sequence[Hit] = ()) -> Found:
    """What a query finds; `hits` where it was asked already. Documents want more passages, for one may have many."""
    deep = engine.search(query, top_k=MAX_TOP_K) if question.relevant else ()
    hits = hits or deep[:TOP_K] or engine.search(query, top_k=TOP_K)
    ranks = tuple(next((hit.rank for hit in hits if _held(engine, item, hit)), 0) for item in question.evidence)
    return Found(ranks, tuple(dict.fromkeys(hit.passage.document_id for hit in (*hits, *deep))) if deep else ())


def _held(engine: Engine, item: Evidence, hit: Hit) -> bool:
    place = hit.passage.locator
    return item.held_by(engine.document(hit.passage.document_id), place.start, place.end)


def _touches(question: Question, document: Document, start: int, end: int) -> bool:
    return any(item.touched_by(document, start, end) for item in question.evidence)


def _sentences(document: Document, start: int, end: int) -> list[tuple[int, int]]:
    """The whole sentences of a quotation, or itself where it has none."""
    return list(document.sentences_in(start, end)) or [(start, end)]


def _cited_by_sentence(answer: Answer) -> list[set[int]]:
    """The numbers of the citations of each sentence of an answer: every sentence has some, before its final mark.

    What looks like a number but stands outside that citation's part of the answer belongs to the words quoted.
    """
    spans: dict[int, list[tuple[int, int]]] = {}
    for citation in answer.citations:
        spans.setdefault(citation.number, []).append(citation.answer_span)
    found = []
    for mark in _MARKERS.finditer(answer.text):
        numbers = {int(number) for number in _NUMBER.findall(mark.group())}
        found.append({n for n in numbers if any(start <= mark.start() < end for start, end in spans.get(n, ()))})
    return [numbers for numbers in found if numbers]


def _verified(engine: Engine, answer: Answer) -> bool:
    """Every quotation equals its slice, and the citations' spans cover the answer but for the space between."""
    slices = all(engine.document(c.passage.document_id).text[c.locator.start : c.locator.end] == c.quote for c in answer.citations)
    rest = list(answer.text)
    for citation in answer.citations:
        start, end = citation.answer_span
        rest[start:end] = " " * len(rest[start:end])
    return slices and not "".join(rest).strip()
