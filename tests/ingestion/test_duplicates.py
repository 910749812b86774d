"""One document under two names is one document."""

from __future__ import annotations

from pathlib import Path

from eunato_rag.indexing.entries import Entry
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.duplicates import find_duplicates, sample
from eunato_rag.records import Document
from eunato_rag.reindex import reindex
from tests.conftest import HARBOUR, WordEmbedder


def document(source: str, text: str) -> Entry:
    return Entry.of(Document(source, source, "0", {}, text), runs=sample(text))


WORDS = [f"word{n}" for n in range(900)]


def test_nearly_the_same_text_is_one_document() -> None:
    """Other line ends, another case and a title page more make no second document; the lowest rank is kept."""
    a, b = document("b.html", " ".join(WORDS)), document("a.txt", "Title Page\n\n" + "\n".join(WORDS).upper())
    assert find_duplicates([a, b], lambda d: d.source) == {"b.html": "a.txt"}


def test_a_part_or_a_variant_is_a_document_of_its_own() -> None:
    """A chapter is not the book, and a revised text is not the old one."""
    whole = document("a", " ".join(WORDS))
    part = document("b", " ".join(WORDS[:450]))
    revised = document("c", " ".join(WORDS[:600] + [f"new{n}" for n in range(300)]))
    assert find_duplicates([whole, part, revised], lambda d: d.source) == {}


def test_short_texts_are_compared_whole() -> None:
    """Two notes of ten words are the same only if they are."""
    first = document("a", "the harbour was dredged in the spring of that year")
    assert find_duplicates([first, document("b", first.text)], lambda d: d.source) == {"b": "a"}
    assert find_duplicates([first, document("b", "the harbour was dredged in the autumn of last year")], lambda d: d.source) == {}


def test_the_report_names_both_and_one_is_indexed(corpus: Path, tmp_path: Path, embedder: WordEmbedder) -> None:
    """The one that the manifest names is kept."""
    (corpus / "a-copy.md").write_text(HARBOUR.replace("\n\n", "\n\n\n"), "utf-8")
    report = reindex(corpus, tmp_path / "index", embedder, Chunking())
    assert (report.documents, report.duplicates) == (2, (("a-copy.md", "harbour.txt"),))
