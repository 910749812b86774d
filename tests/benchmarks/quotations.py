"""How long it takes to check quotations of 10 to 10,000 characters, as they stand and changed, over a folder of documents.

    python tests/benchmarks/quotations.py DOCUMENTS_FOLDER [--index INDEX] [--each N] [--json]

Quotations are cut at spaces from evenly spaced places of the three longest documents. A changed one has every 30th word
replaced and one number changed; its status must come out as altered, as that of an unchanged one must as exact, or the
run fails. Two untimed checks for each document go first. In turn with the first quotation of every document and
length, up to 1,000 characters, rapidfuzz's partial_ratio_alignment looks for the same one in the same documents, one
after the other; the ratio is ours over its, for those. For 10,000 characters it needs a minute a document.

No vectors are needed to check a quotation, so the index is built with an embedder that makes none; `--index` keeps it
and uses it again. Left out: reading files, and what a check says beyond its status.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz

from eunato_rag.citing.quotes import check_quotation
from eunato_rag.errors import NoIndex
from eunato_rag.indexing.embedding import Encoded, Vectors
from eunato_rag.indexing.snapshot import Snapshot, open_snapshot
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.records import Document
from eunato_rag.reindex import reindex

SIZES = (10, 100, 1_000, 10_000)
LONGEST = 3
PEER_UP_TO = 1_000
CHANGED_EACH = 30
COLUMNS = ("characters", "quotations", "p50_ms", "p95_ms", "max_ms", "rapidfuzz_p50_ms", "ratio")

Figures = dict[str, Any]


class NoEmbedder:
    """Stands where a model would: every text has the same vector, and no tokens."""

    name, digest, dimension, max_tokens = "none", "none", 8, 256

    def count_tokens(self, text: str) -> int:
        return len(text) // 4 + 2

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), self.dimension), self.dimension**-0.5, dtype=np.float32)

    encode_document = encode_query

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        none = np.zeros(0, dtype=np.int32)
        return [Encoded(vector, np.zeros((0, self.dimension), dtype=np.float32), none, none) for vector in self.encode_query(texts)]

    encode_document_tokens = encode_query_tokens


def opened(folder: Path, index: Path) -> Snapshot:
    """The snapshot of the documents: the one that is there, or one made now."""
    embedder = NoEmbedder()
    try:
        return open_snapshot(index, embedder)
    except NoIndex:
        report = reindex(folder, index, embedder, Chunking())
        for failure in report.failed:
            print(f"{failure.source} was left out: {failure.error}", file=sys.stderr)
        return open_snapshot(index, embedder)


def cut(document: Document, size: int, each: int) -> list[str]:
    """Quotations of about `size` characters, from one word's start to another's end, evenly spaced over a document."""
    words = [match.span() for match in re.finditer(r"\S+", document.text)]
    found = []
    for n in range(each):
        first = words[len(words) * n // each][0]
        last = next((end for start, end in reversed(words) if end <= first + size and start > first), None)
        if last is not None and len(re.findall(r"[^\W_][\w.,]*", document.text[first:last])) > 1:
            found.append(document.text[first:last])
    return found


def changed(quotation: str) -> str:
    """The quotation with its first number changed and every 30th word replaced, at least one."""
    words = quotation.split(" ")
    for n in range(len(words) // 2 % CHANGED_EACH, len(words), CHANGED_EACH):
        words[n] = "otherwise"
    return re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), " ".join(words), count=1)


def timed(check: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    result = check()
    return (time.perf_counter() - began) * 1000, result


def measure(snapshot: Snapshot, each: int) -> list[Figures]:
    """The figures by length, for quotations as they stand and for changed ones; SystemExit where a status is wrong."""
    documents = [snapshot.catalogue.document(identity) for identity in snapshot.catalogue.document_ids]
    longest = sorted(documents, key=lambda document: -len(document.text))[:LONGEST]
    for document in documents:
        check_quotation(snapshot, document.text[:200])
        check_quotation(snapshot, changed(document.text[:200]))
    rows = []
    for kind in ("exact", "altered"):
        for size in SIZES:
            if kind == "altered" and size == SIZES[0]:
                continue  # of two words, one changed is another quotation
            times, beside = list[float](), list[tuple[float, float]]()
            for document in longest:
                for n, quotation in enumerate(cut(document, size, each)):
                    text = quotation if kind == "exact" else changed(quotation)
                    took, result = timed(lambda text=text: check_quotation(snapshot, text))
                    if result.status != kind:
                        sys.exit(f"A quotation of {document.source} came out as {result.status}, not {kind}: {text[:200]!r}")
                    times.append(took)
                    if n == 0 and size <= PEER_UP_TO:
                        beside.append((took, timed(lambda text=text: max(score(text, other) for other in documents))[0]))
            times.sort()
            rows.append(
                {
                    "kind": kind,
                    "characters": size,
                    "quotations": len(times),
                    "p50_ms": round(statistics.median(times), 1),
                    "p95_ms": round(times[int(len(times) * 0.95)], 1),
                    "max_ms": round(times[-1], 1),
                    "rapidfuzz_p50_ms": round(statistics.median(theirs for _, theirs in beside), 1) if beside else None,
                    "ratio": round(statistics.median(ours / theirs for ours, theirs in beside), 4) if beside else None,
                }
            )
    return rows


def score(text: str, document: Document) -> float:
    alignment = fuzz.partial_ratio_alignment(text, document.text)
    return alignment.score if alignment is not None else 0.0


def table(rows: Sequence[Figures]) -> str:
    """The rows under the names of their columns."""
    cells = [["", *COLUMNS], *([row["kind"], *("" if row[name] is None else str(row[name]) for name in COLUMNS)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description="How long it takes to check a quotation, and rapidfuzz to look for it.")
    parser.add_argument("documents", type=Path, metavar="DOCUMENTS_FOLDER")
    parser.add_argument("--index", type=Path, help="where the index is, or shall be kept; by default it is made anew and thrown away")
    parser.add_argument("--each", type=int, default=20, metavar="N", help="quotations of each length from each document; default 20")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        snapshot = opened(options.documents, options.index or Path(scratch))
        rows = measure(snapshot, options.each)
        words, counts = len(snapshot.concordance), snapshot.manifest.counts
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{counts['documents']} documents, {words:,} words\n\n{table(rows)}\n")
    print(f"ratio is ours over rapidfuzz's; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
