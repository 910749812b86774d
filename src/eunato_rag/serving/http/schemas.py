"""Wire models: what goes out over HTTP and of `--json`. The shapes are a contract; fields are only added.

Left out: what comes in (requests.py), and how these are made from records (render.py).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from eunato_rag import records


class Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Span(Wire):
    start: int
    end: int


class Page(Wire):
    number: int
    label: str | None


class Locator(Wire):
    """A place in the canonical text of a document; ends are exclusive, offsets are Unicode code points."""

    start: int
    end: int
    page: Page | None
    headings: list[str]
    paragraph: int | None


class NoteRef(Wire):
    """A note whose marker stands in a passage or quotation, with the work that it cites where that is known."""

    number: int
    text: str
    work: dict[str, Any] | None = None


class Passage(Wire):
    id: str
    document_id: str
    text: str
    locator: Locator
    footnotes: list[NoteRef]


class Document(Wire):
    id: str
    source: str
    title: str
    authors: list[str]
    publisher: str | None
    issued: str | None
    url: str | None
    sha256: str
    csl: dict[str, Any]


class Hit(Wire):
    rank: int
    score: float
    parts: dict[str, float]
    passage: Passage
    document: Document
    highlights: list[Span]


class Search(Wire):
    query: str
    hits: list[Hit]
    snapshot: str
    took_ms: float


class Verification(Wire):
    status: Literal["exact"]


class Citation(Wire):
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
    original_url: str | None
    reference: str


class Answer(Wire):
    question: str
    standalone_question: str
    status: Literal["answered", "abstained"]
    answer: str
    citations: list[Citation]
    hits: list[Hit]
    nearest: list[Hit]
    reason: str | None
    model: dict[str, Any] | None
    confidence: float
    notice: str | None
    snapshot: str
    took_ms: float


class Edit(Wire):
    """One difference, both sides verbatim; spans are of the quotation as given and of the document's canonical text."""

    kind: records.EditKind
    yours: str
    source: str
    yours_span: Span
    source_span: Span


class QuoteMatch(Wire):
    """A place that a quotation, or the part of it in `covers`, comes from; with what is needed to find it again."""

    status: Literal["exact", "normalized", "altered"]
    document: Document
    passage_id: str
    quote: str
    locator: Locator
    covers: Span
    edits: list[Edit]
    selectors: list[dict[str, Any]]
    footnotes: list[NoteRef]
    url: str
    original_url: str | None
    reference: str


class Quote(Wire):
    quote: str
    status: records.QuotationStatus
    matches: list[QuoteMatch]
    stitched: bool
    reason: str | None
    snapshot: str
    took_ms: float


class DraftQuotation(Wire):
    """A quotation inside a draft: its range, quotation marks aside, and where it comes from."""

    start: int
    end: int
    quote: str
    status: records.QuotationStatus
    matches: list[QuoteMatch]
    stitched: bool
    reason: str | None


class DraftSentence(Wire):
    start: int
    end: int
    text: str
    label: records.Label
    evidence: list[Citation]
    why: str
    quotations: list[DraftQuotation]


class Draft(Wire):
    """A checked draft. Sentences that claim nothing about the subject are not in it, only counted.

    `annotated` is base64 where `format` is docx.
    """

    format: Literal["text", "markdown", "docx"]
    sentences: list[DraftSentence]
    annotated: str
    bibliography: list[dict[str, Any]]
    counts: dict[str, int]
    snapshot: str
    took_ms: float


class Reference(Wire):
    """A reference to a work in one style.

    `citation` is what stands in the text or its notes, with the place: a full note in Chicago, the brackets in APA, a
    cite in CSL-JSON, "" in the others. `pinpoint` is the place alone, "" where a whole work was asked for.
    """

    id: str
    document_id: str | None
    reference: str
    citation: str
    pinpoint: str
    csl: dict[str, Any]


class References(Wire):
    style: str
    references: list[Reference]
    text: str
    snapshot: str


class Recheck(Wire):
    """What became of a saved citation; `pointer` says where it stands in what was sent (RFC 6901)."""

    pointer: str
    number: int | None
    status: Literal["unchanged", "moved", "altered", "gone"]
    why: str
    quote: str
    document_id: str
    found: QuoteMatch | None


class Verified(Wire):
    """`holds` says that every citation is unchanged or moved: what was saved can be printed as it is."""

    holds: bool
    counts: dict[str, int]
    citations: list[Recheck]
    snapshot: str
    took_ms: float


class OutlineEntry(Wire):
    title: str
    level: int
    start: int
    end: int


class Block(Wire):
    kind: str
    start: int
    end: int
    level: int
    matter: str


class Change(Wire):
    kind: str
    detail: str
    lines: list[int] | None
    removed: str


class FullDocument(Document):
    length: int
    outline: list[OutlineEntry]
    blocks: list[Block]
    pages: list[dict[str, Any]]
    report: list[Change]
    snapshot: str


class Documents(Wire):
    documents: list[Document]
    next_cursor: str | None
    snapshot: str


class Text(Wire):
    document_id: str
    start: int
    end: int
    text: str
    snapshot: str


class Anchor(Wire):
    offset: int
    sentence: str
    start: int
    end: int


class Footnote(Wire):
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


class Footnotes(Wire):
    document_id: str
    footnotes: list[Footnote]
    coverage: dict[str, int]
    snapshot: str


class PassageView(Passage):
    document: Document
    snapshot: str


class Mention(Wire):
    by: str
    note: int | None
    as_printed: str
    target: str | None
    where: str | None
    problems: list[str]


class Work(Wire):
    id: str
    csl: dict[str, Any]
    state: Literal["present", "missing", "failed"]
    file: str | None
    format: str | None
    rights: str | None
    unverified: list[str]
    cited: list[Mention]


class Works(Wire):
    works: list[Work]
    snapshot: str


class Progress(Wire):
    stage: str
    done: int
    total: int


class Job(Wire):
    """A job on the index; times are UTC. `report` names every document, once the job has succeeded."""

    id: str
    kind: Literal["reindex", "add", "remove"]
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: Progress
    report: dict[str, Any] | None
    snapshot: str | None
    error: str | None
    created: str
    started: str | None
    finished: str | None


class Jobs(Wire):
    jobs: list[Job]


class Kept(Wire):
    """A snapshot in the index folder; `fault` says why it cannot be used, where it cannot."""

    id: str
    current: bool
    created: str | None
    documents: int | None
    passages: int | None
    bytes: int
    fault: str | None


class Snapshots(Wire):
    snapshots: list[Kept]
