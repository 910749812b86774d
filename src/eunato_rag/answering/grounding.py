"""Draft + hits -> an answer whose every citation was verified, or an abstention.

Verification is slicing: a quotation stands only if its document says it, to the letter, at the place given, and the
sentence of the answer says it too. What fails is dropped together with its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from eunato_rag.answering.abstention import Abstention, reason_of
from eunato_rag.answering.extraction import Draft, Quote
from eunato_rag.indexing.catalogue import Catalogue
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Answer, Citation, Document, Hit, Passage

NEAREST = 3
"""Hits that an abstention shows, none of which says again what another one says."""

ABSTENTION = "The documents do not answer this question."

_FINAL = re.compile(r"[.!?:…]+$")


def ground(snapshot: Snapshot, question: str, draft: Draft, hits: Sequence[Hit], abstention: Abstention | None = None) -> Answer:
    """The answer that a draft gives, cited and verified; an abstention where the evidence is not near enough."""
    abstention = abstention or Abstention(**snapshot.manifest.abstention)
    confidence = round(abstention.confidence(draft.evidence), 4) if draft.quotes else 0.0
    if not draft.quotes:
        return abstain(snapshot, question, hits, confidence, "The search found no passage for it.")
    if confidence < abstention.least:
        return abstain(snapshot, question, hits, confidence, reason_of(draft.evidence))
    text, after_alone = "", False
    citations: list[Citation] = []
    for quote in draft.quotes:
        document = snapshot.catalogue.document(quote.hit.passage.document_id)
        number = len(citations) + 1
        statement = " ".join(_marked(document.text[start:end], number) for start, end in quote.sentences)
        alone = _stands_alone(document, quote)
        lead = text + ("\n" if alone or after_alone else " ") if text else ""
        citation = _cite(snapshot.catalogue, document, quote, number, (len(lead), len(lead) + len(statement)))
        if holds(citation, document, statement):
            text, after_alone = lead + statement, alone
            citations.append(citation)
    if not citations:
        return abstain(snapshot, question, hits, confidence, "No quotation could be verified.")
    return Answer(question, question, "answered", text, tuple(citations), tuple(hits), snapshot.id, confidence=confidence)


def holds(citation: Citation, document: Document, statement: str) -> bool:
    """Whether the document says the quotation at its place, to the letter, and the statement says nothing else."""
    locator = citation.locator
    said = document.text[locator.start : locator.end]
    plain = re.sub(rf" \[{citation.number}\]", "", statement)
    return said == citation.quote and plain.split() == citation.quote.split()


def _cite(catalogue: Catalogue, document: Document, quote: Quote, number: int, span: tuple[int, int]) -> Citation:
    """The citation of a quote, under the passage that holds most of it: what leans on its neighbour may begin before it."""
    start, end = quote.span
    near = catalogue.passages_of(document.id, start, end) or catalogue.passages_of(document.id)  # a heading is in no passage
    passage = max(near, key=lambda p: min(p.locator.end, end) - max(p.locator.start, start))
    return Citation(number, span, passage, document.text[start:end], document.locate(start, end))


def _stands_alone(document: Document, quote: Quote) -> bool:
    """Whether a quote stands on a line of its own: items of lists, captions and rows of tables."""
    block = document.block_at(quote.span[0])
    return block is not None and block.kind in ("list_item", "caption", "table")


def _marked(sentence: str, number: int) -> str:
    """The sentence with its citation number before the final mark; behind a closing quotation mark."""
    final = _FINAL.search(sentence)
    at = final.start() if final else len(sentence)
    return f"{sentence[:at]} [{number}]{sentence[at:]}"


def abstain(snapshot: Snapshot, question: str, hits: Sequence[Hit], confidence: float, reason: str) -> Answer:
    """A refusal with its reason and the nearest evidence."""
    return Answer(question, question, "abstained", ABSTENTION, (), tuple(hits), snapshot.id, nearest(hits), reason, confidence=confidence)


def nearest(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits that an abstention shows."""
    shown: list[Hit] = []
    for hit in hits:
        if not any(_overlap(hit.passage, other.passage) for other in shown):
            shown.append(hit)
    return tuple(shown[:NEAREST])


def _overlap(one: Passage, other: Passage) -> bool:
    same = one.document_id == other.document_id
    return same and one.locator.start < other.locator.end and other.locator.start < one.locator.end
