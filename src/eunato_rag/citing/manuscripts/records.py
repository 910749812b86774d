"""A draft as it was read, and what is put into it. Offsets are code points of `Manuscript.text`, ends exclusive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from eunato_rag.citing.manuscripts.prose import Prose

Format = Literal["text", "markdown", "docx"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the draft's own prose.

    `text` is what a reader reads: without emphasis marks, link targets, line breaks and note markers. The range covers
    the source of it, with the marks and note markers that close it, so that a new marker goes to `end`.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quotation in the draft: the range inside its quotation marks, or of one paragraph of a block quotation.

    `text` is what a reader reads there. It begins in sentence number `sentence` (from 0) and ends in `last_sentence`.
    `block` says that it is set off as a block and so has no quotation marks.
    """

    start: int
    end: int
    text: str
    sentence: int
    last_sentence: int
    block: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A note to be inserted: its marker goes behind offset `after`, to the next place at which a marker can stand.

    `text` is a line of Markdown: `*…*` for italics, `<https://…>` for a link (a bare address will do), and a backslash before
    a mark of punctuation that stands for itself. Each format renders it in its own way; plain text drops the markup.
    """

    after: int
    text: str


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A draft: its text, the sentences and quotations of its prose in order, and its source.

    For plain text and Markdown `text` is the source itself, for DOCX its paragraphs, one a line. Headings, code, captions,
    heads of tables, and the writer's own notes and bibliography are in `text` but hold no sentence.
    `encoding` is that of the bytes that plain text or Markdown came in (utf-8 where it came as text).
    """

    format: Format
    text: str
    sentences: tuple[Sentence, ...]
    quotations: tuple[Quoted, ...]
    encoding: str = "utf-8"
    source: bytes = field(default=b"", repr=False)
    prose: tuple[Prose, ...] = field(default=(), repr=False)
