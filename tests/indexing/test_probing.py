"""The probe before a snapshot is published: each part of it that leads elsewhere is noticed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.building import Contents, publish
from eunato_rag.indexing.cache import Encoding, encode
from eunato_rag.indexing.concordance import Concordance
from eunato_rag.indexing.keywords import KeywordIndex
from eunato_rag.indexing.probing import probe
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.preparing import prepare
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import identify, list_sources, read_manifest
from eunato_rag.reindex import reindex
from tests.conftest import WordEmbedder


@pytest.fixture
def contents(corpus: Path, embedder: WordEmbedder) -> Contents:
    manifest = read_manifest(corpus)
    documents = [identify(read(path), source, manifest) for source, path in list_sources(corpus)]
    entries = [prepare(document, Chunking(), embedder) for document in documents]
    return Contents(
        entries,
        manifest.works,
        lambda texts: iter(encode(embedder, list(texts))),
        None,
        {},
        snapshot.describe(embedder),
        asdict(Chunking()),
        {},
    )


def other(contents: Contents, change: Callable[[Encoding], Encoding]) -> Contents:
    """With other vectors or tokens."""
    return replace(contents, encodings=lambda texts: map(change, contents.encodings(texts)))


def reread(contents: Contents, **changes: Any) -> Contents:
    """With another first entry than was written."""
    return replace(contents, entries=[replace(contents.entries[0], **changes), *contents.entries[1:]])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda made: other(made, lambda encoding: (encoding[0][::-1].copy(), encoding[1])), "vectors"),
        (lambda made: other(made, lambda encoding: (encoding[0], replace(encoding[1], codes=~encoding[1].codes))), "tokens"),
        (lambda made: replace(made, entries=[made.entries[1], made.entries[0], *made.entries[2:]]), "not read back"),
        (lambda made: reread(made, text=made.entries[0].text.upper()), "not read back"),
        (lambda made: reread(made, parts="{}"), "not read back"),
        (lambda made: reread(made, passages=made.entries[0].passages[1:]), "rows"),
        (lambda made: replace(made, entries=made.entries[1:]), "rows"),
    ],
)
def test_a_part_that_leads_elsewhere_is_named(
    tmp_path: Path,
    contents: Contents,
    embedder: WordEmbedder,
    wrong: Callable[[Contents], Contents],
    named: str,
) -> None:
    """A snapshot is compared with what it should have been made of."""
    publish(tmp_path, contents)
    opened = snapshot.open_snapshot(tmp_path, embedder)
    probe(opened, contents)
    with pytest.raises(DamagedSnapshot, match=named):
        probe(opened, wrong(contents))


@pytest.mark.parametrize(("part", "named"), [("keywords", "keywords"), ("concordance", "words")])
def test_an_index_of_other_texts_is_named(tmp_path: Path, contents: Contents, embedder: WordEmbedder, part: str, named: str) -> None:
    """Of as many texts, so that no count tells."""
    identity = publish(tmp_path, contents)
    upside_down = replace(contents, entries=[replace(entry, text=entry.text[::-1]) for entry in contents.entries])
    folder = tmp_path / snapshot.SNAPSHOTS / identity / part
    shutil.rmtree(folder)
    if part == "keywords":
        KeywordIndex.write(folder, upside_down.texts())
    else:
        Concordance.write(folder, [entry.text for entry in upside_down.entries])
    opened = snapshot.Snapshot(folder.parent, snapshot.read_manifest(tmp_path, identity, verify=False))
    with pytest.raises(DamagedSnapshot, match=named):
        probe(opened, contents)


def test_a_word_whose_stem_has_a_stem_is_found(tmp_path: Path, corpus: Path, embedder: WordEmbedder) -> None:
    """Terms are compared as they are kept: "committee" as "committe", whose own stem is "committ"."""
    words = "committee commissioner decisions representative".split()
    for number, word in enumerate(words):
        (corpus / f"note-{number}.txt").write_text(f"The {word} of place {number} spoke of its {word}.", "utf-8")
    assert reindex(corpus, tmp_path / "index", embedder, Chunking()).failed == ()
