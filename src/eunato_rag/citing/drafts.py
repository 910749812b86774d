"""A draft, sentence by sentence, against the corpus: labels, evidence, and the same draft with notes and a bibliography.

Left out: how a sentence is judged (support), a quotation found (quotes), a file read and written back (manuscripts), a
reference printed (formats).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from eunato_rag.citing.formats import Cite, bibliography, notes, place
from eunato_rag.citing.manuscripts import Manuscript, Note, Quoted, Sentence, annotate
from eunato_rag.citing.quotes import check_quotation, passage_at
from eunato_rag.citing.support import Judge, Judgement
from eunato_rag.errors import InvalidText
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Citation, CslRecord, Draft, DraftQuotation, DraftSentence, EditKind, Label, Quotation, QuotationMatch

LEAST_WORDS = 4
"""Fewer words in quotation marks are a term or an irony as often as a quotation: they are told of where the corpus has them."""

QUOTED_SHARE = 0.6
"""A sentence of which at least this share of words is quoted to the letter, or nearly, says what its source says."""

GRAVE: frozenset[EditKind] = frozenset({"number", "date", "negation", "modal", "name"})
"""Kinds of difference that make a quotation say something else."""

CONTEXT = 2
"""Sentences before one that tell what its pronouns mean."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of the corpus that a note points to."""

    start: int
    end: int
    document_id: str


def check_draft(snapshot: Snapshot, judge: Judge, manuscript: Manuscript, progress: Callable[[int, int], None] | None = None) -> Draft:
    """What the corpus says of each sentence of a draft, and the draft with a note at each that it supports or contradicts.

    `progress` is told of the sentences done and of all.
    """
    checked: list[DraftSentence] = []
    total = len(manuscript.sentences)
    number = 1
    for n, sentence in enumerate(manuscript.sentences):
        if progress is not None:
            progress(n, total)
        quoted = [q for q in manuscript.quotations if q.sentence == n]
        quotations = tuple(found for q in quoted if (found := _quotation(snapshot, q)) is not None)
        before = [s.text for s in manuscript.sentences[max(0, n - CONTEXT) : n]]
        done = _weighed(snapshot, sentence, quotations, judge.judge(sentence.text, before), number)
        if done is not None:
            checked.append(done)
            number += bool(done.evidence)
    if progress is not None:
        progress(total, total)
    cited = [s for s in checked if s.evidence]
    works = _works(snapshot, cited)
    inserted = [Note(s.end, text) for s, text in zip(cited, _notes(snapshot, cited), strict=True)]
    annotated = annotate(manuscript, inserted, bibliography(works, "chicago", markup="markdown"))
    return Draft(manuscript.format, tuple(checked), total - len(checked), annotated, tuple(works), snapshot.id)


def _quotation(snapshot: Snapshot, quoted: Quoted) -> DraftQuotation | None:
    """What a quotation of the draft is; None where it is too short to be taken for one and is not in the corpus as it stands."""
    try:
        found = check_quotation(snapshot, quoted.text)
    except InvalidText:
        return None
    if len(quoted.text.split()) < LEAST_WORDS and found.status not in ("exact", "normalized"):
        return None
    return DraftQuotation(quoted.start, quoted.end, found)


def _weighed(
    snapshot: Snapshot, sentence: Sentence, quotations: Sequence[DraftQuotation], judgement: Judgement | None, number: int
) -> DraftSentence | None:
    """The sentence with its label; None where it neither claims nor quotes anything."""
    if judgement is None and not quotations:
        return None
    label: Label = judgement.label if judgement else "not_found"
    reasons = [judgement.why] if judgement and judgement.label != "supported" else []
    places = [_Place(*run.span, run.source.document.id) for run in judgement.runs] if judgement else []
    for quotation in quotations:
        found = quotation.found
        told = _told(found)
        if told:
            reasons.insert(0, told)
        grave = any(edit.kind in GRAVE for match in found.matches[:1] for edit in match.edits)
        if grave:
            label = "contradicted"
        elif found.status == "absent" and label == "supported":
            label = "not_found"
        elif found.status in ("exact", "normalized") and label == "not_found" and _share(found, sentence) >= QUOTED_SHARE:
            label, reasons = "supported", reasons[:-1] if judgement else reasons
        places = [_Place(m.locator.start, m.locator.end, m.passage.document_id) for m in _first(found)] + places
    if label == "not_found" and not any(q.found.matches for q in quotations):
        places = []
    evidence = tuple(_citation(snapshot, at, sentence, number) for at in _apart(places))
    return DraftSentence(sentence.start, sentence.end, sentence.text, label, evidence, " ".join(reasons), tuple(quotations))


def _told(found: Quotation) -> str:
    """What is wrong with a quotation, in a sentence; "" where nothing is."""
    if found.status == "absent":
        return f"The quotation “{_short(found.quote)}” is not in the documents."
    if found.stitched:
        return found.reason or "The quotation joins words of different places."
    edits = found.matches[0].edits
    said = "; ".join(_difference(edit.yours, edit.source) for edit in edits[:4])
    more = f"; and {len(edits) - 4} more" if len(edits) > 4 else ""
    return f"The quotation is not to the letter: {said}{more}." if edits else ""


def _difference(yours: str, source: str) -> str:
    if not yours:
        return f"the source has “{_short(source)}” besides"
    if not source:
        return f"the source has no “{_short(yours)}”"
    return f"“{_short(yours)}” is “{_short(source)}” in the source"


def _short(text: str, most: int = 60) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else words[: words.rfind(" ", 0, most)] + " …"


def _share(found: Quotation, sentence: Sentence) -> float:
    return len(found.quote.split()) / max(1, len(sentence.text.split()))


def _first(found: Quotation) -> Iterator[QuotationMatch]:
    """The best match of each part of a quotation."""
    seen: set[tuple[int, int]] = set()
    for match in found.matches:
        if match.covers not in seen:
            seen.add(match.covers)
            yield match
        if not found.stitched:
            return


def _apart(places: Sequence[_Place]) -> list[_Place]:
    """Each place once; of two that share words the first."""
    kept: list[_Place] = []
    for at in places:
        if not any(k.document_id == at.document_id and at.start < k.end and k.start < at.end for k in kept):
            kept.append(at)
    return kept


def _citation(snapshot: Snapshot, at: _Place, sentence: Sentence, number: int) -> Citation:
    document = snapshot.catalogue.document(at.document_id)
    passage = passage_at(snapshot, document, at.start)
    quote, locator = document.text[at.start : at.end], document.locate(at.start, at.end)
    return Citation(number, (sentence.start, sentence.end), passage, quote, locator)


def _works(snapshot: Snapshot, cited: Sequence[DraftSentence]) -> list[CslRecord]:
    ids = dict.fromkeys(citation.passage.document_id for sentence in cited for citation in sentence.evidence)
    return [snapshot.catalogue.document(identity).work for identity in ids]


def _notes(snapshot: Snapshot, cited: Sequence[DraftSentence]) -> list[str]:
    """The text of each sentence's note: its references, and what is wrong where something is."""
    printed = iter(notes([_cite(snapshot, citation) for sentence in cited for citation in sentence.evidence], markup="markdown"))
    texts = []
    for sentence in cited:
        references = "; ".join(next(printed).rstrip(".") for _ in sentence.evidence) + "."
        why = _escaped(sentence.why)
        if sentence.label == "contradicted":
            said = _escaped(" … ".join(_short(c.quote, 300) for c in sentence.evidence))
            texts.append(f"Contradicted: {why} {references} It says: “{said}”")
        else:
            texts.append(f"{references} {why}".strip())
    return texts


def _escaped(text: str) -> str:
    """Words of the draft or the corpus inside a note, which is read as Markdown: printed as they are."""
    return re.sub(r"([\\*_<>`\[\]])", r"\\\1", text)


def _cite(snapshot: Snapshot, citation: Citation) -> Cite:
    document = snapshot.catalogue.document(citation.passage.document_id)
    return document.work, place(document, citation.locator.start, citation.locator.end)
