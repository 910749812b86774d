"""Our side of a comparison, each step a process that does nothing else, for imports, time and peak memory count.

    python -m tests.benchmarks.own export MODELS                    the model's export, needed once per model
    python -m tests.benchmarks.own build DATA INDEX MODELS [N]      index a collection and ask it
    python -m tests.benchmarks.own serve DATA INDEX MODELS [N]      ask an index that is there
    python -m tests.benchmarks.own embed DATA INDEX MODELS          embed the texts of that index, and nothing else

Measured as the peer script measures a peer: imports inside the clock of the build, one untimed query first, ten passages
asked for, one query at a time, the judged queries in order of id or N of them evenly spaced. The build goes from texts to
an opened engine: counting tokens, embedding through an empty cache, publishing, opening. A document is one passage; one
that is longer than the model reads is cut by the project's chunker, and its best passage counts for it. Then ten passages
may be fewer than ten documents, so `ndcg@10_deep` is that of the first ten documents, from a deeper search outside the clock.

Left out: reading files, sentences of documents that need no cut, answers, citations.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.figures import OURS, TOP_K, Figures, ndcg, spread

if TYPE_CHECKING:
    from eunato_rag.engine import Engine

DEEP, BATCH = 100, 64

Search = Callable[[str, int], list[str]]
Judgements = dict[str, dict[str, float]]


def load(folder: Path) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]], Judgements]:
    """Documents as (id, title, text), the judged queries as (id, text) in order of id, and the judgements above zero."""

    def rows(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (folder / name).read_text("utf-8").split("\n") if line]

    documents = [(row["id"], row.get("title") or "", row["text"]) for row in rows("corpus.jsonl")]
    judged: Judgements = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, document, score = line.split("\t")
        if float(score) > 0:
            judged.setdefault(query, {})[document] = float(score)
    queries = sorted((row["id"], row["text"]) for row in rows("queries.jsonl") if row["id"] in judged)
    return documents, queries, judged


def sample(queries: Sequence[tuple[str, str]], size: int) -> list[tuple[str, str]]:
    """That many queries, evenly spaced; all of them for 0."""
    if not 0 < size < len(queries):
        return list(queries)
    step = len(queries) / size
    return [queries[int(index * step)] for index in range(size)]


def index(documents: Sequence[tuple[str, str, str]], folder: Path, models: Path) -> tuple[Engine, Figures]:
    """An engine over the documents, which are embedded and published now, and what that cost."""
    began = time.perf_counter()
    from eunato_rag.engine import Engine
    from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder
    from eunato_rag.ingestion.chunking import Chunking
    from eunato_rag.ingestion.layout import Draft, Prose, assemble
    from eunato_rag.records import Document
    from eunato_rag.reindex import index_documents

    embedder = load_embedder(DEFAULT_MODEL, models)
    ready = time.perf_counter()
    made: list[Document] = []
    for identity, title, text in documents:
        parts = assemble([Draft("paragraph", Prose(text))])
        work = {"id": identity, "type": "document", "title": title}
        made.append(Document(identity, identity, "", work, parts.text, parts.blocks, sentences=parts.sentences))
    # a target over any text's size: a document is cut only where the model's own limit asks for it
    _, passages, _ = index_documents(made, (), folder, embedder, Chunking(target=1_000_000, overlap=0))
    published = time.perf_counter()
    engine = Engine.open(folder, embedder)
    seconds = time.perf_counter() - began
    return engine, {
        "docs": len(documents),
        "passages": passages,
        "build_s_imports_included": round(seconds, 2),
        "docs_per_s": round(len(documents) / seconds, 2),
        "imports_s": round(ready - began, 2),
        "indexing_s": round(published - ready, 2),
    }


def asked(search: Search, queries: Sequence[tuple[str, str]], judged: Judgements) -> Figures:
    """Time and quality of all the queries, one after the other."""
    search(queries[0][1], TOP_K)
    times, scores, first = [], [], []
    for identity, text in queries:
        began = time.perf_counter()
        ranking = search(text, TOP_K)
        times.append((time.perf_counter() - began) * 1000)
        scores.append(ndcg(ranking, judged[identity]))
        first.append(bool(ranking) and ranking[0] in judged[identity])
    return {
        "queries": len(queries),
        **spread(times),
        "ndcg@10": round(statistics.fmean(scores), 4),
        "first": round(statistics.fmean(first), 4),
    }


def by_document(engine: Engine) -> Search:
    """The ids of the documents of the best passages, each once."""
    return lambda query, top_k: list(dict.fromkeys(hit.passage.document_id for hit in engine.search(query, top_k=top_k)))


def build(data: Path, folder: Path, models: Path, size: int) -> Figures:
    documents, queries, judged = load(data)
    queries = sample(queries, size)
    engine, figures = index(documents, folder, models)
    search = by_document(engine)
    figures |= {"peer": OURS, "data": data.name, **asked(search, queries, judged), "rss_mb": peak_mb()}
    if figures["passages"] > figures["docs"]:
        figures["ndcg@10_deep"] = round(statistics.fmean(ndcg(search(text, DEEP), judged[identity]) for identity, text in queries), 4)
    return figures


def serve(data: Path, folder: Path, models: Path, size: int) -> Figures:
    _, queries, judged = load(data)
    began = time.perf_counter()
    from eunato_rag.engine import Engine
    from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder

    embedder = load_embedder(DEFAULT_MODEL, models)
    loaded = time.perf_counter()
    engine = Engine.open(folder, embedder)
    opened = time.perf_counter()
    figures = asked(by_document(engine), sample(queries, size), judged)
    return {
        "served_mb": peak_mb(),
        "served_open_ms": round((opened - loaded) * 1000, 1),
        "served_imports_s": round(loaded - began, 2),
        "served_p50_ms": figures["p50_ms"],
        "served_p99_ms": figures["p99_ms"],
    }


def embed(_: Path, folder: Path, models: Path, __: int) -> Figures:
    """The time that embedding alone takes of what was indexed: vectors and codes of all texts, the longest first."""
    from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder
    from eunato_rag.indexing.interaction import compress
    from eunato_rag.indexing.snapshot import open_snapshot

    embedder = load_embedder(DEFAULT_MODEL, models)
    snapshot = open_snapshot(folder, embedder)
    catalogue = snapshot.catalogue
    passages = [catalogue.passage_at(position) for position in range(snapshot.manifest.counts["passages"])]
    texts = ["\n".join((*catalogue.document(p.document_id).context(p.locator.start), p.text)) for p in passages]
    texts.sort(key=len, reverse=True)
    began = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        for encoded in embedder.encode_document_tokens(texts[start : start + BATCH]):
            compress(encoded)
    return {"embedding_alone_s": round(time.perf_counter() - began, 2)}


def export(models: Path) -> Figures:
    from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder

    return {"embedder": type(load_embedder(DEFAULT_MODEL, models)).__name__}


def peak_mb() -> int:
    """The most memory that this process held, in MB (2^20): what it maps of files and touched is in it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


STEPS: Mapping[str, Callable[[Path, Path, Path, int], Figures]] = {"build": build, "serve": serve, "embed": embed}


def main() -> None:
    name, *paths = sys.argv[1:]
    if name == "export":
        print(json.dumps(export(Path(paths[0]))))
        return
    size = int(paths[3]) if len(paths) > 3 else 0
    data, folder, models = map(Path, paths[:3])
    print(json.dumps(STEPS[name](data, folder, models, size)))


if __name__ == "__main__":
    main()
