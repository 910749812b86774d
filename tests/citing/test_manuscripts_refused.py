"""Files that are no draft: each is refused with what it is and what to do."""

from __future__ import annotations

import time
from contextlib import suppress

import docx
import pytest

from eunato_rag.citing.manuscripts import Note, annotate, format_of, read_manuscript
from eunato_rag.errors import InvalidText
from tests.citing.word_files import parts_of, repacked, saved, zipped


def word_file(text: str) -> bytes:
    made = docx.Document()
    made.add_paragraph(text)
    return saved(made)


@pytest.mark.parametrize("nothing", ["", "   \n\t ", b"", b" \r\n ", "\ufeff", b"\xef\xbb\xbf", "\u00a0\u2003"])
def test_nothing_is_no_draft(nothing: str | bytes) -> None:
    with pytest.raises(InvalidText, match="empty"):
        read_manuscript(nothing)


@pytest.mark.parametrize("format", ["text", "markdown", "docx"])
def test_nothing_is_no_draft_in_any_format(format: str) -> None:
    with pytest.raises(InvalidText):
        read_manuscript(b"", format)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"{\\rtf1\\ansi Hello.}", "RTF"),
        (b"%PDF-1.7\n%...", "PDF"),
        (b"<!DOCTYPE html><html><p>Hello.</p></html>", "web page"),
        (b"\xef\xbb\xbf<html lang=en>", "web page"),
        (b"% a comment\n\\documentclass{article}\nHello.", "LaTeX"),
        (b"\x89PNG\r\n\x1a\n\0\0", "picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Word 2003"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}), "OpenDocument"),
        (zipped({"ppt/presentation.xml": b"<p/>"}), "presentation"),
        (zipped({"xl/workbook.xml": b"<p/>"}), "workbook"),
        (zipped({"Index/Document.iwa": b"?"}), "Pages"),
        (zipped({"notes.txt": b"Hello."}), "without a Word document"),
        (b"Hello.\0World.", "control"),
        (bytes(range(1, 256)) * 4, "control"),
    ],
)
def test_another_kind_of_file_is_named(data: bytes, what: str) -> None:
    """The message says what it is and what to do with it."""
    with pytest.raises(InvalidText, match=what) as refused:
        read_manuscript(data, name="draft")
    assert str(refused.value).startswith("draft ")
    assert str(refused.value).count(". ") + str(refused.value).count("; ") >= 1


@pytest.mark.parametrize("name", ["draft.rtf", "draft.ODT", "draft.pdf", "draft.pages", "draft.tex", "draft.html", "draft.doc"])
def test_the_suffix_of_another_kind_is_refused_whatever_is_in_the_file(name: str) -> None:
    with pytest.raises(InvalidText, match="cannot be read as a draft"):
        read_manuscript(b"NATO and the EU agreed.", name=name)


@pytest.mark.parametrize(
    ("text", "what"), [("NATO\0 agreed.", "control"), ("\x01\x02\x03 a", "control"), ("half \ud800 a character", "surrogates")]
)
def test_text_that_no_editor_writes_is_refused(text: str, what: str) -> None:
    with pytest.raises(InvalidText, match=what):
        read_manuscript(text)


def test_docx_is_no_text_and_text_no_docx() -> None:
    data = word_file("NATO agreed.")
    with pytest.raises(InvalidText, match="Give the bytes"):
        read_manuscript(data.decode("latin-1"), "docx")
    with pytest.raises(InvalidText, match="control characters"):
        read_manuscript(data.decode("latin-1"))
    with pytest.raises(InvalidText, match="no DOCX"):
        read_manuscript(b"NATO agreed.", "docx")
    with pytest.raises(InvalidText, match="no DOCX"):
        read_manuscript(b"NATO agreed.", name="draft.docx")
    assert read_manuscript(data, "text", "draft.txt").format == "docx"


def test_a_damaged_or_dangerous_docx_is_refused() -> None:
    data = word_file("NATO agreed.")
    macros = parts_of(data)["[Content_Types].xml"].replace(b"wordprocessingml.document.main", b"ms-word.document.macroEnabled.main")
    with pytest.raises(InvalidText, match="damaged"):
        read_manuscript(data[: len(data) // 2])
    with pytest.raises(InvalidText, match="DOCM"):
        read_manuscript(repacked(data, {"[Content_Types].xml": macros}))
    with pytest.raises(InvalidText, match="damaged"):
        read_manuscript(repacked(data, {"word/document.xml": b"<w:document"}))
    with pytest.raises(InvalidText, match="without a Word document"):
        read_manuscript(repacked(data, {"word/document.xml": None}))
    with pytest.raises(InvalidText, match="no Word document"):
        read_manuscript(repacked(data, {"word/document.xml": b"<html/>"}))
    with pytest.raises(InvalidText, match="document type"):
        read_manuscript(repacked(data, {"word/document.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}))
    with pytest.raises(InvalidText, match="no text"):
        read_manuscript(word_file(" "))


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    """A few kilobytes that would become hundreds of megabytes, in one part or in many, are not unpacked."""
    data = word_file("NATO agreed.")
    with pytest.raises(InvalidText, match="more than"):
        read_manuscript(repacked(data, {"word/document.xml": b" " * 65 * 1024 * 1024}))
    with pytest.raises(InvalidText, match="bytes of text and formatting"):
        read_manuscript(repacked(data, {"word/document.xml": b" " * 25 * 1024 * 1024}))
    with pytest.raises(InvalidText, match="unpacks to"):
        read_manuscript(zipped({f"a{n}": bytes(60 * 1024 * 1024) for n in range(5)}))


def test_a_draft_has_a_size_that_can_be_checked() -> None:
    """Not more than 300,000 characters, 2,000 sentences, 10 MiB; the message says how long it is."""
    with pytest.raises(InvalidText, match="300,006 characters"):
        read_manuscript("words " * 50_001)
    with pytest.raises(InvalidText, match="300,006 characters"):
        read_manuscript(b"words " * 50_001)
    with pytest.raises(InvalidText, match="2,001 sentences"):
        read_manuscript("It rains. " * 2_001)
    with pytest.raises(InvalidText, match="bytes"):
        read_manuscript(b"a" * (10 * 1024 * 1024 + 1))
    assert len(read_manuscript("It rains. " * 2_000).sentences) == 2_000


@pytest.mark.parametrize("text", ["# Only a heading\n", "```\ncode()\n```\n", "<!-- a comment. -->", "---\ntitle: A. B.\n---\n"])
def test_a_draft_without_a_sentence_is_told(text: str) -> None:
    with pytest.raises(InvalidText, match="no sentence"):
        read_manuscript(text, "markdown")


def test_a_note_stands_in_a_sentence() -> None:
    """An offset in a heading, in code or outside the draft is a mistake of the caller's."""
    manuscript = read_manuscript("# Head\n\nNATO agreed.\n\n```\ncode\n```\n", "markdown")
    for after in (0, 3, 8, 24, 27, 1000):
        with pytest.raises(ValueError, match="none of the draft's sentences"):
            annotate(manuscript, [Note(after, "A note.")])


def test_formats_are_named_as_people_name_them() -> None:
    assert [format_of(name) for name in ("md", ".TXT", "Markdown", "docx", "text")] == ["markdown", "text", "markdown", "docx", "text"]
    with pytest.raises(InvalidText, match="text, markdown or docx"):
        format_of("odt")


@pytest.mark.parametrize("format", ["text", "markdown"])
@pytest.mark.parametrize(
    "piece", ["[", "![", "*", "*a ", "`a ", "“", "'", ' "a b"', "> ", "- ", "<a ", "^[", "[^1]: ", "$a ", "a\n", "a|b\n-|-\n", "!!", "a¹ "]
)
def test_hostile_text_takes_time_linear_in_its_length(format: str, piece: str) -> None:
    """100,000 characters of one mark: read or refused within a second or two, where anything quadratic takes minutes."""
    begun = time.perf_counter()
    with suppress(InvalidText):
        manuscript = read_manuscript(piece * (100_000 // len(piece)), format)  # type: ignore[arg-type]
        annotate(manuscript, [Note(sentence.end, "A note.") for sentence in manuscript.sentences])
    assert time.perf_counter() - begun < 20


@pytest.mark.parametrize(
    ("opening", "closing"), [("> ", ""), ("- ", ""), ("*", "*"), ("[", "](x)"), ("“", "”"), ("^[", "]"), ("<b>", "</b>")]
)
def test_deep_nesting_neither_overflows_nor_hangs(opening: str, closing: str) -> None:
    """More than twenty levels are no prose; then there may be no sentence left, which is told."""
    with suppress(InvalidText):
        read_manuscript(f"{opening * 2000}NATO agreed.{closing * 2000}", "markdown")
