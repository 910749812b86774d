"""Wire models: what goes over HTTP and out of `--json`. The shapes are a contract; fields are only added.

Left out: how they are made from records (render.py).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from eunato_rag import records
from eunato_rag.indexing import catalogue

_SNAPSHOT = "id of an older snapshot to ask, as an answer names it; the current one if left out"


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
    sha256: str
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
    original_url: str | None
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
    confidence: float
    notice: str | None
    snapshot: str
    took_ms: float


class Edit(_Wire):
    """One difference, both sides verbatim; spans are of the quotation as given and of the document's canonical text."""

    kind: records.EditKind
    yours: str
    source: str
    yours_span: Span
    source_span: Span


class QuoteMatch(_Wire):
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


class Quote(_Wire):
    quote: str
    status: records.QuotationStatus
    matches: list[QuoteMatch]
    stitched: bool
    reason: str | None
    snapshot: str
    took_ms: float


class DraftQuotation(_Wire):
    """A quotation inside a draft: its range, quotation marks aside, and where it comes from."""

    start: int
    end: int
    quote: str
    status: records.QuotationStatus
    matches: list[QuoteMatch]
    stitched: bool
    reason: str | None


class DraftSentence(_Wire):
    start: int
    end: int
    text: str
    label: records.Label
    evidence: list[Citation]
    why: str
    quotations: list[DraftQuotation]


class Draft(_Wire):
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


class Reference(_Wire):
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


class References(_Wire):
    style: str
    references: list[Reference]
    text: str
    snapshot: str


class Recheck(_Wire):
    """What became of a saved citation; `pointer` says where it stands in what was sent (RFC 6901)."""

    pointer: str
    number: int | None
    status: Literal["unchanged", "moved", "altered", "gone"]
    why: str
    quote: str
    document_id: str
    found: QuoteMatch | None


class Verified(_Wire):
    """`holds` says that every citation is unchanged or moved: what was saved can be printed as it is."""

    holds: bool
    counts: dict[str, int]
    citations: list[Recheck]
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
    snapshot: str | None = Field(None, description=_SNAPSHOT)


class Turn(_Wire):
    """One turn of a conversation, as a person or the service said it."""

    role: records.Role
    content: str

    def record(self) -> records.Turn:
        return records.Turn(self.role, self.content)


class AskRequest(_Wire):
    """A question, and what was said before it, oldest turn first.

    At most 50 turns; a user's has at most 4,000 characters, an assistant's 32,000. The last few decide what a question
    like "And in 2018?" means; a question that stands alone takes nothing from them.
    """

    question: str = Field(examples=["Why did Pooling and Sharing fail?"])
    history: list[Turn] = []
    top_k: int = Field(10, ge=1, le=100)
    filter: Filter = Filter()
    snapshot: str | None = Field(None, description=_SNAPSHOT)

    def turns(self) -> tuple[records.Turn, ...]:
        return tuple(turn.record() for turn in self.history)


class Progress(_Wire):
    stage: str
    done: int
    total: int


class Job(_Wire):
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


class Jobs(_Wire):
    jobs: list[Job]


class JobRequest(_Wire):
    """What to do: re-index, with `full` without the vectors that are cached."""

    kind: Literal["reindex"] = "reindex"
    full: bool = False


class Kept(_Wire):
    """A snapshot in the index folder; `fault` says why it cannot be used, where it cannot."""

    id: str
    current: bool
    created: str | None
    documents: int | None
    passages: int | None
    bytes: int
    fault: str | None


class Snapshots(_Wire):
    snapshots: list[Kept]


class QuoteRequest(_Wire):
    """A quotation, with or without its quotation marks; ellipses and brackets are read as a writer means them."""

    quote: str = Field(examples=["the EU … should work alongside [the Alliance]"])
    filter: Filter = Filter()
    snapshot: str | None = Field(None, description=_SNAPSHOT)


class DraftRequest(_Wire):
    """A draft as text or Markdown, or a DOCX file in base64. Without a format, text."""

    text: str = Field(examples=["The Pooling and Sharing concept was adopted in 2012."])
    format: Literal["text", "markdown", "docx"] = "text"
    snapshot: str | None = Field(None, description=_SNAPSHOT)


class Place(_Wire):
    """A range of a document's canonical text."""

    document_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class ReferencesRequest(_Wire):
    """What to cite: passages (with their place), documents or works by id, places by range; in the order wanted."""

    ids: list[str] = Field([], examples=[["mangiameli-2025"]], max_length=500)
    places: list[Place] = Field([], max_length=500)
    style: str = Field("chicago", description="csl-json, bibtex, ris, apa or chicago")
    snapshot: str | None = Field(None, description=_SNAPSHOT)
