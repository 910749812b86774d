"""Records -> wire models. Names and offsets only change their dress here; nothing is computed that the engine should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote as url_quote

from eunato_rag import records
from eunato_rag.citing.formats import short_reference
from eunato_rag.citing.references import NoteView, coverage
from eunato_rag.citing.selectors import selectors
from eunato_rag.engine import Engine
from eunato_rag.indexing import catalogue
from eunato_rag.indexing.keywords import matching_spans
from eunato_rag.serving.http import schemas


def locator(record: records.Locator) -> schemas.Locator:
    page = schemas.Page(number=record.page.number, label=record.page.label) if record.page else None
    return schemas.Locator(start=record.start, end=record.end, page=page, headings=list(record.headings), paragraph=record.paragraph)


def document(record: records.Document) -> schemas.Document:
    return schemas.Document(**_document_fields(record))


def full_document(record: records.Document, snapshot: str) -> schemas.FullDocument:
    return schemas.FullDocument(
        **_document_fields(record),
        length=len(record.text),
        outline=[
            schemas.OutlineEntry(title=record.text[b.start : b.end], level=b.level, start=b.start, end=b.end)
            for b in record.blocks
            if b.kind == "heading"
        ],
        blocks=[schemas.Block(kind=b.kind, start=b.start, end=b.end, level=b.level, matter=b.matter) for b in record.blocks],
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


def footnotes(engine: Engine, document_id: str) -> schemas.Footnotes:
    views = engine.footnotes(document_id)
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


def place_url(document_id: str, start: int, end: int) -> str:
    """The service's own page of a document, opened at a range of its canonical text."""
    return f"/documents/{url_quote(document_id)}?start={start}&end={end}"


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
        url=place_url(source.id, start, end),
        reference=short_reference(source.work, record.locator),
    )


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


def _document_fields(record: records.Document) -> dict[str, Any]:
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
