"""What a snapshot keeps of a document, as rows of text: small in memory, quick to compare, the same on disk.

Left out: how a document is read and cut (ingestion), and where rows go (catalogue).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eunato_rag.records import Block, Change, Document, Footnote, Link, Matter, Page, PageSpan, Passage


class Row(NamedTuple):
    """A passage of an entry: its range, and what is embedded before its words, with the end of that line, or nothing.

    `key` is the SHA-256 of what is embedded, in hexadecimal digits.
    """

    id: str
    start: int
    end: int
    matter: Matter
    context: str
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A document: `work` and `parts` are JSON, `passages` its rows, in order, `changes` what its report says, in words.

    `digest` is of everything but the passages and the sample; `paged` says whether it has pages; `sampled` is what tells it from
    other documents (ingestion.duplicates), in hexadecimal digits.
    """

    id: str
    source: str
    sha256: str
    work: str
    text: str
    parts: str
    digest: str
    paged: bool
    changes: tuple[str, ...]
    passages: tuple[Row, ...]
    sampled: str

    @classmethod
    def of(
        cls,
        document: Document,
        passages: Sequence[Passage] = (),
        contexts: Sequence[str] = (),
        runs: NDArray[np.uint32] = np.zeros(0, np.uint32),
    ) -> Entry:
        """A document and its passages; each context is what is embedded before the passage's words."""
        work, parts = dump(document.work), dump(_parts(document))
        told = (document.id, document.source, document.sha256, work, document.text, parts)
        rows = tuple(
            Row(p.id, p.locator.start, p.locator.end, p.matter, context, hashlib.sha256((context + p.text).encode()).hexdigest())
            for p, context in zip(passages, contexts, strict=True)
        )
        digest = hashlib.sha256(dump(told).encode()).hexdigest()
        changes = tuple(change.detail for change in document.report)
        paged = bool(document.pages)
        return cls(
            document.id, document.source, document.sha256, work, document.text, parts, digest, paged, changes, rows, runs.tobytes().hex()
        )

    @property
    def runs(self) -> NDArray[np.uint32]:
        """The sample."""
        return np.frombuffer(bytes.fromhex(self.sampled), dtype=np.uint32)

    def texts(self) -> Iterator[str]:
        """What is embedded and indexed for each passage, in order."""
        return (row.context + self.text[row.start : row.end] for row in self.passages)

    def kept(self) -> tuple[object, ...]:
        """What a catalogue keeps of it."""
        rows = [tuple(row[:4]) for row in self.passages]
        return self.id, self.source, self.sha256, self.work, self.text, self.parts, rows

    def document(self) -> Document:
        """The document again, equal to the one that it was made of."""
        return unpack(self.id, self.source, self.sha256, self.work, self.text, self.parts)

    def dumped(self) -> str:
        """All of it, as JSON."""
        return dump([getattr(self, name) for name in self.__slots__])

    @classmethod
    def loaded(cls, dumped: str) -> Entry:
        """What `dumped` gave."""
        told = dict(zip(cls.__slots__, json.loads(dumped), strict=True))
        rows = tuple(Row(*row) for row in told.pop("passages"))
        return cls(**{**told, "changes": tuple(told["changes"]), "passages": rows})


def dump(value: object) -> str:
    """JSON without spaces, in Unicode."""
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


def unpack(identity: str, source: str, sha256: str, work: str, text: str, packed: str) -> Document:
    """The document of a row."""
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
