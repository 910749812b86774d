"""Documents, passages, footnotes and works of one snapshot, in SQLite: written once, then read only.

A passage's position is its row in the vector and keyword indexes. Ranges are stored, never texts twice: a passage's
text is cut from its document.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eunato_rag.errors import DamagedSnapshot, NotFound
from eunato_rag.indexing.entries import Entry, dump, unpack
from eunato_rag.records import CslRecord, Document, Mention, Passage, Work

_SCHEMA = """
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE, source TEXT, sha256 TEXT, work TEXT, text TEXT, parts TEXT, first INTEGER, count INTEGER
);
CREATE TABLE passages (position INTEGER PRIMARY KEY, id TEXT UNIQUE, document INTEGER, start INTEGER, end INTEGER, matter TEXT);
CREATE TABLE works (position INTEGER PRIMARY KEY, id TEXT UNIQUE, record TEXT);
"""
_ROW = "id, source, sha256, work, text, parts"
_PASSAGES = """SELECT passages.id, documents.id, start, end, matter
FROM passages JOIN documents ON documents.position = passages.document"""
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


class Source(NamedTuple):
    """Where a document came from, and what it was."""

    source: str
    document_id: str
    sha256: str


def write_catalogue(path: Path, entries: Iterable[Entry], works: Iterable[Work]) -> None:
    """Write the file of documents, which are gone through once, and of works."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(_SCHEMA)
        first = 0
        for number, entry in enumerate(entries):
            told = (entry.id, entry.source, entry.sha256, entry.work, entry.text, entry.parts)
            db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *told, first, len(entry.passages)))
            rows = ((first + n, row.id, number, row.start, row.end, row.matter) for n, row in enumerate(entry.passages))
            db.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)", rows)
            first += len(entry.passages)
        db.executemany("INSERT INTO works VALUES (?, ?, ?)", ((n, w.id, dump(asdict(w))) for n, w in enumerate(works)))


class Catalogue:
    """What a snapshot knows by id and by position. Safe to share between threads.

    Nothing is read before it is wanted. The passages of a document have positions that follow each other.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            ((self.document_count,),) = self._db.execute("SELECT count(*) FROM documents")
            ((self.passage_count,),) = self._db.execute("SELECT coalesce(max(position) + 1, 0) FROM passages")
        except sqlite3.DatabaseError as error:
            raise DamagedSnapshot(f"{path.name} cannot be read: {error}. Run: eunato-rag reindex") from error
        self._lock = Lock()
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    @cached_property
    def document_ids(self) -> tuple[str, ...]:
        return tuple(identity for (identity,) in self._select("SELECT id FROM documents ORDER BY position"))

    @cached_property
    def works_of_documents(self) -> Mapping[str, Mapping[str, Any]]:
        """The work of each document, in the order of `document_ids`."""
        rows = self._select("SELECT id, work FROM documents ORDER BY position")
        return {identity: json.loads(work) for identity, work in rows}

    @cached_property
    def _ranges(self) -> NDArray[np.int64]:
        """The first position of each document, and that behind its last; shape (documents, 2)."""
        rows = self._select("SELECT first, first + count FROM documents ORDER BY position")
        return np.asarray(rows, dtype=np.int64).reshape(-1, 2)

    def sources(self) -> list[Source]:
        """The source of each document, in order."""
        return [Source(*row) for row in self._select("SELECT source, id, sha256 FROM documents ORDER BY position")]

    def document_numbers(self) -> NDArray[np.int64]:
        """For each position the number of the passage's document in the order of `document_ids`."""
        return np.repeat(np.arange(len(self._ranges)), self._ranges[:, 1] - self._ranges[:, 0])

    def surrounding(self, positions: Sequence[int]) -> frozenset[int]:
        """Those of the positions whose passages belong to front or back matter."""
        wanted = json.dumps(list(positions))
        rows = self._select("SELECT position FROM passages WHERE position IN (SELECT value FROM json_each(?)) AND matter != 'body'", wanted)
        return frozenset(position for (position,) in rows)

    def has(self, identity: str) -> bool:
        """Whether there is a document of that id."""
        return bool(self._select("SELECT 1 FROM documents WHERE id = ?", identity))

    def entries(self) -> Iterator[tuple[object, ...]]:
        """Of each entry that was written what is `Entry.kept`."""
        for number in range(self.document_count):
            ((*told, first, count),) = self._select(f"SELECT {_ROW}, first, count FROM documents WHERE position = ?", number)
            asked = "SELECT id, start, end, matter FROM passages WHERE position >= ? AND position < ? ORDER BY position"
            yield (*told, self._select(asked, first, first + count))

    def document(self, identity: str) -> Document:
        """The document of that id.

        Raises:
            NotFound: the snapshot has none.
        """
        with self._lock:
            if identity in self._kept:
                self._kept.move_to_end(identity)
                return self._kept[identity]
            row = self._db.execute(f"SELECT {_ROW} FROM documents WHERE id = ?", (identity,)).fetchone()
        if row is None:
            raise NotFound(f"There is no document {identity!r} in this snapshot.")
        document = unpack(*row)
        with self._lock:
            if identity not in self._kept:
                self._kept[identity] = document
                self._characters += len(document.text)
            while len(self._kept) > _KEPT or (self._characters > _KEPT_CHARACTERS and len(self._kept) > 1):
                _, dropped = self._kept.popitem(last=False)
                self._characters -= len(dropped.text)
        return document

    def document_at(self, number: int) -> Document:
        """The document of that number in the order of `document_ids`."""
        return self.document(self._select("SELECT id FROM documents WHERE position = ?", number)[0][0])

    def listed(self, start: int, count: int) -> list[Listed]:
        """So many documents in order, from the number `start` on, counted from 0; none of their texts is read into memory."""
        wanted = "SELECT id, source, sha256, work FROM documents WHERE position >= ? AND position < ? ORDER BY position"
        rows = self._select(wanted, start, start + count)
        return [Listed(identity, source, sha256, json.loads(work)) for identity, source, sha256, work in rows]

    def passage(self, identity: str) -> Passage:
        """The passage of that id.

        Raises:
            NotFound: the snapshot has none.
        """
        rows = self._select(f"{_PASSAGES} WHERE passages.id = ?", identity)
        if not rows:
            raise NotFound(f"There is no passage {identity!r} in this snapshot. After a document changed, search again.")
        return self._passage(*rows[0])

    def passage_at(self, position: int) -> Passage:
        return self._passage(*self._select(f"{_PASSAGES} WHERE passages.position = ?", int(position))[0])

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
        near = "passages.position >= first AND passages.position < first + count AND start < ? AND end > ?"
        rows = self._select(f"{_PASSAGES} WHERE documents.id = ? AND {near} ORDER BY start, end", document_id, end, start)
        return [self._passage(*row) for row in rows]

    def works(self) -> list[Work]:
        return [_work(json.loads(record)) for (record,) in self._select("SELECT record FROM works ORDER BY position")]

    def work(self, identity: str) -> Work | None:
        rows = self._select("SELECT record FROM works WHERE id = ?", identity)
        return _work(json.loads(rows[0][0])) if rows else None

    def allowed(self, wanted: Filter) -> NDArray[np.int64] | None:
        """The positions of the passages that a filter leaves, in order; None where it leaves all."""
        documents = self.allowed_documents(wanted)
        if documents is None:
            return None
        return np.concatenate([np.zeros(0, dtype=np.int64), *(np.arange(*self._ranges[number]) for number in documents)])

    def allowed_documents(self, wanted: Filter) -> list[int] | None:
        """The numbers, in the order of `document_ids`, of the documents that a filter leaves; None where it leaves all."""
        if wanted == Filter():
            return None
        if wanted == Filter(document_id=wanted.document_id):
            return [number for (number,) in self._select("SELECT position FROM documents WHERE id = ?", wanted.document_id)]
        return [number for number, (identity, work) in enumerate(self.works_of_documents.items()) if matches(identity, work, wanted)]

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


def _work(record: dict[str, Any]) -> Work:
    mentions = tuple(Mention(**{**m, "problems": tuple(m["problems"])}) for m in record.pop("mentions"))
    work = Work(**record)
    return replace(work, mentions=mentions, alternates=tuple(work.alternates), unverified=tuple(work.unverified))
