"""A test collection -> documents -> an index of its own, kept beside the project's so that it is embedded once.

An item's text is the canonical text, to the letter, since judgements count its characters. Documents and passages are
made anew each time, for reading and cutting are what is measured; their vectors come from the cache.
Left out: the project's own sets, which are asked of the project's index.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path

from eunato_rag.answering.abstention import Abstention
from eunato_rag.errors import EmptyCorpus
from eunato_rag.evaluation.collections import Collection, Item
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.records import Block, Document
from eunato_rag.reindex import Failure, Progress, index_documents
from eunato_rag.sentences import sentence_spans

FOLDER = "eval"
"""Below the index folder."""

_LINE = re.compile(r"\S(?:[^\n]*\S)?")


def index_folder(collection: Collection, index: Path, chunking: Chunking) -> Path:
    """Where below an index folder a collection has its own: named by what the collection holds and how it is cut."""
    held = [[item.id, item.title, item.text] for item in collection.items]
    held += [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in collection.files]
    digest = hashlib.sha256(json.dumps([held, asdict(chunking)]).encode()).hexdigest()
    return index / FOLDER / digest[:12]


def index_collection(
    collection: Collection,
    folder: Path,
    embedder: Embedder,
    chunking: Chunking,
    *,
    abstention: Abstention = Abstention(),
    limits: Limits = Limits(),
    progress: Progress = lambda stage, done, total: None,
) -> tuple[Failure, ...]:
    """Publish an index of the collection in a folder; the files that could not be read, whose questions find nothing.

    Raises:
        EmptyCorpus: nothing could be read.
        IndexBusy: another process is writing to the folder.
    """
    with snapshot.writing(folder):
        documents = [_document(item) for item in collection.items]
        failed = []
        if collection.files:
            with Workers(limits, 2) as workers:
                for done, (path, read) in enumerate(zip(collection.files, workers.read_all(collection.files), strict=True), 1):
                    if isinstance(read, Document):
                        documents.append(read)
                    else:
                        failed.append(Failure(path.name, str(read)))
                    progress("read", done, len(collection.files))
        if not documents:
            raise EmptyCorpus(f"No file of {collection.name} could be read; there is nothing to ask.")
        index_documents(documents, (), folder, embedder, chunking, progress, abstention)
    return tuple(failed)


def _document(item: Item) -> Document:
    """Each line is a paragraph. Where there is no title nothing stands in for it: an id says nothing of the text."""
    lines = [match.span() for match in _LINE.finditer(item.text)]
    sentences = tuple((start + a, start + b) for start, end in lines for a, b in sentence_spans(item.text[start:end]))
    return Document(
        id=item.id,
        source=item.title,
        sha256=hashlib.sha256(item.text.encode()).hexdigest(),
        work={"id": item.id, "type": "document", "title": item.title},
        text=item.text,
        blocks=tuple(Block("paragraph", start, end) for start, end in lines),
        sentences=sentences,
    )
