"""How a question is put: whether it has parts, asks for all of something, for a reason, for a source, about the work.

Left out: what kind of thing it asks for (asked.py).
"""

from __future__ import annotations

import re

from eunato_rag.indexing.keywords import analyse

_QUESTION_WORD = r"(?:what|who|whom|whose|when|where|why|how|which|is|are|was|were|does|do|did|has|have|should|can|could|will|would|must)"
_BETWEEN_PARTS = re.compile(rf"[?;]\s+(?:and |but |also )?|,?\s+(?:and|but)\s+(?={_QUESTION_WORD}\b)", re.IGNORECASE)
_ASKS = re.compile(rf"\b{_QUESTION_WORD}\b", re.IGNORECASE)
_ASKS_FOR_ALL = re.compile(
    r"\blist\b|\ball (?:of )?the\b|\b(?:each|every) (?:one|of)\b|\bname (?:the|all)\b|\bwhich ones\b|\benumerate\b|\bfull set\b"
    r"|\bwhat are (?:the|all)\b|\b(?:which|what) (?:\w+ ){0,3}\w+s (?:are|were|do|did|have)\b",
    re.IGNORECASE,
)
_ASKS_FOR_REASON = re.compile(r"\bwhy\b|\bhow come\b|\breasons?\b|\bwhat (?:explains|caused|motivated)\b", re.IGNORECASE)
_ASKS_FOR_SOURCE = re.compile(
    r"\b(?:foot)?notes?\b|\bcit(?:e|es|ed|ing|ation|ations)\b|\bsources?\b|\breferences?\b|\baccording to\b|\bauthor(?:s|ed)?\b|"
    r"\breferenced\b|\bwho (?:says|said|wrote|claims|argues)\b|\bwhich (?:document|report|paper|publication|study|article)\b|"
    r"\bbased on\b",
    re.IGNORECASE,
)
_ASKS_ABOUT_THE_WORK = re.compile(
    r"\b(?:authors?|wrote|written|publish\w*|fund(?:s|ed|ing|er|ers)?|financ\w+|sponsor\w*|fellowship|think.?tank|disclaimer)\b"
    r"|\b(?:this|the) (?:\w+ )?(?:paper|brief|publication|report|study)\b.*\b(?:produced|programme|made)\b"
    r"|\b(?:produced|programme|made)\b.*\b(?:this|the) (?:\w+ )?(?:paper|brief|publication|report|study)\b",
    re.IGNORECASE,
)
_NAMES_A_NOTE = re.compile(r"\b(?:foot)?note\s*(?:no\.?|number|nr\.?|#)?\s*(\d{1,3})\b", re.IGNORECASE)


def parts_of(question: str) -> tuple[str, ...]:
    """The questions that a question is made of, where there are two or more; none where it is one.

    A part has a question word and a word that says something.
    """
    parts: list[str] = []
    start = 0
    for match in [*_BETWEEN_PARTS.finditer(question), None]:
        end = match.start() if match else len(question)
        part = question[start:end].strip(" ?;,")
        if _ASKS.search(part) and analyse(part):
            parts.append(part + "?")
        start = match.end() if match else end
    return tuple(parts) if len(parts) > 1 else ()


def asks_for_all(question: str) -> bool:
    """Whether a list is wanted whole."""
    return bool(_ASKS_FOR_ALL.search(question))


def asks_for_reason(question: str) -> bool:
    return bool(_ASKS_FOR_REASON.search(question))


def asks_for_source(question: str) -> bool:
    """Whether the notes are wanted: who says so, which document is cited."""
    return bool(_ASKS_FOR_SOURCE.search(question))


def asks_about_the_work(question: str) -> bool:
    """Whether what surrounds the text is wanted: who wrote, published or paid for it."""
    return bool(_ASKS_ABOUT_THE_WORK.search(question))


def named_note(question: str) -> int | None:
    """The number of the note that a question names."""
    named = _NAMES_A_NOTE.search(question)
    return int(named[1]) if named else None
