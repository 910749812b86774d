"""Which format a draft has, and that it is one that can be read. Left out: reading it."""

from __future__ import annotations

import re

from eunato_rag.citing.manuscripts.records import Format
from eunato_rag.errors import InvalidText

_SUFFIXES: dict[str, Format] = {
    "docx": "docx",
    "md": "markdown",
    "markdown": "markdown",
    "mdown": "markdown",
    "mkd": "markdown",
    "qmd": "markdown",
    "rmd": "markdown",
}
"""Without .txt, for what is called so is Markdown as often as not: its text tells."""

_AS_DOCX = "Save it as DOCX (File, Save as) and give that."
_OTHER_SUFFIXES = {
    **dict.fromkeys(("doc", "docm", "rtf", "odt", "pages"), _AS_DOCX),
    **dict.fromkeys(("html", "htm"), "Save it as DOCX or as plain text."),
    "tex": "Convert it to Markdown (pandoc does).",
    "pdf": "Give the file that it was made from.",
}
_BEGINNINGS = (
    (re.compile(rb"\s*\{\\rtf"), "an RTF file", _AS_DOCX),
    (re.compile(rb"%PDF-"), "a PDF", "Give the file that it was made from, as DOCX, Markdown or plain text."),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html\b)", re.IGNORECASE), "a web page", "Save it as DOCX or as plain text."),
    (re.compile(rb"(?:\xef\xbb\xbf)?(?:\s*%[^\n]*\n)*\s*\\documentclass"), "LaTeX", "Convert it to Markdown (pandoc does) and give that."),
    (re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|II\*\0|MM\0\*"), "a picture", "Give its text as DOCX, Markdown or plain text."),
)
_OFFICE = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""Archives, of which DOCX is one, and the files of Word 2003 and of protected documents: what is in them tells."""

_MARKDOWN = re.compile(
    r"\A---[ \t]*\r?\n(?s:.{0,5000}?)^(?:---|\.\.\.)[ \t]*\r?$"
    r"|^ {0,3}#{1,6}[ \t]+\S"
    r"|^ {0,3}(?:```|~~~)"
    r"|\[\^[^\[\]\s]{1,100}\]"
    r"|\[[^\[\]\n]{1,300}\]\((?:https?:|mailto:|#|/|\.)[^()\s]{0,500}\)"
    r"|(?<![*\w])\*\*[^*\s](?:[^*\n]{0,300}[^*\s])?\*\*(?![*\w])",
    re.MULTILINE,
)
"""Front matter, headings, fences, footnotes, links, bold words: what plain text does not have."""


def format_of(option: str) -> Format:
    """The format that a person names: text, markdown or docx, or a suffix of its files.

    Raises:
        InvalidText: none of these.
    """
    known = {**_SUFFIXES, "text": "text", "txt": "text"}.get(option.strip().lower().removeprefix("."))
    if known is None:
        raise InvalidText(f"There is no format {option!r}. Name text, markdown or docx.")
    return known


def detected(data: str | bytes, format: Format | None, name: str | None) -> Format | None:
    """The format by what the bytes begin with, else as given, else by the name's suffix; None where only the text can tell.

    Raises:
        InvalidText: a file of another kind, or one that is not what it is given as.
    """
    called = name or "The draft"
    if isinstance(data, str) and format == "docx":
        raise InvalidText(f"{called} was given as text, and DOCX is no text. Give the bytes of the file.")
    head = data[:8192].encode("utf-8", "replace") if isinstance(data, str) else data[:8192]
    for beginning, what, remedy in _BEGINNINGS:
        if beginning.match(head):
            raise InvalidText(f"{called} is {what}, which cannot be read as a draft. {remedy}")
    if isinstance(data, bytes) and head.startswith(_OFFICE):
        return "docx"
    suffix = name.rpartition(".")[2].lower() if name and "." in name else ""
    if head.strip() and "docx" in (format, format or _SUFFIXES.get(suffix)):
        raise InvalidText(f"{called} is no DOCX: it does not begin as one. Give it the suffix of what it is, or save it as DOCX.")
    if format is None and suffix in _OTHER_SUFFIXES:
        raise InvalidText(f"{called} cannot be read as a draft: DOCX, Markdown and plain text can. {_OTHER_SUFFIXES[suffix]}")
    return format or _SUFFIXES.get(suffix)


def looks_like_markdown(text: str) -> bool:
    return _MARKDOWN.search(text) is not None


def checked_text(text: str, name: str) -> str:
    """The text without a byte order mark.

    Raises:
        InvalidText: nothing in it, or characters that no text has.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise InvalidText(f"{name} is empty. Give a draft of at least one sentence.")
    controls = sum(text.count(chr(code)) for code in range(32) if code not in (9, 10, 11, 12, 13))
    if "\0" in text or controls > len(text) // 100:
        raise InvalidText(f"{name} is no text: it holds control characters. Give an office file as bytes, and text as UTF-8.")
    if re.search("[\ud800-\udfff]", text):
        raise InvalidText(f"{name} holds halves of characters (surrogates), which are no text. Save it again as UTF-8.")
    return text
