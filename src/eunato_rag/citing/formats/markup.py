"""Emphasis and links, kept as marks inside a line until it is printed as text, Markdown or HTML.

The marks are private characters that `fields.clean` takes out of every value, so a record cannot forge one.
Left out: what is emphasised (the styles).
"""

from __future__ import annotations

import html
import re
from typing import Literal

Markup = Literal["text", "markdown", "html"]
"""`text` has no emphasis, `markdown` is CommonMark with `*…*` and `<https://…>`, `html` has `<i>` and `<a>`."""

_ITALIC, _END, _LINK, _LINK_END = "\ue000", "\ue001", "\ue002", "\ue003"
_MARKS = re.compile("([\ue000-\ue003])")
_CLOSING = "”’\"')]" + _END
_WEB = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)


def italic(text: str) -> str:
    return f"{_ITALIC}{text}{_END}" if text else ""


def link(url: str) -> str:
    return f"{_LINK}{url}{_LINK_END}" if url else ""


def quoted(text: str, inside: str = "") -> str:
    """Double quotation marks; those within become single. `inside` is the mark that stands before the closing one."""
    single = re.sub(r"(^|[\s(\[])\"", r"\1‘", text).replace('"', "’").replace("“", "‘").replace("”", "’")
    return f"“{single}{'' if ends(single) and inside == '.' else inside}”" if text else ""


def bracketed(text: str) -> str:
    """The text in round brackets, those within it square, as both manuals set brackets in brackets; empty for nothing."""
    return f"({text.replace('(', '[').replace(')', ']')})" if text else ""


def ends(text: str) -> bool:
    """Whether a sentence ends here already: a full stop, question or exclamation mark, brackets and closing marks aside."""
    bare = text.rstrip(_CLOSING.replace(")", "").replace("]", ""))
    return bare.endswith((".", "?", "!", "…"))


def stop(text: str) -> str:
    """The text with a full stop, unless it has its end."""
    return text if not text or ends(text) else f"{text}."


def sentences(*parts: str) -> str:
    """Parts that are there, each with its full stop."""
    return " ".join(stop(part) for part in parts if part)


def commas(*parts: str) -> str:
    """Parts that are there, a comma between two, unless the first ends with one inside its quotation marks."""
    joined = ""
    for part in filter(None, parts):
        joined += ("" if not joined else " " if joined.endswith((",”", ",’”")) else ", ") + part
    return joined


def render(text: str, markup: Markup) -> str:
    """The line as it is printed."""
    printed, linking = [], False
    for piece in _MARKS.split(text):
        if piece in (_ITALIC, _END):
            printed.append({"text": "", "markdown": "*", "html": "<i>" if piece == _ITALIC else "</i>"}[markup])
        elif piece in (_LINK, _LINK_END):
            linking = piece == _LINK
        elif linking and (markup == "text" or not _WEB.fullmatch(piece)):
            printed.append(_escaped(piece, markup))
        elif linking:
            address = html.escape(piece)
            printed.append(f"<{piece}>" if markup == "markdown" else f'<a href="{address}">{address}</a>')
        else:
            printed.append(_escaped(_typographic(piece), markup))
    line = "".join(printed)
    # a line that opens like a list or a heading would be one
    return re.sub(r"^(\d*)([-+#.)])", r"\1\\\2", line) if markup == "markdown" else line


def _escaped(text: str, markup: Markup) -> str:
    if markup == "markdown":
        return re.sub(r"([\\`*_\[\]<>~$^@|]|&(?=#?\w+;))", r"\\\1", text)
    return html.escape(text, quote=False) if markup == "html" else text


def _typographic(text: str) -> str:
    """Typewriter quotation marks and apostrophes as typographic ones."""
    text = re.sub(r"(^|[\s(\[“‘])\"(?=\S)", r"\1“", text).replace('"', "”")
    return re.sub(r"(^|[\s(\[“])'(?=[^']*\w'(?:[\s).,;:\]”]|$))", r"\1‘", text).replace("'", "’")
