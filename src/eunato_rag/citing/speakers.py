"""Whom a sentence names as saying something, against who wrote and published a document, and when.

Left out: how such a sentence is taken apart (claims_about), and persons whom a document quotes: they are names of its text.
"""

from __future__ import annotations

from eunato_rag.evidence.claims import read_claim
from eunato_rag.evidence.lexicon import MONTHS
from eunato_rag.evidence.quantities import kind_of
from eunato_rag.indexing.catalogue import issued
from eunato_rag.records import Document


def speaks_for(document: Document, who: str) -> bool:
    """Whether all names of `who` are among those of a document's authors, publisher and title."""
    names = names_in(who)
    known = read_claim(_beside(document)).plain
    return bool(names) and names <= known


def _beside(document: Document) -> str:
    """Who wrote and published a document, and its title."""
    work = document.work
    authors = " ".join(str(part) for name in work.get("author") or () for part in name.values())
    return " ".join((authors, str(work.get("publisher", "")), document.title))


def names_in(who: str) -> frozenset[str]:
    return frozenset(name.plain for name in read_claim(f"x {who}").names if name.plain not in MONTHS)


def years_in(text: str) -> list[int]:
    return [int(number.value) for number in read_claim(text).numbers if kind_of(number) == "year"]


def issued_year(document: Document) -> int | None:
    date = issued(document.work)
    return int(date[:4]) if date else None
