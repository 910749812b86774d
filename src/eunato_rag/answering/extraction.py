"""Hits -> the sentences that answer, to the letter; the default, with no language model.

Each sentence of the best passages is weighed by meaning (MaxSim of its tokens, as its passage reads them), by words
(the share of the question's terms in it, rare ones first) and by its passage. A sentence that leans on the one before
("The initiative, however, …") brings it along. Left out: whether all this amounts to an answer (grounding).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise, takewhile

from eunato_rag.answering import wording
from eunato_rag.answering.asked import Asked, Evidence
from eunato_rag.indexing.interaction import Alignment, Query
from eunato_rag.indexing.keywords import analyse
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Document, Hit, Passage

READ_HITS = 6
"""Passages whose sentences are weighed."""
COMMON = 0.25
"""Share of the passages above which a name tells nothing apart."""

_LEANS = re.compile(
    r"^(?:this|that|these|those|it|they|he|she|its|their|such|both|however|therefore|thus|hence|moreover|furthermore|"
    r"in addition|additionally|besides|also|but|and|yet|nevertheless|nonetheless|instead|for example|for instance|"
    r"in this|in that|based on that|following this|at the same time|against this|from this|as a result|consequently|"
    r"the (?:initiative|former|latter|same|aim|scope|goal|decision|document|report))\b"
    r"|^[^.;:]{0,60}, (?:however|therefore|though|in turn|too|instead),",
    re.IGNORECASE,
)
_STANDS_ALONE = re.compile(r"^(?:it is|it was|it has been) \w+ (?:to|that|\w+ing)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extraction:
    """How sentences are weighed and how many are taken; fitted on half of the paper's questions (docs/decisions.md).

    A sentence loses `lacking` for each of up to two names asked about that its passage does not say, and for having
    nothing of the kind asked for. Of the first `sentences`, those are taken that stand above the widest gap between
    two weights, or that have at least `nearly` of the best one's weight; where all of something is asked for,
    `sentences_all` and `nearly_all` stand for these.
    """

    words: float = 0.4
    passage: float = 0.4
    lacking: float = 0.05
    nearly: float = 0.85
    sentences: int = 3
    nearly_all: float = 0.75
    sentences_all: int = 6
    leaning: int = 1


@dataclass(frozen=True, slots=True)
class Quote:
    """A run of whole sentences of one block, in the passage that it was found by."""

    hit: Hit
    sentences: tuple[tuple[int, int], ...]

    @property
    def span(self) -> tuple[int, int]:
        return self.sentences[0][0], self.sentences[-1][1]


@dataclass(frozen=True, slots=True)
class Draft:
    """The quotes in reading order, and what the best of them is worth as evidence."""

    quotes: tuple[Quote, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Sentence:
    hit: Hit
    document: Document
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.document.text[self.start : self.end]


def extract(
    snapshot: Snapshot, query: Query, hits: Sequence[Hit], extraction: Extraction = Extraction(), parts: Sequence[Query] = ()
) -> Draft:
    """The sentences of the first hits that answer the question best, for each of its parts. No hits give an empty draft."""
    question, hits = query.text, hits[:READ_HITS]
    if named := _named_note(snapshot, hits, question):
        return Draft(_quotes(named, extraction.leaning), Evidence(1.0))
    candidates = _candidates(snapshot, question, hits, notes=wording.asks_for_source(question))
    if not candidates:
        return Draft((), Evidence(0.0))
    chosen = [_choose(snapshot, part, hits, candidates, extraction) for part in parts or (query,)]
    taken = [sentence for sentences, _ in chosen for sentence in sentences]
    if wording.asks_for_reason(question) and len(taken) == 1:
        taken += _next(taken[0])
    taken += [item for sentence in taken for item in _introduced_by(sentence)]
    taken += [_Sentence(s.hit, s.document, *span) for s in taken for span in s.document.table_head(s.start)]
    if wording.asks_for_source(question):
        taken += [note for sentence in taken for note in _notes_at(sentence)]
    return Draft(_quotes(taken, extraction.leaning), max((evidence for _, evidence in chosen), key=lambda e: (e.whole, e.nearness)))


def _choose(
    snapshot: Snapshot, query: Query, hits: Sequence[Hit], candidates: Sequence[_Sentence], extraction: Extraction
) -> tuple[list[_Sentence], Evidence]:
    """The sentences that answer one question, best first, and what the best is worth."""
    question, keywords = query.text, snapshot.keywords
    texts = [_in_context(candidate, extraction.leaning) for candidate in candidates]
    meaning = _meanings(snapshot, query, candidates, extraction)
    asked = Asked.read(question, lambda term: keywords.share(term) > COMMON)
    near = 0.25 * keywords.coverage(question, frozenset(term for hit in hits[:3] for term in analyse(hit.passage.text)))
    terms = [frozenset(analyse(text)) for text in texts]
    around = {hit.passage.id: _around(snapshot, hit.passage) for hit in hits}
    evidence = [asked.judge(meaning[n] + near, texts[n], terms[n] | around[c.hit.passage.id]) for n, c in enumerate(candidates)]
    weights = [
        meaning[n]
        + extraction.words * keywords.coverage(question, terms[n])
        + extraction.passage * candidate.hit.score
        - extraction.lacking * (len(evidence[n].missing[:2]) + (not evidence[n].holds))
        for n, candidate in enumerate(candidates)
    ]
    order = sorted(range(len(candidates)), key=lambda n: (-weights[n], n))
    if wording.asks_for_all(question):
        extraction = replace(extraction, nearly=extraction.nearly_all, sentences=extraction.sentences_all)
    taken = order[: _enough([weights[n] for n in order], extraction)]
    return [candidates[n] for n in taken], evidence[taken[0]]


def _meanings(snapshot: Snapshot, query: Query, candidates: Sequence[_Sentence], extraction: Extraction) -> list[float]:
    """How well the tokens of each sentence meet the question's, 0..1."""
    aligned: dict[str, Alignment] = {}
    meanings = []
    for sentence in candidates:
        passage = sentence.hit.passage
        if passage.id not in aligned:
            aligned[passage.id] = snapshot.tokens.align(query, snapshot.catalogue.position(passage.id))
        leant = _leant_on(sentence, extraction.leaning)
        start = (leant[0][0] if leant else sentence.start) - passage.locator.start
        row = bool(sentence.document.table_head(sentence.start))
        meanings.append(_met(aligned[passage.id], query, start, sentence.end - passage.locator.start, row))
    return meanings


def _met(alignment: Alignment, query: Query, start: int, end: int, row: bool) -> float:
    """MaxSim over the tokens of a range of the passage; for a row of a table also over its caption and head."""
    inside = (alignment.places >= start) & (alignment.places < end)
    if row:
        inside |= alignment.places < 0
    if not inside.any():
        return 0.0
    return float(alignment.similarity[inside].max(axis=0) @ query.weights)


def _candidates(snapshot: Snapshot, question: str, hits: Sequence[Hit], *, notes: bool) -> list[_Sentence]:
    """The sentences of the passages, each once, under the best hit that holds it.

    A note's own text answers questions about sources; to another question it is only a string of names. Front and
    back matter answers questions about the work itself, or such as name mostly what stands there.
    """
    about_the_work = wording.asks_about_the_work(question)
    found: dict[tuple[str, int, int], _Sentence] = {}
    for hit in hits:
        document = snapshot.catalogue.document(hit.passage.document_id)
        start, end = hit.passage.locator.start, hit.passage.locator.end
        block = document.block_at(start)
        named = hit.passage.matter == "body" or snapshot.keywords.coverage(question, frozenset(analyse(hit.passage.text))) >= 0.5
        if not named and not about_the_work:
            continue
        if block is not None and block.kind == "note":
            if notes:
                found.setdefault((document.id, start, end), _Sentence(hit, document, start, end))
            continue
        for sentence in document.sentences_in(start, end):
            found.setdefault((document.id, *sentence), _Sentence(hit, document, *sentence))
    return list(found.values())


def _named_note(snapshot: Snapshot, hits: Sequence[Hit], question: str) -> list[_Sentence]:
    """Where a question names a note by its number: that note of the best document, and the sentences it stands at."""
    named = wording.named_note(question)
    for hit in hits if named is not None else ():
        document = snapshot.catalogue.document(hit.passage.document_id)
        for note in document.footnotes:
            if note.number == named:
                at = [span for anchor in note.anchors if (span := document.sentence_at(anchor))]
                return [_Sentence(hit, document, *span) for span in (*at, (note.start, note.end))]
    return []


def _introduced_by(sentence: _Sentence) -> list[_Sentence]:
    """The first sentence of each item of the list that a sentence announces with a colon."""
    if not sentence.text.endswith(":"):
        return []
    document = sentence.document
    first = bisect_left(document.blocks, sentence.end, key=lambda block: block.start)
    items = takewhile(lambda block: block.kind == "list_item", islice(document.blocks, first, None))
    firsts = (next(document.sentences_in(item.start, item.end), None) for item in items)
    return [_Sentence(sentence.hit, document, *span) for span in firsts if span]


def _next(sentence: _Sentence) -> list[_Sentence]:
    """The sentence after one, in its block: where a matter is named, its reason often follows."""
    block = sentence.document.block_at(sentence.start)
    after = sentence.document.sentences_in(sentence.end, block.end) if block and block.kind == "paragraph" else iter(())
    return [_Sentence(sentence.hit, sentence.document, *span) for span in islice(after, 1)]


def _notes_at(sentence: _Sentence) -> list[_Sentence]:
    """The notes whose markers stand in a sentence."""
    notes = sentence.document.footnotes_in(sentence.start, sentence.end)
    return [_Sentence(sentence.hit, sentence.document, note.start, note.end) for note in notes]


def _enough(ordered: Sequence[float], extraction: Extraction) -> int:
    """How many sentences to take, by their weights from the best on."""
    near = sum(weight >= extraction.nearly * ordered[0] for weight in ordered[: extraction.sentences])
    gaps = [first - second for first, second in pairwise(ordered[: extraction.sentences + 1])]
    return max(near, 1 + gaps.index(max(gaps)) if gaps else 1)


def _quotes(taken: Sequence[_Sentence], leaning: int) -> tuple[Quote, ...]:
    """Sentences with what they lean on, in reading order, neighbours put together."""
    spans: dict[str, set[tuple[int, int]]] = {}
    owners: dict[tuple[str, int, int], _Sentence] = {}
    order = list(dict.fromkeys(s.document.id for s in sorted(taken, key=lambda s: s.hit.rank)))
    for sentence in taken:
        for span in (*_leant_on(sentence, leaning), (sentence.start, sentence.end)):
            spans.setdefault(sentence.document.id, set()).add(span)
            owners.setdefault((sentence.document.id, *span), sentence)
    quotes: list[Quote] = []
    for identity in order:
        run: list[tuple[int, int]] = []
        for span in sorted(spans[identity]):
            owner = owners[(identity, *span)]
            if run and not _adjacent(owner.document, run[-1], span):
                quotes.append(Quote(owners[(identity, *run[-1])].hit, tuple(run)))
                run = []
            run.append(span)
        quotes.append(Quote(owners[(identity, *run[-1])].hit, tuple(run)))
    return tuple(quotes)


def _leant_on(sentence: _Sentence, most: int) -> list[tuple[int, int]]:
    """The sentences of the same block that a sentence needs before it to be understood, nearest last."""
    block = sentence.document.block_at(sentence.start)
    if block is None or block.kind in ("note", "table"):
        return []
    before = [s for s in sentence.document.sentences_in(block.start, block.end) if s[1] <= sentence.start]
    found: list[tuple[int, int]] = []
    text = sentence.text
    while before and len(found) < most and _LEANS.search(text) and not _STANDS_ALONE.search(text):
        found.insert(0, before.pop())
        text = sentence.document.text[slice(*found[0])]
    return found


def _in_context(sentence: _Sentence, leaning: int) -> str:
    """A sentence with what it leans on: alone, "The initiative, however, failed" does not say which.

    A row of a table leans on the caption and the first row.
    """
    head = sentence.document.table_head(sentence.start)
    if head:
        return "\n".join([*(sentence.document.text[a:b] for a, b in head), sentence.text])
    leant = _leant_on(sentence, leaning)
    return sentence.document.text[leant[0][0] if leant else sentence.start : sentence.end]


def _around(snapshot: Snapshot, passage: Passage) -> frozenset[str]:
    """The terms among which the names that a sentence is about may stand: its passage's, headings', title's."""
    context = snapshot.catalogue.document(passage.document_id).context(passage.locator.start)
    return frozenset(analyse("\n".join((*context, passage.text))))


def _adjacent(document: Document, first: tuple[int, int], second: tuple[int, int]) -> bool:
    gap = document.text[first[1] : second[0]]
    return not gap.strip() and "\n" not in gap
