"""Index a test collection, query it, and print the figures: ours alone, or in turn with peer libraries and as ratios.

    python tests/benchmarks/side_by_side.py DATA_DIR [--peers PEERS_DIR --peer-script PATH] [--queries N] [--json]

Ours are measured as the peer script measures a peer: in a process of its own, imports inside the clock, one untimed
query first, top_k 10, one query at a time, the judged queries in order of id or N of them evenly spaced. Ours is run
anew before every peer, and a ratio is that of the two runs side by side. The model's ONNX export, needed once per
model, is made before the clock starts. The build goes from texts to an opened engine: counting tokens, embedding
through an empty cache, publishing, opening. A document is one passage; one that is longer than the model reads is cut
by the project's chunker, and its best passage counts for it. Then ten passages may be fewer than ten documents, so
`ndcg@10_deep` is that of the first ten documents, from a deeper search outside the clock.

Left out: reading files, sentences of documents that need no cut, answers, citations. No figure makes it fail.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

OURS = "eunato-rag"
PEERS = ("txtai", "haystack", "llamaindex")
TOP_K, DEEP = 10, 100
COLUMNS = ("docs", "passages", "queries", "build_s_imports_included", "docs_per_s", "p50_ms", "p99_ms", "ndcg@10", "ndcg@10_deep", "rss_mb")
RATIOS = ("docs_per_s", "p50_ms", "p99_ms", "rss_mb")
EXPORT = """
import json, pathlib, sys
from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder
print(json.dumps(type(load_embedder(DEFAULT_MODEL, pathlib.Path(sys.argv[1]))).__name__))
"""

Figures = dict[str, Any]
Judgements = dict[str, dict[str, float]]


class RunFailed(Exception):
    """A process that ended without figures; the message is the last line of its error."""


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


def ndcg(ranking: Sequence[str], relevant: Mapping[str, float]) -> float:
    """nDCG at 10 with linear gain (Järvelin and Kekäläinen 2002)."""
    gain = sum(relevant.get(document, 0.0) / math.log2(index + 2) for index, document in enumerate(ranking[:TOP_K]))
    ideal = sorted(relevant.values(), reverse=True)[:TOP_K]
    return gain / sum(score / math.log2(index + 2) for index, score in enumerate(ideal))


def build(documents: Sequence[tuple[str, str, str]], index: Path, models: Path) -> tuple[Callable[[str, int], list[str]], int]:
    """Our search, (query, top_k) -> ids of documents, best first, over the documents; and how many passages they gave."""
    from eunato_rag.engine import Engine
    from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder
    from eunato_rag.ingestion.chunking import Chunking
    from eunato_rag.ingestion.layout import Draft, Prose, assemble
    from eunato_rag.records import Document
    from eunato_rag.reindex import index_documents

    embedder = load_embedder(DEFAULT_MODEL, models)
    made: list[Document] = []
    for identity, title, text in documents:
        parts = assemble([Draft("paragraph", Prose(text))])
        work = {"id": identity, "type": "document", "title": title}
        made.append(Document(identity, identity, "", work, parts.text, parts.blocks, sentences=parts.sentences))
    # a target over any text's size: a document is cut only where the model's own limit asks for it
    _, passages, _ = index_documents(made, (), index, embedder, Chunking(target=1_000_000, overlap=0))
    engine = Engine.open(index, embedder)

    def search(query: str, top_k: int) -> list[str]:
        return list(dict.fromkeys(hit.passage.document_id for hit in engine.search(query, top_k=top_k)))

    return search, passages


def measure(data: Path, size: int, index: Path, models: Path) -> Figures:
    """Our figures, from this process, which must have done nothing else."""
    documents, queries, judged = load(data)
    queries = sample(queries, size)
    began = time.perf_counter()
    search, passages = build(documents, index, models)
    seconds = time.perf_counter() - began
    search(queries[0][1], TOP_K)
    times, scores = [], []
    for identity, text in queries:
        asked = time.perf_counter()
        ranking = search(text, TOP_K)
        times.append((time.perf_counter() - asked) * 1000)
        scores.append(ndcg(ranking, judged[identity]))
    times.sort()
    figures: Figures = {
        "peer": OURS,
        "data": data.resolve().name,
        "docs": len(documents),
        "passages": passages,
        "queries": len(queries),
        "build_s_imports_included": round(seconds, 1),
        "docs_per_s": round(len(documents) / seconds, 1),
        "p50_ms": round(statistics.median(times), 1),
        "p99_ms": round(times[int(len(times) * 0.99)], 1),
        "ndcg@10": round(statistics.fmean(scores), 4),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    if passages > len(documents):
        figures["ndcg@10_deep"] = round(statistics.fmean(ndcg(search(text, DEEP), judged[identity]) for identity, text in queries), 4)
    return figures


def output(*command: str | Path) -> Any:
    """The JSON that a command prints last; RunFailed where it fails or prints none."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = done.stderr.strip().splitlines() or ["nothing on its standard error"]
    if done.returncode:
        raise RunFailed(f"{said[-1]} (exit status {done.returncode})")
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RunFailed(f"no figures printed; {said[-1]}") from error


def compare(ours: Figures, theirs: Figures) -> Figures:
    """Ours over theirs, and the difference in nDCG."""
    ratios = {name: round(ours[name] / theirs[name], 3) if theirs[name] else None for name in RATIOS}
    return {"peer": theirs["peer"], **ratios, "ndcg@10": round(ours["ndcg@10"] - theirs["ndcg@10"], 4)}


def side_by_side(data: Path, size: int, peers: Path | None, script: Path | None) -> tuple[list[Figures], list[Figures], list[str]]:
    """The figures of every run in order, the ratios to each peer, and what should be known of them."""
    runs, ratios = list[Figures](), list[Figures]()
    arguments = (data, "--queries", str(size))
    with tempfile.TemporaryDirectory() as models:
        # in its own process, for on Linux a child's peak memory begins at its parent's
        embedder = output(sys.executable, "-c", EXPORT, models)
        load_then = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        notes = [f"The model's export was made before the clock started; {OURS} embeds by {embedder}; {load_then}."]
        ours = (sys.executable, __file__, *arguments, "--ours-only", models)
        if peers is None or script is None:
            notes.append("No peer environment was given, so there is nothing to compare with.")
            return [output(*ours)], [], notes
        for peer in PEERS:
            python = peers / peer / "bin" / "python"
            if not python.exists():
                notes.append(f"{peer} was skipped: it has no environment in {peers}.")
                continue
            runs.append(output(*ours))
            try:
                theirs = output(python, script, peer, *arguments)
                ratios.append(compare(runs[-1], theirs))
                runs.append(theirs)
            except RunFailed as error:
                notes.append(f"{peer} was skipped: {error}")
    return runs, ratios, notes


def table(rows: Sequence[Figures], columns: Sequence[str]) -> str:
    """The rows under the names of their columns."""
    cells = [["", *columns], *([row["peer"], *(str(row.get(name, "")) for name in columns)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description="Figures on a test collection: ours alone, or in turn with peer libraries.")
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder with corpus.jsonl, queries.jsonl and qrels.tsv")
    parser.add_argument("--peers", type=Path, metavar="PEERS_DIR", help=f"folder of virtual environments: {', '.join(PEERS)}")
    parser.add_argument("--peer-script", type=Path, metavar="PATH", help="what each of them runs; needed with --peers")
    parser.add_argument("--queries", type=int, default=0, metavar="N", help="ask N evenly spaced queries; 0, the default, asks all")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--ours-only", type=Path, metavar="MODELS", help="measure ours in this very process; MODELS holds the export")
    options = parser.parse_args()
    if options.ours_only:
        with tempfile.TemporaryDirectory() as index:
            print(json.dumps(measure(options.data, options.queries, Path(index), options.ours_only)))
        return
    if (options.peers is None) != (options.peer_script is None):
        parser.error("--peers and --peer-script go together")
    absent = [name for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv") if not (options.data / name).is_file()]
    if absent:
        parser.error(f"{options.data} lacks {', '.join(absent)}")
    try:
        runs, ratios, notes = side_by_side(options.data, options.queries, options.peers, options.peer_script)
    except RunFailed as error:
        sys.exit(f"{OURS} failed: {error}")
    if options.json:
        print(json.dumps({"runs": runs, "ratios": ratios, "notes": notes}, indent=2))
        return
    print(f"{options.data.resolve().name}\n\n{table(runs, COLUMNS)}\n")
    if ratios:
        print(f"{OURS} / peer; for ndcg@10 {OURS} - peer\n\n{table(ratios, (*RATIOS, 'ndcg@10'))}\n")
    print("\n".join(notes))


if __name__ == "__main__":
    main()
