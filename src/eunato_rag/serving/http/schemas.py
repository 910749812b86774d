"""Wire models: what goes over HTTP and out of `--json`, made from records. The shapes are a contract; fields are only added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote as url_quote

from pydantic import BaseModel, ConfigDict, Field

from eunato_rag import records
from eunato_rag.citing.formats import short_reference
from eunato_rag.citing.references import NoteView, coverage
from eunato_rag.citing.selectors import selectors
from eunato_rag.engine import Engine
from eunato_rag.indexing import catalogue
from eunato_rag.indexing.keywords import matching_spans


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Span(_Wire):
    start: int
    end: int


class Page(_Wire):
    number: int
    label: str | None


class Locator(_Wire):
    """A place in the canonical text of a document; ends are exclusive, offsets are Unicode code points."""

    start: int
    end: int
    page: Page | None
    headings: list[str]
    paragraph: int | None


class NoteRef(_Wire):
    """A note whose marker stands in a passage or quotation, with the work that it cites where that is known."""

    number: int
    text: str
    work: dict[str, Any] | None = None


class Passage(_Wire):
    id: str
    document_id: str
    text: str
    locator: Locator
    footnotes: list[NoteRef]


class Document(_Wire):
    id: str
    source: str
    title: str
    authors: list[str]
    publisher: str | None
    issued: str | None
    url: str | None
    csl: dict[str, Any]


class Hit(_Wire):
    rank: int
    score: float
    parts: dict[str, float]
    passage: Passage
    document: Document
    highlights: list[Span]


class Search(_Wire):
    query: str
    hits: list[Hit]
    snapshot: str
    took_ms: float


class Verification(_Wire):
    status: Literal["exact"]


class Citation(_Wire):
    number: int
    answer_span: Span
    quote: str
    locator: Locator
    passage_id: str
    document: Document
    verification: Verification
    selectors: list[dict[str, Any]]
    footnotes: list[NoteRef]
    url: str
    reference: str


class Answer(_Wire):
    question: str
    standalone_question: str
    status: Literal["answered", "abstained"]
    answer: str
    citations: list[Citation]
    hits: list[Hit]
    nearest: list[Hit]
    reason: str | None
    model: dict[str, Any] | None
    snapshot: str
    took_ms: float


class OutlineEntry(_Wire):
    title: str
    level: int
    start: int
    end: int


class Block(_Wire):
    kind: str
    start: int
    end: int
    level: int
    matter: str


class Change(_Wire):
    kind: str
    detail: str
    lines: list[int] | None
    removed: str


class FullDocument(Document):
    sha256: str
    length: int
    outline: list[OutlineEntry]
    blocks: list[Block]
    pages: list[dict[str, Any]]
    report: list[Change]
    snapshot: str


class Documents(_Wire):
    documents: list[Document]
    next_cursor: str | None
    snapshot: str


class Text(_Wire):
    document_id: str
    start: int
    end: int
    text: str
    snapshot: str


class Anchor(_Wire):
    offset: int
    sentence: str
    start: int
    end: int


class Footnote(_Wire):
    number: int
    text: str
    start: int
    end: int
    anchors: list[Anchor]
    work: dict[str, Any] | None
    cites_document_id: str | None
    same_as: int | None
    problems: list[str]
    support: list[Hit]


class Footnotes(_Wire):
    document_id: str
    footnotes: list[Footnote]
    coverage: dict[str, int]
    snapshot: str


class PassageView(Passage):
    document: Document
    snapshot: str


class Mention(_Wire):
    by: str
    note: int | None
    as_printed: str
    target: str | None
    where: str | None
    problems: list[str]


class Work(_Wire):
    id: str
    csl: dict[str, Any]
    state: Literal["present", "missing", "failed"]
    file: str | None
    format: str | None
    rights: str | None
    unverified: list[str]
    cited: list[Mention]


class Works(_Wire):
    works: list[Work]
    snapshot: str


class Filter(_Wire):
    """Which documents to search; dates as YYYY, YYYY-MM or YYYY-MM-DD."""

    document_id: str | None = None
    publisher: str | None = None
    issued_from: str | None = Field(None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    issued_to: str | None = Field(None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    language: str | None = None

    def record(self) -> catalogue.Filter:
        return catalogue.Filter(**self.model_dump())


class SearchRequest(_Wire):
    query: str = Field(examples=["military mobility"])
    top_k: int = Field(10, ge=1, le=100)
    filter: Filter = Filter()


class AskRequest(_Wire):
    question: str = Field(examples=["Why did Pooling and Sharing fail?"])
    top_k: int = Field(10, ge=1, le=100)
    filter: Filter = Filter()


def locator(record: records.Locator) -> Locator:
    page = Page(number=record.page.number, label=record.page.label) if record.page else None
    return Locator(start=record.start, end=record.end, page=page, headings=list(record.headings), paragraph=record.paragraph)


def document(record: records.Document) -> Document:
    return Document(**_document_fields(record))


def full_document(record: records.Document, snapshot: str) -> FullDocument:
    return FullDocument(
        **_document_fields(record),
        sha256=record.sha256,
        length=len(record.text),
        outline=[
            OutlineEntry(title=record.text[b.start : b.end], level=b.level, start=b.start, end=b.end)
            for b in record.blocks
            if b.kind == "heading"
        ],
        blocks=[Block(kind=b.kind, start=b.start, end=b.end, level=b.level, matter=b.matter) for b in record.blocks],
        pages=[{"number": p.page.number, "label": p.page.label, "start": p.start, "end": p.end} for p in record.pages],
        report=[Change(kind=c.kind, detail=c.detail, lines=list(c.lines) if c.lines else None, removed=c.removed) for c in record.report],
        snapshot=snapshot,
    )


def passage(engine: Engine, record: records.Passage) -> Passage:
    place = record.locator
    return Passage(
        id=record.id,
        document_id=record.document_id,
        text=record.text,
        locator=locator(place),
        footnotes=_notes(engine, record.document_id, place.start, place.end),
    )


def hit(engine: Engine, record: records.Hit, query: str) -> Hit:
    start = record.passage.locator.start
    return Hit(
        rank=record.rank,
        score=record.score,
        parts=dict(record.parts),
        passage=passage(engine, record.passage),
        document=document(engine.document(record.passage.document_id)),
        highlights=[Span(start=start + a, end=start + b) for a, b in matching_spans(query, record.passage.text)],
    )


def search(engine: Engine, query: str, hits: tuple[records.Hit, ...], took_ms: float) -> Search:
    return Search(query=query, hits=[hit(engine, h, query) for h in hits], snapshot=engine.snapshot.id, took_ms=took_ms)


def answer(engine: Engine, record: records.Answer, took_ms: float) -> Answer:
    return Answer(
        question=record.question,
        standalone_question=record.question,
        status=record.status,
        answer=record.text,
        citations=[_citation(engine, c) for c in record.citations],
        hits=[hit(engine, h, record.question) for h in record.hits],
        nearest=[hit(engine, h, record.question) for h in record.nearest],
        reason=record.reason,
        model=None,
        snapshot=record.snapshot,
        took_ms=took_ms,
    )


def footnotes(engine: Engine, document_id: str) -> Footnotes:
    views = engine.footnotes(document_id)
    text = engine.document(document_id).text
    return Footnotes(
        document_id=document_id,
        footnotes=[_footnote(view, text, document_id) for view in views],
        coverage=coverage(views),
        snapshot=engine.snapshot.id,
    )


def work(record: records.Work, present: bool) -> Work:
    return Work(
        id=record.id,
        csl=dict(record.csl),
        state="present" if present else "failed" if record.file else "missing",
        file=record.file,
        format=record.format,
        rights=record.rights,
        unverified=list(record.unverified),
        cited=[Mention(**{**_fields(m), "problems": list(m.problems)}) for m in record.mentions],
    )


def place_url(document_id: str, start: int, end: int) -> str:
    """The service's own page of a document, opened at a range of its canonical text."""
    return f"/documents/{url_quote(document_id)}?start={start}&end={end}"


def _citation(engine: Engine, record: records.Citation) -> Citation:
    source = engine.document(record.passage.document_id)
    start, end = record.locator.start, record.locator.end
    return Citation(
        number=record.number,
        answer_span=Span(start=record.answer_span[0], end=record.answer_span[1]),
        quote=record.quote,
        locator=locator(record.locator),
        passage_id=record.passage.id,
        document=document(source),
        verification=Verification(status=record.verification),
        selectors=selectors(source, start, end),
        footnotes=_notes(engine, source.id, start, end),
        url=place_url(source.id, start, end),
        reference=short_reference(source.work, record.locator),
    )


def _notes(engine: Engine, document_id: str, start: int, end: int) -> list[NoteRef]:
    source = engine.document(document_id)
    found = []
    for note in source.footnotes_in(start, end):
        cited = engine.work(note.work) if note.work else None
        found.append(NoteRef(number=note.number, text=source.text[note.start : note.end], work=dict(cited.csl) if cited else None))
    return found


def _footnote(view: NoteView, text: str, document_id: str) -> Footnote:
    mentions = view.work.mentions if view.work else ()
    return Footnote(
        number=view.number,
        text=view.text,
        start=view.start,
        end=view.end,
        anchors=[Anchor(offset=at, sentence=text[start:end], start=start, end=end) for at, start, end in view.anchors],
        work=dict(view.work.csl) if view.work else None,
        cites_document_id=view.document_id,
        same_as=view.same_as,
        problems=[p for m in mentions if m.by == document_id and m.note == view.number for p in m.problems],
        support=[],
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
        "csl": dict(csl),
    }


def _full_name(name: Mapping[str, Any]) -> str:
    return str(name.get("literal") or " ".join(filter(None, (name.get("given"), name.get("family")))))


def _fields(record: records.Mention) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).__dataclass_fields__}
