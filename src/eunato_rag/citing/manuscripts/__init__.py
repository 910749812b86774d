"""A writer's draft as a file: its sentences and quotations, and the same draft with notes and a bibliography.

Plain text, Markdown and DOCX. Left out: what a sentence claims, and how a reference is printed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from eunato_rag import encodings
from eunato_rag.citing.manuscripts import docx, docx_notes, markdown, markdown_notes, text
from eunato_rag.citing.manuscripts.formats import checked_text, detected, format_of, looks_like_markdown
from eunato_rag.citing.manuscripts.insertions import Placed
from eunato_rag.citing.manuscripts.prose import Prose
from eunato_rag.citing.manuscripts.records import Format, Manuscript, Note, Quoted, Sentence
from eunato_rag.citing.manuscripts.sections import sentences_and_quotations, writers_prose
from eunato_rag.errors import InvalidText, UnreadableDocument

__all__ = ["Format", "Manuscript", "Note", "Quoted", "Sentence", "annotate", "as_bytes", "format_of", "read_manuscript"]

MOST_BYTES = 10 * 1024 * 1024
"""In a file, pictures and all."""

MOST_CHARACTERS = 300_000
MOST_SENTENCES = 2_000
HEADING = "Bibliography"


def read_manuscript(data: str | bytes, format: Format | None = None, name: str | None = None) -> Manuscript:
    """The sentences and quotations of a draft, given as text or as the bytes of a file.

    Without a format it is told by what the bytes begin with, by the name's suffix, and by signs of Markdown in the text.
    Text in bytes may have any encoding; a byte order mark is no part of it.

    Raises:
        InvalidText: empty, too long, no text, damaged, protected, or a file of another kind; says which and what to do.
    """
    called = name or "The draft"
    if isinstance(data, str):
        _check_length(data, called)
    elif len(data) > MOST_BYTES:
        raise _too_long(called, f"{len(data):,} bytes")
    try:
        kind = detected(data, format, name)
        if kind == "docx":
            assert isinstance(data, bytes)
            draft, found, encoding = *docx.read(data, called), ""
        else:
            read = encodings.Decoded(data, "utf-8") if isinstance(data, str) else encodings.decode(data, called)
            draft, encoding = checked_text(read.text, called), read.encoding
            kind = kind or ("markdown" if looks_like_markdown(draft) else "text")
            found = list((markdown if kind == "markdown" else text).blocks(draft))
    except UnreadableDocument as error:
        raise InvalidText(str(error)) from error
    _check_length(draft, called)
    prose = writers_prose(found)
    sentences, quotations = sentences_and_quotations(prose, draft)
    if not sentences:
        raise InvalidText(f"{called} holds no sentence: nothing but headings, notes, code or tables. Check that it is the right file.")
    if len(sentences) > MOST_SENTENCES:
        raise _too_long(called, f"{len(sentences):,} sentences")
    return Manuscript(kind, draft, sentences, quotations, encoding, data if isinstance(data, bytes) else b"", tuple(prose))


def _check_length(text: str, name: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise _too_long(name, f"{len(text):,} characters")


def _too_long(name: str, size: str) -> InvalidText:
    most = f"{MOST_BYTES // 1024 // 1024} MiB, {MOST_CHARACTERS:,} characters and {MOST_SENTENCES:,} sentences"
    return InvalidText(f"{name} has {size}; at most {most} are read at once. Give one chapter at a time.")


def annotate(manuscript: Manuscript, notes: Sequence[Note], bibliography: Sequence[str] = (), heading: str = HEADING) -> str | bytes:
    """The draft with notes behind their places and a bibliography under a heading at its end: bytes for DOCX, else text.

    Nothing that the writer wrote is changed or moved. Notes are numbered in the order of their places, those of one place in
    the order given, behind the writer's own. Entries of the bibliography have the markup of notes.

    Raises:
        ValueError: a note that stands in none of the draft's sentences.
    """
    placed = sorted((_placed(manuscript, note) for note in notes), key=lambda note: note.place)
    if manuscript.format == "docx":
        return docx_notes.annotated(manuscript.source, placed, bibliography, heading)
    if manuscript.format == "markdown":
        return markdown_notes.annotated(manuscript.text, manuscript.prose, placed, bibliography, heading)
    return text.annotated(manuscript.text, placed, bibliography, heading)


def as_bytes(manuscript: Manuscript, annotated: str | bytes) -> bytes:
    """An annotated draft as a file, in the draft's own encoding where that has all the letters of the notes, else UTF-8."""
    if isinstance(annotated, bytes):
        return annotated
    try:
        return annotated.encode(manuscript.encoding)
    except UnicodeEncodeError:
        return annotated.encode("utf-8")


def _placed(manuscript: Manuscript, note: Note) -> Placed:
    """Where the marker goes: behind the word, mark of punctuation or link at its offset, never behind a space."""
    block = bisect_left(manuscript.prose, note.after, key=lambda prose: prose.extent[0]) - 1
    prose = manuscript.prose[block] if block >= 0 else None
    if prose is None or note.after > _end(prose, manuscript.text):
        raise ValueError(f"offset {note.after} lies in none of the draft's sentences")
    place = prose.place(note.after)
    while manuscript.text[place - 1].isspace():
        place -= 1
    return Placed(max(place, prose.extent[0] + 1), block, note.text)


def _end(prose: Prose, draft: str) -> int:
    return prose.place(prose.span(0, len(prose.text), draft)[1])
