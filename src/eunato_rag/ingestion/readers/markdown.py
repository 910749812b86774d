"""What Markdown adds to plain text, above the line: front matter, tables, quotations, rules, underlined headings.

It turns the lines of a Markdown file into lines that the plain text reader understands; inline markup is markup.py's.
Left out: nested blocks, which this reads as if they followed each other.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import yaml

from eunato_rag.records import Change

TABLE_ROW = re.compile(r"^\s*\|.*\|\s*$|^[^|\n]+(?:\|[^|\n]+){2,}$")
_TABLE_RULE = re.compile(r"[|+]?\s*:?[-=]{2,}:?(?:\s*[|+]\s*:?[-=]{2,}:?)*\s*[|+]?")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_RULE = re.compile(r"^\s*(?:(?:\*\s*){3,}|(?:_\s*){3,}|(?:-\s*){3,})$")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_NO_TEXT = re.compile(r"(?P<comment><!--)|(?P<script><(?:script|style|svg|iframe)\b)|(?P<image><img\b)")
_CLOSED = {"comment": re.compile("-->"), "script": re.compile("</(?:script|style|svg|iframe)>"), "image": re.compile(">")}
_MAX_FRONT = 64 * 1024
"""Characters; a longer front matter is text."""
_FIELDS = {
    "URL": ("canonical_url", "source_url", "url", "source"),
    "language": ("language", "lang"),
    "publisher": ("publisher",),
}


def front_matter(text: str) -> tuple[str, dict[str, Any], list[Change]]:
    """The text behind its YAML front matter, line numbers kept, and the CSL fields that the front matter gives."""
    match = re.match(r"\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", text[:_MAX_FRONT], re.DOTALL)
    if match is None:
        return text, {}, []
    try:
        fields = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: the 31st of February
        return text, {}, [Change("front-matter-fields", "the fields at the top are no YAML and are read as text")]
    if not isinstance(fields, dict):
        return text, {}, []
    blank = "\n" * match.group().count("\n")
    change = Change("front-matter-fields", f"{len(fields)} fields at the top read as the record", (1, blank.count("\n")), match[1])
    return blank + text[match.end() :], record(fields), [change]


def record(fields: dict[Any, Any]) -> dict[str, Any]:
    """CSL fields for those that front matter usually gives."""
    known = {key.casefold(): value for key, value in fields.items() if isinstance(key, str) and value not in (None, "", [])}
    found: dict[str, Any] = {}
    if isinstance(known.get("title"), str):
        found["title"] = re.sub(r"\s+", " ", known["title"]).strip()
    authors = known.get("authors", known.get("author"))
    if authors:
        names = authors if isinstance(authors, list) else [authors]
        said = [_said(name.get("name") if isinstance(name, dict) else name) for name in names]
        found["author"] = [{"literal": name} for name in said if name]
    date = re.match(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?", _said(known.get("date", known.get("published"))))
    if date:
        found["issued"] = {"date-parts": [[int(part) for part in date.groups() if part]]}
    for field, keys in _FIELDS.items():
        value = next((known[key] for key in keys if isinstance(known.get(key), str)), None)
        if value is not None and (field != "URL" or value.startswith("http")):
            found[field] = value
    return {key: value for key, value in found.items() if value}


def _said(value: Any) -> str:
    """A value as text: words, a date, a year. Others have none; of values that refer to each other it would be endless."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value) if type(value) is int and 0 < value < 10_000 else ""


def plain_lines(text: str) -> tuple[list[str], list[Change]]:
    """The lines, as many as before, with what is only Markdown's taken out or turned into what plain text has."""
    text, removed = _without_what_is_no_text(text)
    lines = text.split("\n")
    fenced = False
    for n, line in enumerate(lines):
        if _FENCE.match(line):
            fenced, lines[n] = not fenced, ""
        elif fenced:
            continue
        elif n and re.match(r"^\s*(?:=+|-{2,})\s*$", line) and _underlined(lines[n - 1]):
            lines[n - 1], lines[n] = ("# " if "=" in line else "## ") + lines[n - 1].strip(), ""
        elif _RULE.match(line) or _TABLE_RULE.fullmatch(line.strip()):
            lines[n] = ""
        else:
            lines[n] = _QUOTE.sub("", line)
    changes = [Change("markup", f"{len(removed)} images, scripts and comments removed", None, "\n".join(removed))] if removed else []
    return lines, changes


def _without_what_is_no_text(text: str) -> tuple[str, list[str]]:
    """The text with line breaks for its comments, scripts and images, and those; one that nothing closes is text."""
    kept: list[str] = []
    removed: list[str] = []
    never: set[str] = set()
    place = 0
    for match in _NO_TEXT.finditer(text):
        kind = str(match.lastgroup)
        if match.start() < place or kind in never:
            continue
        closed = _CLOSED[kind].search(text, match.end())
        if closed is None:
            never.add(kind)
            continue
        removed.append(text[match.start() : closed.end()])
        kept += text[place : match.start()], "\n" * removed[-1].count("\n")
        place = closed.end()
    return "".join((*kept, text[place:])), removed


def table_row(line: str) -> str:
    """The cells of a row of a pipe table, as they are read and quoted."""
    return " | ".join(cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")) if cell.strip())


def _underlined(line: str) -> bool:
    return bool(line.strip()) and len(line) < 120 and not line.lstrip().startswith(("#", "|", "-", "*", ">"))
