"""Is the page that holds the evidence found? PDFs read by this project against plain pypdf text, retrieval the same.

python tests/benchmarks/pages.py FOLDER [--index DIR] [--json]

FOLDER holds pdfs/, queries.jsonl {id, text} and qrels.tsv (query, document#pN with N counted from 0, score). All PDFs
are in one index, and no question says which it is about. A hit is on every page that its passage touches. Printed is the
share of questions with an evidence page among the pages of the first 1, 5 and 10 hits. Left out: answers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pypdf
from pypdf.errors import PyPdfError

from eunato_rag.engine import Engine
from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder
from eunato_rag.indexing.snapshot import MODELS
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.ingestion.layout import Draft, Prose, assemble, collapse
from eunato_rag.records import Document, Locator
from eunato_rag.reindex import index_documents

DEPTHS = (1, 5, 10)


def plain(path: Path) -> Document:
    """A PDF as pypdf's text of each page, one paragraph a page."""
    drafts = []
    for number, page in enumerate(pypdf.PdfReader(path).pages, 1):
        try:
            text = collapse(page.extract_text())
        except PyPdfError:
            continue
        if text:
            drafts.append(Draft("paragraph", Prose(text, pages=((0, number),))))
    parts = assemble(drafts)
    work = {"id": path.stem, "title": path.stem}
    return Document(path.stem, path.name, "0", work, parts.text, parts.blocks, parts.pages, sentences=parts.sentences)


def read(paths: list[Path]) -> list[Document]:
    """The PDFs as this project reads them; the title is the file's name on both sides."""
    with Workers(Limits(), 2) as workers:
        outcomes = list(workers.read_all(paths))
    for outcome in outcomes:
        if not isinstance(outcome, Document):
            print(outcome, file=sys.stderr)
    return [replace(o, work={"id": o.id, "title": o.id}) for o in outcomes if isinstance(o, Document)]


def measure(engine: Engine, questions: dict[str, str], wanted: dict[str, set[tuple[str, int]]]) -> dict[str, float]:
    """The share of questions with an evidence page among the pages of the first hits, by number of hits."""
    found: dict[int, int] = defaultdict(int)
    for key, pages in wanted.items():
        hits = engine.search(questions[key], top_k=max(DEPTHS))
        for depth in DEPTHS:
            found[depth] += any(pages & touched(engine, hit.passage.document_id, hit.passage.locator) for hit in hits[:depth])
    return {f"page_at_{depth}": round(found[depth] / len(wanted), 3) for depth in DEPTHS}


def touched(engine: Engine, document_id: str, place: Locator) -> set[tuple[str, int]]:
    """The pages that a place touches, numbered from 0 as the judgements are."""
    spans = engine.document(document_id).pages
    return {(document_id, span.page.number - 1) for span in spans if span.start < place.end and place.start < span.end}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--index", type=Path, default=Path("index/benchmark-pages"))
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    rows = map(json.loads, (given.folder / "queries.jsonl").read_text("utf-8").splitlines())
    questions = {row["id"]: row["text"] for row in rows}
    wanted: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for line in (given.folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, place, _ = line.split("\t")
        document, page = place.split("#p")
        wanted[query].add((document, int(page)))
    embedder = load_embedder(DEFAULT_MODEL, given.index / MODELS)
    paths = sorted((given.folder / "pdfs").glob("*.pdf"))
    results = {}
    for name, documents in (("eunato-rag", read(paths)), ("pypdf text", [plain(path) for path in paths])):
        index = given.index / name.replace(" ", "-")
        _, passages, _ = index_documents(documents, (), index, embedder, Chunking())
        results[name] = {"documents": len(documents), "passages": passages, **measure(Engine.open(index, embedder), questions, wanted)}
    if given.json:
        print(json.dumps(results, indent=2))
    else:
        for name, figures in results.items():
            print(f"{name:<12}" + "  ".join(f"{key} {value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
