"""Documents, passages, footnotes and works of one snapshot, in SQLite: written once, then read only.

A passage's position is its row in the vector and keyword indexes. Ranges are stored, never texts twice: a passage's
text is cut from its document.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from eunato_rag.errors import DamagedSnapshot, NotFound
from eunato_rag.records import Block, Change, CslRecord, Document, Footnote, Link, Mention, Page, PageSpan, Passage, Work

_SCHEMA = """
CREATE TABLE documents (position INTEGER PRIMARY KEY, id TEXT UNIQUE, source TEXT, sha256 TEXT, work TEXT, text TEXT, parts TEXT);
CREATE TABLE passages (position INTEGER PRIMARY KEY, id TEXT UNIQUE, document TEXT, start INTEGER, end INTEGER, matter TEXT);
CREATE INDEX passages_by_document ON passages (document, start);
CREATE TABLE works (position INTEGER PRIMARY KEY, id TEXT UNIQUE, record TEXT);
"""
_KEPT, _KEPT_CHARACTERS = 256, 2**26
"""Documents held in memory at a time, and the characters of all of them; the one that was wanted last is held in any case."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents to search; dates as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, both ends included."""

    document_id: str | None = None
    publisher: str | None = None
    issued_from: str | None = None
    issued_to: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """What works are told apart by: its value in a work, None where that is not known, and whether a filter leaves a value."""

    name: str
    value: Callable[[Mapping[str, Any]], str | None]
    fits: Callable[[str | None, Filter], bool]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list tells of a document: all but its text and what depends on it."""

    id: str
    source: str
    sha256: str
    work: CslRecord

    @property
    def title(self) -> str:
        return str(self.work.get("title") or self.source)


def write_catalogue(path: Path, documents: Iterable[Document], passages: Iterable[Passage], works: Iterable[Work]) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(_SCHEMA)
        db.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((n, d.id, d.source, d.sha256, _dump(d.work), d.text, _dump(_parts(d))) for n, d in enumerate(documents)),
        )
        db.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
            ((n, p.id, p.document_id, p.locator.start, p.locator.end, p.matter) for n, p in enumerate(passages)),
        )
        db.executemany("INSERT INTO works VALUES (?, ?, ?)", ((n, w.id, _dump(asdict(w))) for n, w in enumerate(works)))


class Catalogue:
    """What a snapshot knows by id and by position. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            rows = self._db.execute("SELECT id, work FROM documents ORDER BY position").fetchall()
            places = self._db.execute("SELECT position, document, matter FROM passages ORDER BY position").fetchall()
        except sqlite3.DatabaseError as error:
            raise DamagedSnapshot(f"{path.name} cannot be read: {error}. Run: eunato-rag reindex") from error
        self._lock = Lock()
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0
        self._works_of: dict[str, Mapping[str, Any]] = {identity: json.loads(work) for identity, work in rows}
        self._positions: dict[str, list[int]] = {identity: [] for identity in self._works_of}
        for position, document, _ in places:
            self._positions[document].append(position)
        self.passage_count = len(places)
        self.surrounding = frozenset(position for position, _, matter in places if matter != "body")

    @property
    def document_ids(self) -> tuple[str, ...]:
        return tuple(self._works_of)

    @property
    def works_of_documents(self) -> Mapping[str, Mapping[str, Any]]:
        """The work of each document, in the order of `document_ids`."""
        return self._works_of

    def document_numbers(self) -> list[int]:
        """For each position the number of the passage's document in the order of `document_ids`."""
        numbers = [0] * self.passage_count
        for number, positions in enumerate(self._positions.values()):
            for position in positions:
                numbers[position] = number
        return numbers

    def has(self, identity: str) -> bool:
        """Whether there is a document of that id."""
        return identity in self._works_of

    def document(self, identity: str) -> Document:
        """The document of that id.

        Raises:
            NotFound: the snapshot has none.
        """
        with self._lock:
            if identity in self._kept:
                self._kept.move_to_end(identity)
                return self._kept[identity]
            row = self._db.execute("SELECT id, source, sha256, work, text, parts FROM documents WHERE id = ?", (identity,)).fetchone()
        if row is None:
            raise NotFound(f"There is no document {identity!r} in this snapshot.")
        document = _document(*row)
        with self._lock:
            if identity not in self._kept:
                self._kept[identity] = document
                self._characters += len(document.text)
            while len(self._kept) > _KEPT or (self._characters > _KEPT_CHARACTERS and len(self._kept) > 1):
                _, dropped = self._kept.popitem(last=False)
                self._characters -= len(dropped.text)
        return document

    def listed(self, start: int, count: int) -> list[Listed]:
        """So many documents in order, from the number `start` on, counted from 0; none of their texts is read into memory."""
        wanted = "SELECT id, source, sha256 FROM documents WHERE position >= ? AND position < ? ORDER BY position"
        rows = self._select(wanted, start, start + count)
        return [Listed(identity, source, sha256, self._works_of[identity]) for identity, source, sha256 in rows]

    def passage(self, identity: str) -> Passage:
        """The passage of that id.

        Raises:
            NotFound: the snapshot has none.
        """
        rows = self._select("SELECT id, document, start, end, matter FROM passages WHERE id = ?", identity)
        if not rows:
            raise NotFound(f"There is no passage {identity!r} in this snapshot. After a document changed, search again.")
        return self._passage(*rows[0])

    def passage_at(self, position: int) -> Passage:
        return self._passage(*self._select("SELECT id, document, start, end, matter FROM passages WHERE position = ?", position)[0])

    def position(self, identity: str) -> int:
        """The row of a passage in the indexes.

        Raises:
            NotFound: the snapshot has none.
        """
        rows = self._select("SELECT position FROM passages WHERE id = ?", identity)
        if not rows:
            raise NotFound(f"There is no passage {identity!r} in this snapshot. After a document changed, search again.")
        return int(rows[0][0])

    def passages_of(self, document_id: str, start: int = 0, end: int = sys.maxsize) -> list[Passage]:
        """The passages of one document, in order; those that share something with a range of it, if given."""
        wanted = "SELECT id, document, start, end, matter FROM passages WHERE document = ? AND start < ? AND end > ? ORDER BY start, end"
        rows = self._select(wanted, document_id, end, start)
        return [self._passage(*row) for row in rows]

    def works(self) -> list[Work]:
        return [_work(json.loads(record)) for (record,) in self._select("SELECT record FROM works ORDER BY position")]

    def work(self, identity: str) -> Work | None:
        rows = self._select("SELECT record FROM works WHERE id = ?", identity)
        return _work(json.loads(rows[0][0])) if rows else None

    def allowed(self, wanted: Filter) -> list[int] | None:
        """The positions of the passages that a filter leaves; None where it leaves all."""
        if wanted == Filter():
            return None
        return sorted(p for identity, work in self._works_of.items() if matches(identity, work, wanted) for p in self._positions[identity])

    def allowed_documents(self, wanted: Filter) -> list[int] | None:
        """The numbers, in the order of `document_ids`, of the documents that a filter leaves; None where it leaves all."""
        if wanted == Filter():
            return None
        return [number for number, (identity, work) in enumerate(self._works_of.items()) if matches(identity, work, wanted)]

    def close(self) -> None:
        self._db.close()

    def _select(self, statement: str, *values: object) -> Sequence[Any]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def _passage(self, identity: str, document_id: str, start: int, end: int, matter: Any) -> Passage:
        document = self.document(document_id)
        return Passage(identity, document_id, document.text[start:end], document.locate(start, end), matter)


def issued(csl: Mapping[str, Any]) -> str | None:
    """The date of a CSL record as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as precisely as it is known."""
    parts = (csl.get("issued") or {}).get("date-parts") or [[]]
    return "-".join(f"{part:04d}" if n == 0 else f"{part:02d}" for n, part in enumerate(parts[0])) or None


def _in_time(date: str | None, wanted: Filter) -> bool:
    if date is None:
        return wanted.issued_from is None and wanted.issued_to is None
    # a date of less precision than the bound counts where any day of it would
    begun = wanted.issued_from is None or date >= wanted.issued_from[: len(date)]
    return begun and (wanted.issued_to is None or date[: len(wanted.issued_to)] <= wanted.issued_to)


FACETS = (
    Facet(
        "publisher",
        lambda work: str(work.get("publisher", "")).casefold(),
        lambda value, wanted: wanted.publisher is None or wanted.publisher.casefold() in (value or ""),
    ),
    Facet(
        "language",
        lambda work: str(work.get("language", "")).split("-")[0],
        lambda value, wanted: wanted.language is None or wanted.language.split("-")[0] == value,
    ),
    Facet("issued", issued, _in_time),
)


def matches(identity: str, work: Mapping[str, Any], wanted: Filter) -> bool:
    """Whether a filter leaves a document of that id and work."""
    return wanted.document_id in (None, identity) and all(facet.fits(facet.value(work), wanted) for facet in FACETS)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parts(document: Document) -> dict[str, object]:
    return {
        "blocks": [[b.kind, b.start, b.end, b.level, b.matter] for b in document.blocks],
        "pages": [[p.start, p.end, p.page.number, p.page.label] for p in document.pages],
        "footnotes": [[f.number, f.anchors, f.start, f.end, f.work] for f in document.footnotes],
        "links": [[k.start, k.end, k.target] for k in document.links],
        "sentences": document.sentences,
        "report": [[c.kind, c.detail, c.lines, c.removed] for c in document.report],
    }


def _document(identity: str, source: str, sha256: str, work: str, text: str, packed: str) -> Document:
    parts = json.loads(packed)
    return Document(
        identity,
        source,
        sha256,
        json.loads(work),
        text,
        tuple(Block(*row) for row in parts["blocks"]),
        tuple(PageSpan(start, end, Page(number, label)) for start, end, number, label in parts["pages"]),
        tuple(Footnote(n, tuple(anchors), start, end, cited) for n, anchors, start, end, cited in parts["footnotes"]),
        tuple(Link(*row) for row in parts["links"]),
        tuple((start, end) for start, end in parts["sentences"]),
        tuple(Change(kind, detail, tuple(lines) if lines else None, removed) for kind, detail, lines, removed in parts["report"]),
    )


def _work(record: dict[str, Any]) -> Work:
    mentions = tuple(Mention(**{**m, "problems": tuple(m["problems"])}) for m in record.pop("mentions"))
    work = Work(**record)
    return replace(work, mentions=mentions, alternates=tuple(work.alternates), unverified=tuple(work.unverified))
