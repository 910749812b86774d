"""The records that cross borders: frozen, slotted, standard library only, but for how places are looked up (places).

Every position is an offset in Unicode code points of one document's canonical text, ends exclusive.
What a record says about a place can therefore be checked by slicing: `document.text[start:end]`.
Left out: how records are made (ingestion), stored (indexing) and shown (serving).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Literal, TypeVar

from eunato_rag.places import Notes, Rows, Sections

BlockKind = Literal["heading", "paragraph", "list_item", "table", "note", "caption"]
Matter = Literal["front", "body", "back"]
AnswerStatus = Literal["answered", "abstained"]
Role = Literal["user", "assistant"]
QuotationStatus = Literal["exact", "normalized", "altered", "absent"]
EditKind = Literal["number", "date", "negation", "modal", "name", "insertion", "deletion", "wording"]
Label = Literal["supported", "contradicted", "not_found"]
_COUNTED: frozenset[BlockKind] = frozenset({"paragraph", "list_item"})
Made = TypeVar("Made")

CslRecord = Mapping[str, Any]
"""A bibliographic record in the shape of CSL-JSON 1.0.2, with its `id`."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the source: its physical number from 1, and the label printed on it where the file has labels."""

    number: int
    label: str | None = None


@dataclass(frozen=True, slots=True)
class PageSpan:
    """The range of canonical text that stands on one page."""

    start: int
    end: int
    page: Page


@dataclass(frozen=True, slots=True)
class Locator:
    """The pointer to a place in a document.

    `headings` are the section titles above the place, outermost first, without the document's own title.
    `paragraph` counts the paragraphs and list items of the innermost section from 1; `page` and `paragraph`
    are None where the source has none. Neither is ever guessed.
    """

    start: int
    end: int
    page: Page | None = None
    headings: tuple[str, ...] = ()
    paragraph: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A structural unit that a reader found.

    `level` is the depth of a heading (0 for the document's title, 1 for a section) or of a list item (1 outermost).
    `matter` tells the text itself from what surrounds it: title page, disclaimer, contents, imprint.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    matter: Matter = "body"


@dataclass(frozen=True, slots=True)
class Link:
    """A range of canonical text that the source links to `target`, as the source writes the target."""

    start: int
    end: int
    target: str


@dataclass(frozen=True, slots=True)
class Footnote:
    """A note: the offsets at which its markers stood, the range of its own text, the id of the work it cites.

    A marker is lifted out of the prose; its anchor is the offset just behind the word or mark it was glued to,
    so it belongs to the sentence with `start < anchor <= end`.
    """

    number: int
    anchors: tuple[int, ...]
    start: int
    end: int
    work: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a document cites a work: the note's number, the note as printed, and what is wrong with it."""

    by: str
    note: int | None
    as_printed: str
    target: str | None = None
    where: str | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """The bibliographic record of something that can be cited, whether or not it is in the corpus.

    `file` is its path below the corpus folder where it is present; `unverified` names fields that nobody could check.
    """

    id: str
    csl: CslRecord
    file: str | None = None
    format: str | None = None
    rights: str | None = None
    alternates: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a reader changed, left out or could not read on the way to the canonical text.

    `lines` are the first and last line of the source, counted from 1. `removed` is the text of the source
    that the canonical text no longer holds, verbatim; empty where nothing was lost.
    """

    kind: str
    detail: str
    lines: tuple[int, int] | None = None
    removed: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One source and its canonical text; everything else about it is a range of that text."""

    id: str
    source: str
    sha256: str
    work: CslRecord
    text: str
    blocks: tuple[Block, ...] = ()
    pages: tuple[PageSpan, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    links: tuple[Link, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    report: tuple[Change, ...] = ()
    _made: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def title(self) -> str:
        return str(self.work.get("title") or self.source)

    def once(self, make: Callable[[Document], Made]) -> Made:
        """What a function makes of the document, made when it is first wanted, and kept with the document."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made

    def block_at(self, offset: int) -> Block | None:
        """The block that holds the offset, or None between two blocks."""
        index = bisect_right(self.blocks, offset, key=lambda block: block.start) - 1
        return self.blocks[index] if index >= 0 and offset < self.blocks[index].end else None

    def blocks_in(self, start: int, end: int) -> tuple[Block, ...]:
        """The blocks that share something with a range, in order."""
        first = bisect_right(self.blocks, start, key=lambda block: block.end)
        return self.blocks[first : bisect_left(self.blocks, end, key=lambda block: block.start)]

    def locate(self, start: int, end: int) -> Locator:
        """The page, section and paragraph at `start`, looked up there and never copied along.

        A place inside a note is given the section of the note's first marker, because notes stand behind the prose.
        """
        turn = bisect_right(self.pages, start, key=lambda span: span.start) - 1
        page = self.pages[turn].page if turn >= 0 else None
        place = start
        note = self._note_at(start)
        if note is not None:
            if not note.anchors:
                return Locator(start, end, page)
            place = max(0, note.anchors[0] - 1)
        index = bisect_right(self.blocks, place, key=lambda block: block.start) - 1
        sections = self.once(_sections)
        headings = (self.blocks[heading] for heading in sections.headings(index))
        counted = index >= 0 and self.blocks[index].kind in _COUNTED
        return Locator(
            start,
            end,
            page,
            tuple(self.text[heading.start : heading.end] for heading in headings),
            sections.paragraph(index) if counted else None,
        )

    def _note_at(self, offset: int) -> Footnote | None:
        block = self.block_at(offset)
        if block is None or block.kind != "note":
            return None
        return next((self.footnotes[note] for note in self.once(_notes).touching(offset, offset + 1)), None)

    def table_head(self, start: int) -> tuple[tuple[int, int], ...]:
        """What a row of a table needs to be understood, as ranges in order.

        The table's caption and the headings between the two, its first row, and the last row of a single cell above,
        which heads a part of it. Empty where `start` lies in no table.
        """
        index = bisect_right(self.blocks, start, key=lambda block: block.start) - 1
        if index < 0 or self.blocks[index].kind != "table" or start >= self.blocks[index].end:
            return ()
        table = self.blocks[index]
        near = list(takewhile(lambda block: block.kind in ("caption", "heading"), reversed(self.blocks[max(0, index - 3) : index])))
        captions = [n for n, block in enumerate(near) if block.kind == "caption"]
        spans = [(block.start, block.end) for block in reversed(near[: captions[-1] + 1] if captions else near[:1])]
        return tuple(dict.fromkeys([*spans, *self.once(_tables)[table.start].above(start)]))

    def context(self, start: int) -> tuple[str, ...]:
        """What a place leaves out of what it is about: the title, the headings above it, the head of its table."""
        table = (self.text[a:b] for a, b in self.table_head(start))
        return (self.title, *self.locate(start, start).headings, *table)

    def sentences_in(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The sentences that lie wholly inside a range, in order."""
        index = bisect_left(self.sentences, start, key=lambda span: span[0])
        while index < len(self.sentences) and self.sentences[index][0] < end:
            if self.sentences[index][1] <= end:
                yield self.sentences[index]
            index += 1

    def footnotes_in(self, start: int, end: int) -> tuple[Footnote, ...]:
        """The notes whose markers stand in a range of the prose, and the note whose own text it is."""
        notes = self.once(_notes)
        return tuple(self.footnotes[note] for note in sorted({*notes.marked_in(start, end), *notes.touching(start, end)}))

    def sentence_at(self, anchor: int) -> tuple[int, int] | None:
        """The sentence that a marker stands at: the one that its anchor ends or lies in."""
        index = bisect_left(self.sentences, anchor, key=lambda span: span[0]) - 1
        return self.sentences[index] if index >= 0 and anchor <= self.sentences[index][1] else None


def _sections(document: Document) -> Sections:
    levels = [block.level if block.kind == "heading" else None for block in document.blocks]
    return Sections(levels, [block.kind in _COUNTED for block in document.blocks])


def _notes(document: Document) -> Notes:
    return Notes([(note.start, note.end) for note in document.footnotes], [note.anchors for note in document.footnotes])


def _tables(document: Document) -> dict[int, Rows]:
    """By where each begins."""
    tables = {}
    for block in document.blocks:
        if block.kind == "table":
            rows = list(document.sentences_in(block.start, block.end))
            tables[block.start] = Rows(rows, ["|" not in document.text[start:end] for start, end in rows])
    return tables


@dataclass(frozen=True, slots=True)
class Passage:
    """The retrievable unit: a slice of its document, `text == document.text[locator.start:locator.end]`.

    The id derives from the document's id, the range and the words, so that an unchanged document keeps its ids
    through any rebuild and the id says nothing about the order of files.
    """

    id: str
    document_id: str
    text: str
    locator: Locator
    matter: Matter = "body"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage ranked for one query: rank from 1, higher score is better, ties by id.

    `score` is in 0..1; `parts` are the raw scores that made it (`dense` is a cosine, `bm25` is unbounded).
    """

    passage: Passage
    rank: int
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Citation:
    """A verified link from a span of the answer to a quotation.

    `answer_span` is a range of `Answer.text`; `quote == document.text[locator.start:locator.end]`.
    """

    number: int
    answer_span: tuple[int, int]
    passage: Passage
    quote: str
    locator: Locator
    verification: Literal["exact"] = "exact"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation, as a person or the service said it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service says to a question, with its proof; an abstention has no citations and a `reason`.

    `standalone_question` is what was searched for: the question itself, or what it means after its conversation.
    `model` names the language model that wrote the text; None where the text is made of sentences of the corpus.
    `notice` tells a reader what went otherwise than it should, where that changed what is shown.
    `confidence`, in 0..1, says how surely the evidence answers; it is given of abstentions too, and orders answers.
    """

    question: str
    standalone_question: str
    status: AnswerStatus
    text: str
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    snapshot: str
    nearest: tuple[Hit, ...] = ()
    reason: str | None = None
    model: Mapping[str, Any] | None = None
    confidence: float = 0.0
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One difference between a quotation and its source, both verbatim; "" where one side has nothing.

    `yours_span` is a range of the quotation as it was given, `source_span` one of the document's canonical text; an
    empty range says where the other side's words would stand.
    """

    kind: EditKind
    yours: str
    source: str
    yours_span: tuple[int, int]
    source_span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class QuotationMatch:
    """A place that a quotation, or the part of it in `covers`, comes from: `quote == document.text[locator.start:locator.end]`.

    `passage` holds the start of the place. `status` is never `absent`; `edits` are in order, and there are some where
    and only where it is `altered`.
    """

    status: QuotationStatus
    passage: Passage
    quote: str
    locator: Locator
    covers: tuple[int, int]
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quotation as it was given, and where it comes from: best match first, of equals the first of the corpus.

    `stitched` says that its parts come from different places, one match or more each; it is then `altered` at best.
    `reason` says in a sentence why nothing was found, or what is odd.
    """

    quote: str
    status: QuotationStatus
    matches: tuple[QuotationMatch, ...] = ()
    stitched: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DraftQuotation:
    """A quotation inside a draft, at a range of the draft's text, quotation marks aside."""

    start: int
    end: int
    found: Quotation


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence of a draft that claims something: `start` and `end` are a range of the draft's text.

    The evidence is what the label rests on; its citations have the number of the sentence's note and its range.
    `why` says in a sentence which number, date, name or word disagrees or is missing.
    """

    start: int
    end: int
    text: str
    label: Label
    evidence: tuple[Citation, ...] = ()
    why: str = ""
    quotations: tuple[DraftQuotation, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was checked, and the same draft with notes inserted, in its own format (bytes for DOCX).

    `left_alone` counts the sentences that claim nothing about the subject; they are not among `sentences`.
    `works` are those that the notes cite, in the order of the bibliography.
    """

    format: Literal["text", "markdown", "docx"]
    sentences: tuple[DraftSentence, ...]
    left_alone: int
    annotated: str | bytes
    works: tuple[CslRecord, ...]
    snapshot: str


@dataclass(frozen=True, slots=True)
class Searched:
    """What was searched for and found; the first event of every answer."""

    query: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """The next words of the answer. They are verified: all of them together are `Answer.text`."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of words that were said."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign of life while something slow goes on."""


@dataclass(frozen=True, slots=True)
class Troubled:
    """What went wrong on the way, for who runs the service; the answer does without."""

    detail: str


@dataclass(frozen=True, slots=True)
class Concluded:
    """The whole answer; the last event."""

    answer: Answer


Event = Searched | Said | Cited | Waiting | Troubled | Concluded
"""What happens while a question is answered, in order."""
