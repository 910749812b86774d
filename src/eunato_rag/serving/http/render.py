"""Records -> wire models. Names and offsets only change their dress here; nothing is computed that the engine should."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eunato_rag import records
from eunato_rag.citing.formats import Style, export, in_text, pinpoint, place, reference, short_reference
from eunato_rag.citing.formats import cite as csl_cite
from eunato_rag.citing.formats import note as full_note
from eunato_rag.citing.links import original_url, reader_url
from eunato_rag.citing.rechecking import Recheck, tally
from eunato_rag.citing.references import NoteView, coverage
from eunato_rag.citing.selectors import selectors
from eunato_rag.engine import Cite, Engine
from eunato_rag.indexing import catalogue
from eunato_rag.indexing.history import Kept
from eunato_rag.indexing.keywords import matching_spans
from eunato_rag.serving.http import schemas
from eunato_rag.serving.jobs.store import Job


def locator(record: records.Locator) -> schemas.Locator:
    page = schemas.Page(number=record.page.number, label=record.page.label) if record.page else None
    return schemas.Locator(start=record.start, end=record.end, page=page, headings=list(record.headings), paragraph=record.paragraph)


def document(record: records.Document | catalogue.Listed) -> schemas.Document:
    return schemas.Document(**_document_fields(record))


def full_document(record: records.Document, snapshot: str, start: int = 0, end: int | None = None) -> schemas.FullDocument:
    """With the blocks that share something with a range of its text."""
    stop = len(record.text) if end is None else end
    return schemas.FullDocument(
        **_document_fields(record),
        length=len(record.text),
        outline=[
            schemas.OutlineEntry(title=record.text[b.start : b.end], level=b.level, start=b.start, end=b.end)
            for b in record.blocks
            if b.kind == "heading"
        ],
        blocks=[
            schemas.Block(kind=b.kind, start=b.start, end=b.end, level=b.level, matter=b.matter) for b in record.blocks_in(start, stop)
        ],
        pages=[{"number": p.page.number, "label": p.page.label, "start": p.start, "end": p.end} for p in record.pages],
        report=[
            schemas.Change(kind=c.kind, detail=c.detail, lines=list(c.lines) if c.lines else None, removed=c.removed) for c in record.report
        ],
        snapshot=snapshot,
    )


def passage(engine: Engine, record: records.Passage) -> schemas.Passage:
    place = record.locator
    return schemas.Passage(
        id=record.id,
        document_id=record.document_id,
        text=record.text,
        locator=locator(place),
        footnotes=_notes(engine, record.document_id, place.start, place.end),
    )


def hit(engine: Engine, record: records.Hit, query: str) -> schemas.Hit:
    start = record.passage.locator.start
    return schemas.Hit(
        rank=record.rank,
        score=record.score,
        parts=dict(record.parts),
        passage=passage(engine, record.passage),
        document=document(engine.document(record.passage.document_id)),
        highlights=[schemas.Span(start=start + a, end=start + b) for a, b in matching_spans(query, record.passage.text)],
    )


def search(engine: Engine, query: str, hits: tuple[records.Hit, ...], took_ms: float) -> schemas.Search:
    return schemas.Search(query=query, hits=[hit(engine, h, query) for h in hits], snapshot=engine.snapshot.id, took_ms=took_ms)


def answer(engine: Engine, record: records.Answer, took_ms: float) -> schemas.Answer:
    return schemas.Answer(
        question=record.question,
        standalone_question=record.standalone_question,
        status=record.status,
        answer=record.text,
        citations=[citation(engine, c) for c in record.citations],
        hits=[hit(engine, h, record.standalone_question) for h in record.hits],
        nearest=[hit(engine, h, record.standalone_question) for h in record.nearest],
        reason=record.reason,
        model=dict(record.model) if record.model else None,
        confidence=record.confidence,
        notice=record.notice,
        snapshot=record.snapshot,
        took_ms=took_ms,
    )


def footnotes(engine: Engine, document_id: str, start: int = 0, end: int | None = None) -> schemas.Footnotes:
    views = engine.footnotes(document_id, start, end)
    text = engine.document(document_id).text
    rendered = [_footnote(engine, view, text, document_id) for view in views]
    return schemas.Footnotes(
        document_id=document_id,
        footnotes=rendered,
        coverage=coverage(views, frozenset(note.number for note in rendered if note.support)),
        snapshot=engine.snapshot.id,
    )


def work(record: records.Work, present: bool) -> schemas.Work:
    return schemas.Work(
        id=record.id,
        csl=dict(record.csl),
        state="present" if present else "failed" if record.file else "missing",
        file=record.file,
        format=record.format,
        rights=record.rights,
        unverified=list(record.unverified),
        cited=[schemas.Mention(**{**_fields(m), "problems": list(m.problems)}) for m in record.mentions],
    )


def citation(engine: Engine, record: records.Citation) -> schemas.Citation:
    source = engine.document(record.passage.document_id)
    start, end = record.locator.start, record.locator.end
    return schemas.Citation(
        number=record.number,
        answer_span=schemas.Span(start=record.answer_span[0], end=record.answer_span[1]),
        quote=record.quote,
        locator=locator(record.locator),
        passage_id=record.passage.id,
        document=document(source),
        verification=schemas.Verification(status=record.verification),
        selectors=selectors(source, start, end),
        footnotes=_notes(engine, source.id, start, end),
        url=reader_url(source.id, start, end),
        original_url=original_url(source, start, end),
        reference=short_reference(source.work, place(source, start, end)),
    )


def span(pair: tuple[int, int]) -> schemas.Span:
    return schemas.Span(start=pair[0], end=pair[1])


def quote(engine: Engine, record: records.Quotation, took_ms: float) -> schemas.Quote:
    return schemas.Quote(**_quotation(engine, record), snapshot=engine.snapshot.id, took_ms=took_ms)


def quote_match(engine: Engine, record: records.QuotationMatch) -> schemas.QuoteMatch:
    source = engine.document(record.passage.document_id)
    start, end = record.locator.start, record.locator.end
    return schemas.QuoteMatch(
        status=record.status,
        document=document(source),
        passage_id=record.passage.id,
        quote=record.quote,
        locator=locator(record.locator),
        covers=span(record.covers),
        edits=[
            schemas.Edit(kind=e.kind, yours=e.yours, source=e.source, yours_span=span(e.yours_span), source_span=span(e.source_span))
            for e in record.edits
        ],
        selectors=selectors(source, start, end),
        footnotes=_notes(engine, source.id, start, end),
        url=reader_url(source.id, start, end),
        original_url=original_url(source, start, end),
        reference=short_reference(source.work, place(source, start, end)),
    )


def _quotation(engine: Engine, record: records.Quotation) -> dict[str, Any]:
    return {
        "quote": record.quote,
        "status": record.status,
        "matches": [quote_match(engine, match) for match in record.matches],
        "stitched": record.stitched,
        "reason": record.reason,
    }


def draft(engine: Engine, record: records.Draft, took_ms: float) -> schemas.Draft:
    labels = Counter(sentence.label for sentence in record.sentences)
    annotated = record.annotated
    return schemas.Draft(
        format=record.format,
        sentences=[
            schemas.DraftSentence(
                start=s.start,
                end=s.end,
                text=s.text,
                label=s.label,
                evidence=[citation(engine, c) for c in s.evidence],
                why=s.why,
                quotations=[schemas.DraftQuotation(start=q.start, end=q.end, **_quotation(engine, q.found)) for q in s.quotations],
            )
            for s in record.sentences
        ],
        annotated=annotated if isinstance(annotated, str) else b64encode(annotated).decode(),
        bibliography=[dict(work) for work in record.works],
        counts={label: labels[label] for label in ("supported", "contradicted", "not_found")} | {"left_alone": record.left_alone},
        snapshot=record.snapshot,
        took_ms=took_ms,
    )


def verified(engine: Engine, rechecks: list[Recheck], took_ms: float) -> schemas.Verified:
    return schemas.Verified(
        holds=all(done.holds for done in rechecks),
        counts=tally(rechecks),
        citations=[
            schemas.Recheck(
                pointer=done.saved.pointer,
                number=done.saved.number,
                status=done.state,
                why=done.why,
                quote=done.saved.quote,
                document_id=done.saved.document_id,
                found=quote_match(engine, done.match) if done.match else None,
            )
            for done in rechecks
        ],
        snapshot=engine.snapshot.id,
        took_ms=took_ms,
    )


def _in_text(style: Style, cite: Cite, works: Sequence[records.CslRecord]) -> str:
    """What a style writes in the text, or in a note, to cite a place; "" where it has no form for that."""
    match style:
        case "chicago":
            return full_note(cite.work, cite.locator)
        case "apa":
            return in_text(cite.work, cite.locator, works)
        case "csl-json":
            return json.dumps(csl_cite(cite.work, cite.locator), ensure_ascii=False)
        case _:
            return ""


def references(engine: Engine, cites: Sequence[tuple[str, Cite]], style: Style) -> schemas.References:
    """Each reference with its pinpoint, in the order asked for; `text` is all of them as one file in the style."""
    listed = [
        schemas.Reference(
            id=identity,
            document_id=cite.document_id,
            reference=reference(cite.work, style, cite.locator),
            citation=_in_text(style, cite, [other.work for _, other in cites]),
            pinpoint=pinpoint(cite.locator) if cite.locator else "",
            csl=dict(cite.work),
        )
        for identity, cite in cites
    ]
    text = export([cite.work for _, cite in cites], style)
    return schemas.References(style=style, references=listed, text=text, snapshot=engine.snapshot.id)


def _notes(engine: Engine, document_id: str, start: int, end: int) -> list[schemas.NoteRef]:
    source = engine.document(document_id)
    found = []
    for note in source.footnotes_in(start, end):
        cited = engine.work(note.work) if note.work else None
        found.append(schemas.NoteRef(number=note.number, text=source.text[note.start : note.end], work=dict(cited.csl) if cited else None))
    return found


def _footnote(engine: Engine, view: NoteView, text: str, document_id: str) -> schemas.Footnote:
    mentions = view.work.mentions if view.work else ()
    said = " ".join(text[start:end] for _, start, end in view.anchors)
    return schemas.Footnote(
        number=view.number,
        text=view.text,
        start=view.start,
        end=view.end,
        anchors=[schemas.Anchor(offset=at, sentence=text[start:end], start=start, end=end) for at, start, end in view.anchors],
        work=dict(view.work.csl) if view.work else None,
        cites_document_id=view.document_id,
        same_as=view.same_as,
        problems=[p for m in mentions if m.by == document_id and m.note == view.number for p in m.problems],
        support=[hit(engine, h, said) for h in engine.support(view, document_id)],
    )


def job(record: Job) -> schemas.Job:
    return schemas.Job(
        id=record.id,
        kind=record.kind,
        state=record.state,
        progress=schemas.Progress(stage=record.stage, done=record.done, total=record.total),
        report=dict(record.report) if record.report else None,
        snapshot=record.snapshot,
        error=record.error,
        created=record.created,
        started=record.started,
        finished=record.finished,
    )


def kept(record: Kept) -> schemas.Kept:
    manifest = record.manifest
    return schemas.Kept(
        id=record.id,
        current=record.current,
        created=manifest.created if manifest else None,
        documents=manifest.counts["documents"] if manifest else None,
        passages=manifest.counts["passages"] if manifest else None,
        bytes=record.size,
        fault=record.fault,
    )


def _document_fields(record: records.Document | catalogue.Listed) -> dict[str, Any]:
    csl = record.work
    return {
        "id": record.id,
        "source": record.source,
        "title": record.title,
        "authors": [_full_name(name) for name in csl.get("author") or ()],
        "publisher": csl.get("publisher"),
        "issued": catalogue.issued(csl),
        "url": csl.get("URL"),
        "sha256": record.sha256,
        "csl": dict(csl),
    }


def _full_name(name: Mapping[str, Any]) -> str:
    return str(name.get("literal") or " ".join(filter(None, (name.get("given"), name.get("family")))))


def _fields(record: records.Mention) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).__dataclass_fields__}
